/// Why bytes are no JSON, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Kind: Sendable, Hashable {
    /// Nothing but white space.
    case empty
    /// Arrays and objects nested deeper than the limit.
    case depth(limit: Int)
    /// Bytes that are no UTF-8.
    case utf8
    /// Something after the value.
    case trailing
    /// The text ends within the value.
    case unfinished
    /// Something else was expected.
    case unexpected(expected: String)
    /// A number that no double can hold.
    case number
    /// An escape in a string that is none, or half a surrogate pair.
    case escape
    /// No memory for it.
    case memory
  }

  public var kind: Kind
  /// The first byte that cannot be, counted from 0.
  public var offset: Int

  public init(_ kind: Kind, offset: Int) {
    self.kind = kind
    self.offset = offset
  }

  public var description: String {
    let what =
      switch kind {
      case .empty: "nothing there"
      case .depth(let limit): "nested deeper than \(limit) levels"
      case .utf8: "bytes that are no UTF-8"
      case .trailing: "something follows the value"
      case .unfinished: "it ends too early"
      case .unexpected(let expected): "expected \(expected)"
      case .number: "a number out of range"
      case .escape: "an escape that is none"
      case .memory: "no memory"
      }
    return "no valid JSON: \(what) at byte \(offset)"
  }
}
