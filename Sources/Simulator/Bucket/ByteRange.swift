/// One range of a `Range` header (RFC 9110 §14.1.2).
struct ByteRange: Sendable, Hashable {
  var offset: UInt64
  var length: UInt64

  /// What a header asks of an object.
  ///
  /// - Returns: nil where the whole object is to be sent: no header, one of several ranges, or one
  ///   that cannot be read.
  /// - Throws: `InvalidRange` where nothing of the object lies in it.
  static func parse(_ header: String?, size: UInt64) throws(S3Error) -> ByteRange? {
    guard let header, header.hasPrefix("bytes="), !header.contains(",") else { return nil }
    let parts = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    if parts[0].isEmpty {
      guard let suffix = UInt64(parts[1]) else { return nil }
      guard suffix > 0, size > 0 else { throw .invalidRange }
      let length = min(suffix, size)
      return ByteRange(offset: size - length, length: length)
    }
    guard let first = UInt64(parts[0]) else { return nil }
    guard first < size else { throw .invalidRange }
    if parts[1].isEmpty { return ByteRange(offset: first, length: size - first) }
    guard let last = UInt64(parts[1]), last >= first else { return nil }
    return ByteRange(offset: first, length: min(last, size - 1) - first + 1)
  }
}
