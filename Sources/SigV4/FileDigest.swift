import Glibc

/// Hashes a part of a file in bounded memory.
public enum FileDigest {
  /// Why a file could not be hashed.
  public enum Failure: Error, Sendable, Hashable {
    /// A call of the system failed.
    case system(errno: Int32)
    /// The file ended before the part did.
    case tooShort(missing: Int64)
  }

  private static let chunkSize = 1 << 18

  /// SHA-256 of `length` bytes from `offset`, in lower-case hexadecimal.
  ///
  /// Reads in the calling thread; large files are hashed before a request is handed to a transport.
  public static func sha256(
    path: String, offset: Int64 = 0, length: Int64
  ) throws(Failure) -> String {
    var hash = SHA256()
    try unsafe read(path: path, offset: offset, length: length) { unsafe hash.update($0) }
    return Hexadecimal.text(hash.digest())
  }

  /// MD5 of `length` bytes from `offset`.
  public static func md5(path: String, offset: Int64 = 0, length: Int64) throws(Failure) -> [UInt8]
  {
    var hash = MD5()
    try unsafe read(path: path, offset: offset, length: length) { unsafe hash.update($0) }
    return hash.digest()
  }

  private static func read(
    path: String, offset: Int64, length: Int64, into use: (UnsafeRawBufferPointer) -> Void
  ) throws(Failure) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(errno: errno) }
    defer { _ = close(descriptor) }
    var chunk = [UInt8](repeating: 0, count: Int(min(Int64(chunkSize), max(length, 1))))
    var position = offset
    let end = offset + length
    while position < end {
      let wanted = Int(min(Int64(chunk.count), end - position))
      let (count, code) = unsafe chunk.withUnsafeMutableBytes { buffer in
        let count = unsafe pread(descriptor, buffer.baseAddress, wanted, Int(position))
        return (count, errno)
      }
      if count < 0 {
        if code == EINTR { continue }
        throw .system(errno: code)
      }
      guard count > 0 else { throw .tooShort(missing: end - position) }
      unsafe chunk.withUnsafeBytes { unsafe use(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      position += Int64(count)
    }
  }
}
