import CCrypto

/// SHA-256 (FIPS 180-4) over libcrypto, as a value: a copy continues from the same state.
public struct SHA256: Sendable {
  /// Size of a digest in bytes.
  public static let byteCount = 32
  /// The digest of no bytes, in hexadecimal: what a request without a body carries.
  public static let emptyHexadecimal =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private var context = SHA256_CTX()

  public init() {
    _ = unsafe SHA256_Init(&context)
  }

  /// Adds bytes.
  public mutating func update(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe update($0) }
  }

  /// Adds bytes of memory that the caller owns.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    _ = unsafe SHA256_Update(&context, bytes.baseAddress, bytes.count)
  }

  /// Adds the digest of another hash.
  mutating func update(digestOf other: SHA256) {
    unsafe other.withDigest { unsafe update(UnsafeRawBufferPointer($0)) }
  }

  /// Appends the digest of everything added so far in lower-case hexadecimal.
  func appendHexadecimal(to output: inout [UInt8]) {
    unsafe withDigest { digest in
      unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * Self.byteCount) { text in
        for index in 0..<Self.byteCount {
          let digits = unsafe Hexadecimal.digits(digest[index])
          unsafe text[2 * index] = digits.high
          unsafe text[2 * index + 1] = digits.low
        }
        unsafe output.append(contentsOf: text)
      }
    }
  }

  /// Lends the digest of everything added so far, without a place of its own on the heap.
  private func withDigest(_ body: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
    var copy = context
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCount) { buffer in
      _ = unsafe SHA256_Final(buffer.baseAddress, &copy)
      unsafe body(buffer)
    }
  }

  /// The digest of everything added so far; adding more afterwards is allowed.
  public func digest() -> [UInt8] {
    var copy = context
    return unsafe [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
      _ = unsafe SHA256_Final(buffer.baseAddress, &copy)
      count = Self.byteCount
    }
  }

  /// The digest of some bytes.
  public static func digest(of bytes: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes)
    return hash.digest()
  }

  /// The digest of some bytes in lower-case hexadecimal.
  public static func hexadecimal(of bytes: [UInt8]) -> String {
    bytes.isEmpty ? emptyHexadecimal : Hexadecimal.text(digest(of: bytes))
  }
}

/// MD5 (RFC 1321), for `Content-MD5` and ETags of the bucket only.
public struct MD5: Sendable {
  /// Size of a digest in bytes.
  public static let byteCount = 16

  private var context = MD5_CTX()

  public init() {
    _ = unsafe MD5_Init(&context)
  }

  /// Adds bytes.
  public mutating func update(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe update($0) }
  }

  /// Adds bytes of memory that the caller owns.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    _ = unsafe MD5_Update(&context, bytes.baseAddress, bytes.count)
  }

  /// The digest of everything added so far; adding more afterwards is allowed.
  public func digest() -> [UInt8] {
    var copy = context
    return unsafe [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
      _ = unsafe MD5_Final(buffer.baseAddress, &copy)
      count = Self.byteCount
    }
  }

  /// The digest of some bytes.
  public static func digest(of bytes: [UInt8]) -> [UInt8] {
    var hash = MD5()
    hash.update(bytes)
    return hash.digest()
  }
}

/// Lower-case hexadecimal.
public enum Hexadecimal {
  /// Two digits a byte.
  public static func text(_ bytes: [UInt8]) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      let pair = self.digits(byte)
      digits.append(pair.high)
      digits.append(pair.low)
    }
    return String(decoding: digits, as: UTF8.self)
  }

  static func digits(_ byte: UInt8) -> (high: UInt8, low: UInt8) {
    (digit(byte >> 4), digit(byte & 15))
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 + value : 0x57 + value
  }
}
