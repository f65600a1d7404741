#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sole right to write a journal: `flock` of a file beside it, which the kernel gives up at the
/// process's end, with the owner's name in it for others to read.
///
/// A file beside it, because SQLite's own locks are dropped when any descriptor of the journal is
/// closed.
final class JournalLock {
  private let descriptor: Int32
  private let path: String

  /// Takes the lock; throws `busy` with its owner where another process has it.
  ///
  /// - Parameter journal: without symbolic links, so that all ways to it lead to one lock.
  init(journal: String) throws(JournalError) {
    path = journal + ".lock"
    var held: Int32?
    while held == nil {
      let descriptor = try Self.lock(path, of: journal)
      // Who had it may have removed it, or somebody else, between the opening and the lock.
      if FileIdentity(descriptor) == FileIdentity(path: path) {
        held = descriptor
      } else {
        close(descriptor)
      }
    }
    descriptor = held ?? -1
    let owner = "\(getpid()) \(time(nil)) \(Self.hostName)\n"
    // For people only: the lock itself holds whether or not this can be written.
    _ = ftruncate(descriptor, 0)
    _ = unsafe owner.utf8.withContiguousStorageIfAvailable {
      unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0)
    }
  }

  private static func lock(_ path: String, of journal: String) throws(JournalError) -> Int32 {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .cannotOpen(path: path, reason: reason(errno))
    }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      let owner = readOwner(descriptor)
      close(descriptor)
      guard code == EWOULDBLOCK else {
        throw .cannotOpen(path: path, reason: reason(code))
      }
      throw .busy(path: journal, owner: owner ?? JournalOwner(pid: 0, host: "?", since: 0))
    }
    return descriptor
  }

  /// False once its file was removed or replaced: others may take a lock of that name then.
  var isInPlace: Bool { FileIdentity(descriptor) == FileIdentity(path: path) }

  deinit {
    // A child of this process shares the descriptor between fork and exec, and would keep the lock.
    _ = flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Who runs a journal now; nil where nobody does.
  static func owner(of journal: String) -> JournalOwner? {
    let descriptor = unsafe open(journal + ".lock", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return nil }
    return readOwner(descriptor)
  }

  private static func readOwner(_ descriptor: Int32) -> JournalOwner? {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count == 3, let pid = Int32(parts[0]), let since = Int64(parts[1]) else {
      return nil
    }
    return JournalOwner(pid: pid, host: String(parts[2]), since: since)
  }

  static var hostName: String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "?" }
    return String(
      decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func reason(_ code: Int32) -> String {
    unsafe String(cString: strerror(code))
  }
}

/// Which file it is, whatever it is called.
struct FileIdentity: Equatable {
  private var device: UInt64
  private var inode: UInt64

  /// Nil where there is no file.
  init?(path: String) {
    var found = stat()
    guard unsafe stat(path, &found) == 0 else { return nil }
    self.init(found)
  }

  init?(_ descriptor: Int32) {
    var found = stat()
    guard unsafe fstat(descriptor, &found) == 0 else { return nil }
    self.init(found)
  }

  private init(_ found: stat) {
    device = UInt64(truncatingIfNeeded: found.st_dev)
    inode = UInt64(truncatingIfNeeded: found.st_ino)
  }
}
