/// An error of Lua, caught or to be raised.
public struct LuaError: Error, CustomStringConvertible {
  /// How Lua gets it when a Swift function throws it.
  enum Form: Sendable {
    /// `value` as it is.
    case value
    /// `message`, with the position of the caller before it, as Lua's `error` does.
    case message
    /// `bad argument #n to 'f' (message)`.
    case argument(Int)
    /// `bad argument #n to 'f' (message expected, got …)`.
    case type(Int)
  }

  var form: Form
  /// The error value: a string with its position, or whatever `error` was called with.
  public var value: LuaValue
  /// The value as text: what `tostring` gives, of any encoding.
  public var messageBytes: [UInt8]
  /// `stack traceback:` and lines, as debug.traceback gives them; empty where none was taken.
  public var tracebackBytes: [UInt8]

  /// ``messageBytes`` as text, invalid UTF-8 repaired.
  public var message: String { String(decoding: messageBytes, as: UTF8.self) }
  /// ``tracebackBytes`` as text, invalid UTF-8 repaired.
  public var traceback: String { String(decoding: tracebackBytes, as: UTF8.self) }

  /// An error with a value of its own, mostly a table with a metatable. A table gets the field
  /// `traceback` when it is raised, unless it has one.
  public init(value: LuaValue, message: String = "", traceback: String = "") {
    self.init(value: value, messageBytes: Array(message.utf8))
    tracebackBytes = Array(traceback.utf8)
  }

  init(value: LuaValue, messageBytes: [UInt8]) {
    self.form = .value
    self.value = value
    self.messageBytes = messageBytes
    self.tracebackBytes = []
  }

  /// An error string; the position of the caller's line is put before it.
  public init(_ message: String) {
    self.init(.message, message)
  }

  private init(_ form: Form, _ message: String) {
    self.form = form
    self.value = .string(message)
    self.messageBytes = Array(message.utf8)
    self.tracebackBytes = []
  }

  /// `bad argument #1 to 'submit' (reason)`, in Lua's own wording for functions and methods.
  public static func argument(_ position: Int, _ reason: String) -> LuaError {
    LuaError(.argument(position), reason)
  }

  /// `bad argument #1 to 'submit' (string expected, got table)`.
  public static func type(_ position: Int, expected: String) -> LuaError {
    LuaError(.type(position), expected)
  }

  public var description: String { message }
}
