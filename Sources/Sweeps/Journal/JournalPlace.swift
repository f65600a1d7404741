#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where the file of a journal really is, and how it comes to be there: whole, or not at all.
enum JournalPlace {
  /// The path without symbolic links, also of a file that is not there yet.
  static func resolved(_ path: String) -> String {
    var path = path
    for _ in 0..<40 {
      if let real = real(path) { return real }
      guard let target = target(path) else { break }
      path = target.hasPrefix("/") ? target : "\(folder(of: path))/\(target)"
    }
    guard let folder = real(folder(of: path)) else { return path }
    return (folder == "/" ? "" : folder) + "/" + (path.split(separator: "/").last ?? "")
  }

  /// True where there is nothing, or an empty file: SQLite makes one before it writes anything.
  static func isBlank(_ path: String) -> Bool {
    var found = stat()
    guard unsafe stat(path, &found) == 0 else { return errno == ENOENT }
    return found.st_mode & S_IFMT == S_IFREG && found.st_size == 0
  }

  /// Makes a file under another name, and gives it its own in one step.
  static func create(
    _ path: String, _ make: (String) throws(JournalError) -> Void
  ) throws(JournalError) {
    let temporary = path + ".creating"
    // What a killed process has left; the lock is held. A rollback journal of a file that is no
    // longer there would be played back into the new one.
    for leftover in [temporary, temporary + "-journal", path + "-journal"] {
      _ = unsafe unlink(leftover)
    }
    do throws(JournalError) {
      try make(temporary)
      guard unsafe rename(temporary, path) == 0 else {
        throw .cannotOpen(path: path, reason: unsafe String(cString: strerror(errno)))
      }
    } catch {
      for leftover in [temporary, temporary + "-journal"] { _ = unsafe unlink(leftover) }
      throw error
    }
    let folder = unsafe open(folder(of: path), O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      _ = fsync(folder)
      close(folder)
    }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func real(_ path: String) -> String? {
    guard let found = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }

  /// What a symbolic link says; nil for what is none.
  private static func target(_ path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
