import Glibc

/// An open folder into which files are fetched. Working from its descriptor, what others rename or
/// link meanwhile cannot lead out of it.
final class TargetFolder: Sendable {
  /// For messages.
  let path: String
  let descriptor: Int32

  /// Opens a folder that the user named, symbolic links followed; makes it, and what leads to it,
  /// where it is missing.
  init(path: String) throws(LocalFileFailure) {
    try Self.make(path)
    self.path = path
    descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOTDIR { throw .notFolder(path: path) }
      throw .system(call: "open", path: path, errno: errno)
    }
  }

  /// Opens a folder inside another one, made where it is missing; symbolic links are refused.
  init(_ name: String, in parent: TargetFolder) throws(LocalFileFailure) {
    path = "\(parent.path)/\(name)"
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    var opened = unsafe openat(parent.descriptor, name, flags)
    if opened < 0, errno == ENOENT {
      guard unsafe mkdirat(parent.descriptor, name, 0o777) == 0 || errno == EEXIST else {
        throw .system(call: "create", path: path, errno: errno)
      }
      opened = unsafe openat(parent.descriptor, name, flags)
    }
    descriptor = opened
    guard opened >= 0 else {
      let code = errno
      switch parent.kind(of: name) {
      case S_IFLNK: throw .symbolicLink(path: path)
      case S_IFDIR, 0: throw .system(call: "open", path: path, errno: code)
      default: throw .notFolder(path: path)
      }
    }
  }

  deinit {
    close(descriptor)
  }

  /// The folder at the end of a chain of folders.
  func descend(_ names: ArraySlice<String>) throws(LocalFileFailure) -> TargetFolder {
    var folder = self
    for name in names { folder = try TargetFolder(name, in: folder) }
    return folder
  }

  /// The kind of an entry (`S_IFMT`), a symbolic link for itself; 0 where there is none.
  func kind(of name: String) -> mode_t {
    status(of: name).map { $0.st_mode & S_IFMT } ?? 0
  }

  /// What the system says about an entry, a symbolic link for itself.
  func status(of name: String) -> stat? {
    var status = stat()
    return unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
  }

  private static func make(_ path: String) throws(LocalFileFailure) {
    if unsafe mkdir(path, 0o777) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let parent = parent(of: path) else {
      throw .system(call: "create", path: path, errno: errno)
    }
    try make(parent)
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .system(call: "create", path: path, errno: errno)
    }
  }

  /// What leads to the last part of a path; nil where nothing does.
  static func parent(of path: String) -> String? {
    var bytes = Array(path.utf8)[...]
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    let parent = String(decoding: bytes[..<slash], as: UTF8.self)
    return parent.isEmpty ? nil : parent
  }
}

/// The place of a file that is being fetched.
struct TargetFile: Sendable {
  let folder: TargetFolder
  let name: String

  var path: String { folder.path == "/" ? "/\(name)" : "\(folder.path)/\(name)" }

  init(folder: TargetFolder, name: String) {
    self.folder = folder
    self.name = name
  }

  /// A file that the user named. Where that is a symbolic link, the file behind it is meant; the
  /// folders that lead to it are made.
  init(path: String) throws(LocalFileFailure) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw .system(call: "create", path: path, errno: ENOENT)
    }
    guard path.utf8.last != UInt8(ascii: "/") else { throw .isFolder(path: path) }
    var place = path
    var status = stat()
    if unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
      guard let resolved = unsafe realpath(path, nil) else {
        throw .system(call: "follow", path: path, errno: errno)
      }
      defer { unsafe free(resolved) }
      place = unsafe String(cString: resolved)
    }
    let bytes = Array(place.utf8)
    let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
    let name = slash.map { String(decoding: bytes[($0 + 1)...], as: UTF8.self) } ?? place
    guard name != ".", name != ".." else { throw .isFolder(path: path) }
    let parent = slash.map { $0 == 0 ? "/" : String(decoding: bytes[..<$0], as: UTF8.self) } ?? "."
    self.init(folder: try TargetFolder(path: parent), name: name)
    try check()
  }

  /// Refuses a place where something else than a file is.
  func check() throws(LocalFileFailure) {
    switch folder.kind(of: name) {
    case 0, S_IFREG: break
    case S_IFDIR: throw .isFolder(path: path)
    case S_IFLNK: throw .symbolicLink(path: path)
    default: throw .notRegular(path: path)
    }
  }
}
