/// A key for HMAC-SHA-256 (RFC 2104), prepared once: its two padded blocks are hashed already, so
/// that a message costs its own length and one block.
public struct HMACSHA256: Sendable {
  private var inner = SHA256()
  private var outer = SHA256()

  /// Prepares a key of any length.
  public init(key: [UInt8]) {
    let blockSize = 64
    var block = key.count > blockSize ? SHA256.digest(of: key) : key
    block += [UInt8](repeating: 0, count: blockSize - block.count)
    inner.update(block.map { $0 ^ 0x36 })
    outer.update(block.map { $0 ^ 0x5c })
  }

  /// The authentication code of a message: 32 bytes.
  public func code(of message: [UInt8]) -> [UInt8] {
    hash(of: message).digest()
  }

  /// The hash whose digest is the authentication code of a message.
  func hash(of message: [UInt8]) -> SHA256 {
    var inner = inner
    inner.update(message)
    var outer = outer
    outer.update(digestOf: inner)
    return outer
  }
}
