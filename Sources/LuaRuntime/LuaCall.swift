/// A call of a Swift function by Lua: its arguments, valid until the function answers.
///
/// The readers throw what Lua's own functions would say, such as
/// `bad argument #1 to 'submit' (string expected, got table)`.
public struct LuaCall: ~Copyable {
  /// The state that calls.
  public let state: LuaState
  /// How many arguments there are.
  public let count: Int

  init(state: LuaState, count: Int) {
    self.state = state
    self.count = count
  }

  /// Whether an await in this call lets other tasks run meanwhile. In a comparator of `table.sort`, a
  /// `__tostring` or a `gsub` callback it blocks in place, and work that needs Lua would never end.
  public var canYield: Bool { state.machine.awaitMode(on: state.stack) == .yield }

  /// The type of an argument, `.none` beyond the last.
  public func type(_ position: Int) -> LuaType {
    position > count ? .none : state.stack.type(at: Int32(position))
  }

  /// Whether the argument is absent or nil.
  public func isAbsent(_ position: Int) -> Bool {
    let type = type(position)
    return type == .none || type == .nil
  }

  /// Any value; nil beyond the last.
  public func value(_ position: Int) throws -> LuaValue {
    position > count ? .nil : try state.read(at: Int32(position))
  }

  /// All arguments from a position on.
  public func values(from first: Int = 1) throws -> [LuaValue] {
    guard first <= count else { return [] }
    return try (first...count).map { try value($0) }
  }

  /// A string, or a number converted as Lua does.
  public func bytes(_ position: Int) throws -> [UInt8] {
    switch type(position) {
    case .string: break
    case .number: return Array(try state.text(of: value(position)).utf8)
    default: throw LuaError.type(position, expected: "string")
    }
    guard case .bytes(let bytes) = try value(position) else { return [] }
    return bytes
  }

  /// A string that is text, or a number converted as Lua does.
  public func string(_ position: Int) throws -> String {
    guard let text = String(validating: try bytes(position), as: UTF8.self) else {
      throw LuaError.argument(position, "string is not valid UTF-8")
    }
    return text
  }

  /// An integer, a float that equals one, or a string that can be converted.
  public func integer(_ position: Int) throws -> Int {
    if let value = state.stack.integer(at: Int32(position)), position <= count { return value }
    if position <= count, state.stack.number(at: Int32(position)) != nil {
      throw LuaError.argument(position, "number has no integer representation")
    }
    throw LuaError.type(position, expected: "number")
  }

  /// A number, or a string that can be converted.
  public func number(_ position: Int) throws -> Double {
    guard position <= count, let value = state.stack.number(at: Int32(position)) else {
      throw LuaError.type(position, expected: "number")
    }
    return value
  }

  /// A boolean; other values are not taken for one.
  public func boolean(_ position: Int) throws -> Bool {
    guard case .boolean(let value) = try value(position) else {
      throw LuaError.type(position, expected: "boolean")
    }
    return value
  }

  /// A table.
  public func table(_ position: Int) throws -> LuaReference {
    try reference(position, .table)
  }

  /// A function.
  public func function(_ position: Int) throws -> LuaReference {
    try reference(position, .function)
  }

  /// The Swift object behind a userdata of this type. An object that was closed is an error.
  public func object<Object: AnyObject>(_ position: Int, _ type: LuaObjectType<Object>) throws
    -> Object
  {
    let index = Int32(position)
    guard position <= count, state.stack.has(metatable: type.metatable, at: index) else {
      throw LuaError.type(position, expected: type.name)
    }
    guard let object = state.stack.object(at: index, metatable: type.metatable) as? Object else {
      throw LuaError.argument(position, "attempt to use a closed \(type.name)")
    }
    return object
  }

  private func reference(_ position: Int, _ expected: LuaType) throws -> LuaReference {
    guard type(position) == expected, let reference = try value(position).asReference else {
      throw LuaError.type(position, expected: expected.name)
    }
    return reference
  }
}
