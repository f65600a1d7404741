public import JSON

/// Number of a job on the machine.
///
/// The service writes it as a string in lists and as an integer after a submission (`api.md`,
/// Quirks); both are read.
public struct JobID: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let number: Int64

  public init(_ number: Int64) {
    self.number = number
  }

  /// Reads decimal digits; nil for anything else, zero and sub-jobs like `12[3]` included.
  public init?(_ text: some StringProtocol) {
    guard let number = decimalNumber(text), number > 0 else { return nil }
    self.number = number
  }

  /// Reads an integer or a string of digits.
  public init?(json value: JSONValue?) {
    switch value {
    case .string(let text): self.init(text)
    case .int(let number) where number > 0: self.init(number)
    default: return nil
    }
  }

  public static func < (a: JobID, b: JobID) -> Bool { a.number < b.number }

  public var description: String { String(number) }
}

/// Number of a file synchronisation.
public struct SyncID: Sendable, Hashable, CustomStringConvertible {
  public let number: Int64

  public init(_ number: Int64) {
    self.number = number
  }

  /// Reads an integer or a string of digits.
  public init?(json value: JSONValue?) {
    switch value {
    case .string(let text):
      guard let number = decimalNumber(text) else { return nil }
      self.number = number
    case .int(let number) where number >= 0: self.number = number
    default: return nil
    }
  }

  public var description: String { String(number) }
}

/// ASCII digits only: `Int64("+1")` would pass, an id in a path must not.
private func decimalNumber(_ text: some StringProtocol) -> Int64? {
  guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
  return Int64(text)
}
