import Glibc

/// The user's own directory of lock files, opened once it is known to be safe.
///
/// Always `/tmp/hpc-$UID`: cron jobs and ssh sessions differ in XDG_RUNTIME_DIR and must meet here.
final class LockDirectory: Sendable {
  /// Why the directory cannot be used.
  enum Problem: Error, Equatable, CustomStringConvertible {
    case create(path: String, errno: Int32)
    case notDirectory(path: String)
    case foreign(path: String, owner: UInt32)
    case open(path: String, mode: UInt32)
    case access(path: String, errno: Int32)

    var description: String {
      switch self {
      case .create(let path, let errno): "\(path) cannot be made (\(reason(errno)))"
      case .notDirectory(let path): "\(path) is no directory: remove it"
      case .foreign(let path, let owner): "\(path) belongs to user \(owner): have it removed"
      case .open(let path, let mode):
        "\(path) has mode \(String(mode, radix: 8)): chmod 700 it"
      case .access(let path, let errno): "\(path) cannot be used (\(reason(errno)))"
      }
    }

    private func reason(_ errno: Int32) -> String { unsafe String(cString: strerror(errno)) }
  }

  static var standardPath: String { "/tmp/hpc-\(geteuid())" }

  let path: String
  let descriptor: Int32

  /// Makes the directory where it is missing, and looks at it without following links.
  init(path: String = standardPath) throws(Problem) {
    if unsafe mkdir(path, 0o700) != 0 && errno != EEXIST {
      throw .create(path: path, errno: errno)
    }
    var named = stat()
    guard unsafe lstat(path, &named) == 0 else { throw .access(path: path, errno: errno) }
    guard named.st_mode & S_IFMT == S_IFDIR else { throw .notDirectory(path: path) }
    guard named.st_uid == geteuid() else { throw .foreign(path: path, owner: named.st_uid) }
    guard named.st_mode & 0o777 == 0o700 else {
      throw .open(path: path, mode: named.st_mode & 0o777)
    }
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw .access(path: path, errno: errno) }
    // What was opened must be what was looked at.
    var opened = stat()
    guard unsafe fstat(descriptor, &opened) == 0, opened.st_dev == named.st_dev,
      opened.st_ino == named.st_ino
    else {
      close(descriptor)
      throw .access(path: path, errno: ESTALE)
    }
    // What clears /tmp of old files leaves a locked directory and all in it (tmpfiles.d(5)): a sweep
    // may run for weeks.
    _ = flock(descriptor, LOCK_SH | LOCK_NB)
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
