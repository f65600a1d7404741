import Glibc

/// One file of a ``LockDirectory``, locked with `flock` or not.
///
/// The kernel unlocks it when the process dies. Unlocking is explicit otherwise: a copy of the
/// descriptor in a child between fork and exec must not keep the lock.
final class LockFile {
  enum Outcome: Equatable {
    case locked
    /// Another open file description holds it.
    case busy
    case failed(errno: Int32)
  }

  let name: String
  private let directory: LockDirectory
  private var descriptor: Int32 = -1
  private(set) var isLocked = false
  private var isMarked = false

  init(_ name: String, in directory: LockDirectory) {
    self.name = name
    self.directory = directory
  }

  deinit { closeFile() }

  /// Locks the file that the name stands for now.
  ///
  /// - Parameters:
  ///   - kind: `LOCK_EX` or `LOCK_SH`.
  ///   - waits: whether to wait for others; they are served in order.
  /// - Returns: whether the lock is held now.
  func lock(_ kind: Int32, waits: Bool = false) -> Outcome {
    // Whoever removes a lock file holds it; who waited for it must take the new one.
    for _ in 0..<100 {
      guard openFile() else { return .failed(errno: errno) }
      while flock(descriptor, waits ? kind : kind | LOCK_NB) != 0 {
        if errno == EINTR { continue }
        return errno == EWOULDBLOCK ? .busy : .failed(errno: errno)
      }
      isLocked = true
      if isCurrent { return .locked }
      closeFile()
    }
    return .failed(errno: ESTALE)
  }

  func unlock() {
    guard isLocked else { return }
    if isMarked { _ = mark(F_UNLCK, 0..<Int.max) }
    isMarked = false
    flock(descriptor, LOCK_UN)
    isLocked = false
  }

  /// Marks the file with a number while it is locked; others can look for it without a lock.
  func mark(_ number: Int) {
    isMarked = isLocked && mark(F_RDLCK, number..<number + 1)
  }

  /// Whether another open file description marks the file with one of these numbers.
  func hasMark(_ numbers: Range<Int>) -> Bool {
    guard !numbers.isEmpty else { return false }
    for _ in 0..<100 {
      guard openFile() else { return false }
      if isCurrent {
        var range = Self.range(F_WRLCK, numbers)
        return unsafe fcntl(descriptor, Self.getMark, &range) == 0 && Int32(range.l_type) != F_UNLCK
      }
      closeFile()
    }
    return false
  }

  /// A mark is a lock on the byte of that number: the kernel takes it back as well.
  private func mark(_ kind: Int32, _ numbers: Range<Int>) -> Bool {
    var range = Self.range(kind, numbers)
    return unsafe fcntl(descriptor, Self.setMark, &range) == 0
  }

  /// Linux's F_OFD_GETLK and F_OFD_SETLK, which fcntl.h shows with _GNU_SOURCE only.
  private static let getMark: Int32 = 36
  private static let setMark: Int32 = 37

  private static func range(_ kind: Int32, _ numbers: Range<Int>) -> flock {
    flock(
      l_type: Int16(kind), l_whence: Int16(SEEK_SET), l_start: numbers.lowerBound,
      l_len: numbers.upperBound == Int.max ? 0 : numbers.count, l_pid: 0)
  }

  /// Removes the file if nobody else uses it.
  func remove() {
    guard isLocked || lock(LOCK_EX) == .locked else { return }
    unsafe unlinkat(directory.descriptor, name, 0)
    closeFile()
  }

  /// The text in the locked file, up to 64 bytes of it.
  var text: String {
    get {
      var bytes = [UInt8](repeating: 0, count: 64)
      let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
      return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
    set {
      let bytes = Array(newValue.utf8)
      // A mark that cannot be written reads as another's: the next holder rests, no more.
      _ = unsafe pwrite(descriptor, bytes, bytes.count, 0)
      _ = ftruncate(descriptor, bytes.count)
    }
  }

  /// Whether the open file is still the one of that name.
  private var isCurrent: Bool {
    var opened = stat()
    var named = stat()
    return unsafe fstat(descriptor, &opened) == 0
      && fstatat(directory.descriptor, name, &named, AT_SYMLINK_NOFOLLOW) == 0
      && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
  }

  private func openFile() -> Bool {
    if descriptor < 0 {
      descriptor = unsafe openat(
        directory.descriptor, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    }
    return descriptor >= 0
  }

  private func closeFile() {
    unlock()
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}
