import JSON
import LuaRuntime

extension LuaValue {
  /// The members of an object of the wire, null left out.
  static func fields(_ members: [JSONValue.Member]) -> [(key: LuaValue, value: LuaValue)] {
    members.map { (.string($0.key), LuaValue($0.value)) }
  }

  private init(_ json: JSONValue) {
    self =
      switch json {
      case .null: .nil
      case .bool(let flag): .boolean(flag)
      case .int(let number): .integer(Int(number))
      case .double(let number): .number(number)
      case .string(let text): .string(text)
      case .array(let elements): .array(elements.map { LuaValue($0) })
      case .object(let members): .table(Self.fields(members))
      }
  }

  /// The text of a string that goes to the service in JSON; nil for other kinds.
  ///
  /// - Parameters:
  ///   - what: the option or parameter, for the message.
  ///   - position: of the argument that holds it.
  /// - Throws: an argument error for bytes that JSON cannot carry unchanged, or that no file name
  ///   there can hold: repaired, they would name another file.
  func wireText(_ what: String, _ position: Int) throws -> String? {
    guard case .bytes(let bytes) = self else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw LuaError.argument(position, "the \(what) is not UTF-8 text without NUL bytes")
    }
    return text
  }
}
