import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The few calls of the system that sweeps need for files of this computer.
enum LocalFile {
  /// A call that failed.
  struct Failure: Error, Sendable, CustomStringConvertible {
    var call: String
    var path: String
    var code: Int32

    var description: String {
      code == ENOENT
        ? "\"\(path)\" does not exist"
        : "cannot \(call) \"\(path)\": \(unsafe String(cString: strerror(code)))"
    }
  }

  /// What is to be known of a file.
  struct Status: Sendable, Hashable {
    var isFolder: Bool
    var isRegular: Bool
    var isExecutable: Bool
    var size: Int64
  }

  static func status(_ path: String) throws(Failure) -> Status {
    var found = stat()
    guard unsafe stat(path, &found) == 0 else {
      throw Failure(call: "read", path: path, code: errno)
    }
    return Status(
      isFolder: found.st_mode & S_IFMT == S_IFDIR, isRegular: found.st_mode & S_IFMT == S_IFREG,
      isExecutable: found.st_mode & S_IXUSR != 0, size: Int64(found.st_size))
  }

  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Makes a folder and what leads to it.
  static func makeFolder(_ path: String) throws(Failure) {
    if unsafe mkdir(path, 0o777) == 0 || errno == EEXIST { return }
    let code = errno
    guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw Failure(call: "create", path: path, code: code)
    }
    try makeFolder(String(path[..<slash]))
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw Failure(call: "create", path: path, code: errno)
    }
  }

  static func move(_ path: String, to target: String) throws(Failure) {
    guard unsafe rename(path, target) == 0 else {
      throw Failure(call: "rename", path: path, code: errno)
    }
  }

  static func remove(_ path: String) throws(Failure) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw Failure(call: "remove", path: path, code: errno)
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Failure(call: "create", path: path, code: errno) }
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Self.write(descriptor, UnsafeRawBufferPointer(rebasing: buffer[written...]))
      }
      guard count > 0 else { throw Failure(call: "write", path: path, code: errno) }
      written += count
    }
  }

  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      unsafe Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      unsafe Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }
}

/// Folders with what is in them.
enum LocalFileTree {
  /// Removes a folder, or file, that may not be there.
  static func remove(_ path: String) throws(LocalFile.Failure) {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      guard LocalFile.exists(path) else { return }
      throw LocalFile.Failure(call: "remove", path: path, code: EIO)
    }
  }
}
