/// `Content-Range: bytes 0-99/1000` (RFC 9110 §14.4).
struct ContentRange: Hashable {
  var range: Range<Int64>
  /// Bytes of the whole object.
  var total: Int64

  init(_ range: Range<Int64>, total: Int64) {
    self.range = range
    self.total = total
  }

  /// nil for anything that does not say both, or of an object that cannot be.
  init?(parsing text: String) {
    guard text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let total = Self.number(parts[1]) else { return nil }
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]),
      first <= last, last < total, total <= StoredObject.largest
    else { return nil }
    self.init(first..<(last + 1), total: total)
  }

  private static func number(_ text: Substring) -> Int64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int64(text)
  }
}
