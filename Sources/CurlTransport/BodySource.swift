import Glibc
import HTTP

/// The body of a request while it is sent: bytes in memory or a part of a file.
struct BodySource: ~Copyable {
  /// The body ended early or could not be read: errno.
  struct Failure: Error {
    let errno: Int32
  }

  private let body: HTTPBody
  private let descriptor: Int32
  private(set) var position: Int64 = 0

  /// Opens the file, if it is one.
  init(_ body: HTTPBody) throws(Failure) {
    self.body = body
    guard case .file(let path, _, _) = body else {
      descriptor = -1
      return
    }
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(errno: errno) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Fills the buffer with the next bytes.
  ///
  /// - Returns: their number; 0 at the end.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    let left = body.count - position
    guard left > 0 else { return 0 }
    let wanted = Int(min(left, Int64(buffer.count)))
    switch body {
    case .none:
      return 0
    case .bytes(let bytes):
      let start = Int(position)
      unsafe bytes.withUnsafeBytes { bytes in
        unsafe buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + wanted]))
      }
      position += Int64(wanted)
      return wanted
    case .file(_, let offset, _):
      while true {
        let count = unsafe pread(descriptor, buffer.baseAddress, wanted, off_t(offset + position))
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw Failure(errno: errno) }
        // The file became shorter than what Content-Length has promised.
        guard count > 0 else { throw Failure(errno: EIO) }
        position += Int64(count)
        return count
      }
    }
  }

  /// Goes to a place within the body; false beyond it.
  mutating func seek(to offset: Int64) -> Bool {
    guard (0...body.count).contains(offset) else { return false }
    position = offset
    return true
  }
}
