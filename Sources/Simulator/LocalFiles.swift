import CMicrohttpd
import Glibc

/// A call of the system that failed on a file.
struct FileFailure: Error, Sendable, Hashable, CustomStringConvertible {
  var call: String
  var path: String
  var code: Int32

  var description: String {
    let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    return "\(call) \(path): \(text)"
  }
}

/// Files of this computer by whole paths; every descriptor is closed at exec.
enum LocalFiles {
  /// Makes a folder and those above it; one that exists is fine.
  static func makeFolder(_ path: String, mode: mode_t = 0o755) throws(FileFailure) {
    if unsafe mkdir(path, mode) == 0 { return }
    let code = errno
    if code == EEXIST, kind(path) == .folder { return }
    guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw FileFailure(call: "mkdir", path: path, code: code)
    }
    try makeFolder(String(path[..<slash]))
    guard unsafe mkdir(path, mode) == 0 || errno == EEXIST else {
      throw FileFailure(call: "mkdir", path: path, code: errno)
    }
  }

  /// What a path is; links are not followed.
  enum Kind: Sendable, Hashable { case file, folder, other }

  static func kind(_ path: String) -> Kind? {
    var information = stat()
    guard unsafe lstat(path, &information) == 0 else { return nil }
    return switch information.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    default: .other
    }
  }

  /// A descriptor that closes itself.
  struct Descriptor: ~Copyable {
    let number: Int32

    init(_ path: String, _ flags: Int32, mode: mode_t = 0o644) throws(FileFailure) {
      var number = unsafe open(path, flags | O_CLOEXEC, mode)
      guard number >= 0 else { throw FileFailure(call: "open", path: path, code: errno) }
      if number < 3 {
        // The host runs without standard streams: theirs are no numbers to hand to a child.
        let higher = fcntl(number, F_DUPFD_CLOEXEC, 3)
        _ = close(number)
        guard higher >= 0 else { throw FileFailure(call: "dup", path: path, code: errno) }
        number = higher
      }
      self.number = number
    }

    /// Takes over an open descriptor.
    init(adopting number: Int32) {
      self.number = number
    }

    deinit { _ = close(number) }

    /// Gives the descriptor away, open.
    consuming func release() -> Int32 {
      let number = number
      discard self
      return number
    }

    /// Writes all of it.
    func writeAll(_ bytes: [UInt8], path: String) throws(FileFailure) {
      let code = unsafe bytes.withUnsafeBytes { unsafe writeAll($0) }
      guard code == 0 else { throw FileFailure(call: "write", path: path, code: code) }
    }

    /// Writes all of it; 0 or the error's number.
    func writeAll(_ bytes: UnsafeRawBufferPointer) -> Int32 {
      var done = 0
      while done < bytes.count {
        let count = unsafe write(
          number, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        done += count
      }
      return 0
    }

    /// Takes over `length` bytes of another file from where that one stands.
    func copy(
      from source: borrowing Descriptor, length: UInt64, path: String
    ) throws(FileFailure) {
      var left = length
      while left > 0 {
        let count = sendfile(number, source.number, nil, Int(min(left, 1 << 30)))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          throw FileFailure(call: "copy", path: path, code: count == 0 ? EIO : errno)
        }
        left -= UInt64(count)
      }
    }

    /// Reads up to the size of the buffer; 0 at the end of the file.
    func read(into buffer: inout [UInt8], path: String) throws(FileFailure) -> Int {
      while true {
        let (count, code) = unsafe buffer.withUnsafeMutableBytes { bytes in
          let count = unsafe Glibc.read(number, bytes.baseAddress, bytes.count)
          return (count, errno)
        }
        if count >= 0 { return count }
        guard code == EINTR else { throw FileFailure(call: "read", path: path, code: code) }
      }
    }
  }

  /// A whole file of at most `limit` bytes.
  static func read(_ path: String, limit: Int = 64 << 20) throws(FileFailure) -> [UInt8] {
    let file = try Descriptor(path, O_RDONLY | O_NONBLOCK)
    var information = stat()
    guard unsafe fstat(file.number, &information) == 0, information.st_mode & S_IFMT == S_IFREG
    else { throw FileFailure(call: "read", path: path, code: EISDIR) }
    guard information.st_size <= limit else {
      throw FileFailure(call: "read", path: path, code: EFBIG)
    }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: max(4_096, min(1 << 16, Int(information.st_size) + 1)))
    while true {
      let count = try file.read(into: &chunk, path: path)
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else { throw FileFailure(call: "read", path: path, code: EFBIG) }
    }
  }

  /// Writes to a temporary name beside it, then renames.
  static func replace(
    _ path: String, with bytes: [UInt8], mode: mode_t = 0o644
  ) throws(FileFailure) {
    let temporary = path + ".new"
    do {
      let file = try Descriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
      try file.writeAll(bytes, path: temporary)
    }
    guard unsafe rename(temporary, path) == 0 else {
      throw FileFailure(call: "rename", path: path, code: errno)
    }
  }

  /// Names in a folder, without `.` and `..`, sorted by their bytes; none where it is missing.
  static func names(in folder: String) throws(FileFailure) -> [String] {
    guard let stream = unsafe opendir(folder) else {
      if errno == ENOENT { return [] }
      throw FileFailure(call: "opendir", path: folder, code: errno)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Removes a file, or a folder with all that is in it; links are removed, not followed.
  static func removeTree(_ path: String) {
    if kind(path) == .folder {
      for name in (try? names(in: path)) ?? [] { removeTree(path + "/" + name) }
      _ = unsafe rmdir(path)
    } else {
      _ = unsafe unlink(path)
    }
  }

  /// The path with every link resolved; nil where it does not exist.
  static func resolve(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }
}
