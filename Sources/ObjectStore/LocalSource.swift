import Glibc
import SigV4

/// A file of this computer that is to be sent, as it was at the first look.
struct LocalSource: Sendable {
  let path: String
  let size: Int64
  private let version: FileVersion

  /// SHA-256 in hexadecimal and MD5 of a part, from one reading.
  struct Digests: Sendable {
    var sha256: String
    var md5: [UInt8]
  }

  private static let chunkSize = 1 << 18

  /// Looks at a file; symbolic links are followed.
  init(path: String) throws(LocalFileFailure) {
    let descriptor = try Self.open(path)
    defer { close(descriptor) }
    let status = try Self.status(descriptor, path)
    self.path = path
    size = Int64(status.st_size)
    version = FileVersion(status)
  }

  /// Fails where the file is no longer what it was.
  func recheck() throws(LocalFileFailure) {
    var status = stat()
    let code = unsafe stat(path, &status) == 0 ? 0 : errno
    guard code == 0 else { throw .system(call: "read", path: path, errno: code) }
    guard FileVersion(status) == version else { throw .changed(path: path) }
  }

  /// The whole content; for small files.
  func bytes() throws(LocalFileFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(size))
    unsafe try read(offset: 0, length: size) { unsafe bytes.append(contentsOf: $0) }
    try recheck()
    return bytes
  }

  /// SHA-256 and MD5 of a part.
  func digests(offset: Int64, length: Int64) throws(LocalFileFailure) -> Digests {
    var sha256 = SHA256()
    var md5 = MD5()
    unsafe try read(offset: offset, length: length) { chunk in
      unsafe sha256.update(chunk)
      unsafe md5.update(chunk)
    }
    return Digests(sha256: Hexadecimal.text(sha256.digest()), md5: md5.digest())
  }

  /// SHA-256 of the whole content, in hexadecimal.
  func sha256() throws(LocalFileFailure) -> String {
    var sha256 = SHA256()
    unsafe try read(offset: 0, length: size) { unsafe sha256.update($0) }
    try recheck()
    return Hexadecimal.text(sha256.digest())
  }

  /// MD5 of the whole content.
  func md5() throws(LocalFileFailure) -> [UInt8] {
    var md5 = MD5()
    unsafe try read(offset: 0, length: size) { unsafe md5.update($0) }
    try recheck()
    return md5.digest()
  }

  private func read(
    offset: Int64, length: Int64, into use: (UnsafeRawBufferPointer) -> Void
  ) throws(LocalFileFailure) {
    let descriptor = try Self.open(path)
    defer { close(descriptor) }
    guard FileVersion(try Self.status(descriptor, path)) == version else {
      throw .changed(path: path)
    }
    let complete = unsafe try FileBytes.read(
      descriptor, path: path, offset: offset, length: length, chunkSize: Self.chunkSize, into: use)
    guard complete else { throw .changed(path: path) }
  }

  private static func open(_ path: String) throws(LocalFileFailure) -> Int32 {
    // Without waiting for the other end of a pipe.
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system(call: "read", path: path, errno: errno) }
    return descriptor
  }

  private static func status(_ descriptor: Int32, _ path: String) throws(LocalFileFailure) -> stat {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .system(call: "read", path: path, errno: errno)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return status
    case S_IFDIR: throw .isFolder(path: path)
    default: throw .notRegular(path: path)
    }
  }
}

/// Reads and writes through descriptors, whole pieces at a time.
enum FileBytes {
  /// Reads a part of a file in chunks.
  ///
  /// - Returns: false where the file ended before the part did.
  static func read(
    _ descriptor: Int32, path: String, offset: Int64, length: Int64, chunkSize: Int,
    into use: (UnsafeRawBufferPointer) -> Void
  ) throws(LocalFileFailure) -> Bool {
    var position = offset
    let end = offset + length
    guard position < end else { return true }
    let capacity = Int(min(Int64(chunkSize), length))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 64)
    defer { unsafe buffer.deallocate() }
    while position < end {
      let wanted = Int(min(Int64(capacity), end - position))
      let count = unsafe pread(descriptor, buffer.baseAddress, wanted, off_t(position))
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        throw .system(call: "read", path: path, errno: code)
      }
      guard count > 0 else { return false }
      unsafe use(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      position += Int64(count)
    }
    return true
  }

  /// Writes all bytes at a place.
  static func write(
    _ bytes: [UInt8], to descriptor: Int32, path: String, at offset: Int64
  ) throws(LocalFileFailure) {
    let code: Int32 = unsafe bytes.withUnsafeBytes { buffer in
      var rest = unsafe buffer[...]
      while unsafe !rest.isEmpty {
        let position = unsafe offset + Int64(rest.startIndex)
        let count = unsafe pwrite(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count,
          off_t(position))
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        unsafe rest = rest.dropFirst(count)
      }
      return 0
    }
    guard code == 0 else { throw .system(call: "write", path: path, errno: code) }
  }
}
