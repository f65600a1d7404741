/// A Lua value as Swift sees it: read from Lua, or to be built there.
///
/// Reading gives only the first seven kinds; tables, functions, userdata and threads come as
/// `reference`. The others say how to build a value.
public enum LuaValue: Sendable {
  case `nil`
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  /// A string: Lua strings are bytes, with a length, of any encoding.
  case bytes([UInt8])
  /// A value that lives in Lua: table, function, userdata or thread.
  case reference(LuaReference)
  /// A pointer of a C library, only to be compared.
  case lightUserdata(UInt)

  /// A new table with these values at 1, 2, ….
  case array([LuaValue], metatable: LuaReference? = nil)
  /// A new table with these fields, in this order (which matters only for double keys).
  case table([(key: LuaValue, value: LuaValue)], metatable: LuaReference? = nil)
  /// What a JSON text holds, decoded straight into tables (null reads as nil). A list gets the
  /// metatable `list` (which should have `__jsontype = "array"`), and the objects in it `elements`.
  /// A text that is no JSON raises an error that says where.
  case json([UInt8], list: LuaReference? = nil, elements: LuaReference? = nil)
  /// The argument of the running call at this position (from 1), unchanged.
  case argument(Int)
  /// A function or value that the runtime brings along.
  case builtin(LuaBuiltin)

  /// A string with the UTF-8 of `text`.
  public static func string(_ text: some StringProtocol) -> LuaValue {
    .bytes(Array(text.utf8))
  }

  /// The bytes of a string as text, invalid UTF-8 repaired; nil for other kinds.
  public var text: String? {
    guard case .bytes(let bytes) = self else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the value is nil.
  public var isNil: Bool {
    if case .nil = self { true } else { false }
  }

  /// What Lua's conditions make of the value: everything but nil and false is true.
  public var isTrue: Bool {
    switch self {
    case .nil, .boolean(false): false
    default: true
    }
  }

  /// An integer, or a float that equals one; nil for other kinds (strings are not converted).
  public var asInteger: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// A number of either kind; nil for other kinds (strings are not converted).
  public var asNumber: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// A reference to a table, a function, …; nil for other kinds.
  public var asReference: LuaReference? {
    if case .reference(let reference) = self { reference } else { nil }
  }
}

/// What the runtime brings along; whoever builds a table gives it a name.
public enum LuaBuiltin: UInt8, Sendable, CaseIterable {
  /// `spawn(fn, …)` answers a Task with `:join()`, `:cancel()`, `.state`, `.id`.
  case spawn
  /// `sleep(seconds)`.
  case sleep
  /// `map(list, fn, {concurrency =})`: list of `fn(item)`; an error cancels the rest.
  case map
  /// `all(tasks)`: list of first results; an error cancels the rest.
  case all
  /// `race(tasks)`: the results of the first that ends; the others are cancelled.
  case race
  /// `timeout(seconds, fn, …)`: the results of `fn`, or an error and `fn` is cancelled.
  case timeout
  /// `decode(text)`: null reads as nil, integers of 64 bits stay integers, arrays remember that they
  /// are arrays.
  case jsonDecode
  /// `encode(value, {indent =})`: keys sorted; a list with holes, nan, inf, functions, invalid UTF-8
  /// and tables that contain themselves are errors.
  case jsonEncode
  /// What encodes as null.
  case jsonNull
  /// `array(table)`: the table, which from now on encodes as an array even when it is empty.
  case jsonArray
}

extension LuaValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral text: String) { self = .string(text) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  public init(nilLiteral: ()) { self = .nil }
  public init(arrayLiteral elements: LuaValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (LuaValue, LuaValue)...) {
    self = .table(elements.map { (key: $0.0, value: $0.1) })
  }
}

/// The type of a Lua value.
public enum LuaType: Int32, Sendable {
  case none = -1
  case `nil`, boolean, lightUserdata, number, string, table, function, userdata, thread

  /// As Lua's `type` names it.
  public var name: String {
    switch self {
    case .none: "no value"
    case .nil: "nil"
    case .boolean: "boolean"
    case .lightUserdata, .userdata: "userdata"
    case .number: "number"
    case .string: "string"
    case .table: "table"
    case .function: "function"
    case .thread: "thread"
    }
  }
}
