/// The name of an object: UTF-8, compared by its bytes as S3 does.
struct ObjectKey: Sendable, Hashable, Comparable {
  let bytes: [UInt8]

  /// S3's bound on a key.
  static let longest = 1_024

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  static func < (a: ObjectKey, b: ObjectKey) -> Bool {
    a.bytes.lexicographicallyPrecedes(b.bytes)
  }

  /// The least key that does not begin with these bytes and comes after all that do; nil where
  /// there is none.
  static func successor(ofPrefix prefix: [UInt8]) -> ObjectKey? {
    guard let last = prefix.lastIndex(where: { $0 < 0xff }) else { return nil }
    var bytes = Array(prefix[...last])
    bytes[last] += 1
    return ObjectKey(bytes)
  }
}

/// Percent-decoding of what a client sent.
enum PercentDecoding {
  /// nil where a `%` has no two hexadecimal digits after it. `+` stays itself.
  static func bytes(_ text: some StringProtocol) -> [UInt8]? {
    var result: [UInt8] = []
    var iterator = text.utf8.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "%") else {
        result.append(byte)
        continue
      }
      guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit)
      else { return nil }
      result.append(high << 4 | low)
    }
    return result
  }

  /// nil where the bytes are no UTF-8 either.
  static func text(_ text: some StringProtocol) -> String? {
    bytes(text).flatMap { String(validating: $0, as: UTF8.self) }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
