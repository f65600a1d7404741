import SigV4

/// The tag that a service gives to an object's content, without quotation marks.
///
/// For an object stored in one request it usually is the content's MD5 in hexadecimal, for one
/// stored in parts the MD5 of the parts' MD5s, a hyphen and their number. Services may do otherwise
/// (encryption with managed keys), so only a fitting form says something about the content.
public struct ETag: Sendable, Hashable, CustomStringConvertible {
  /// As the service wrote it, without quotation marks.
  public let text: String

  /// Reads a header or a list entry: quotation marks and the mark of weak tags go.
  public init(_ text: String) {
    var text = text[...]
    if text.hasPrefix("W/") { text = text.dropFirst(2) }
    if text.hasPrefix("\"") { text = text.dropFirst() }
    if text.hasSuffix("\"") { text = text.dropLast() }
    self.text = String(text)
  }

  init(md5: [UInt8]) {
    text = Hexadecimal.text(md5)
  }

  /// The tag of an object stored in parts.
  init(partMD5s: [[UInt8]]) {
    text = "\(Hexadecimal.text(MD5.digest(of: Array(partMD5s.joined()))))-\(partMD5s.count)"
  }

  /// As `If-Match` wants it.
  var quoted: String { "\"\(text)\"" }

  public var description: String { text }

  /// Whether it has the form of an MD5.
  var isMD5: Bool { Self.isMD5(text[...]) }

  /// The number of parts, where it has the form of an object stored in parts.
  var partCount: Int? {
    guard let hyphen = text.lastIndex(of: "-"), Self.isMD5(text[..<hyphen]) else { return nil }
    return Int(text[text.index(after: hyphen)...])
  }

  private static func isMD5(_ text: Substring) -> Bool {
    text.utf8.count == 32
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
