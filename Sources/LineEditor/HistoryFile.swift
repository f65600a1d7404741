import Glibc

/// Forms that were run, kept between sessions in a file that several sessions append to at once.
///
/// One line an entry; `\n` and `\\` stand for a newline and a backslash within one.
public struct HistoryFile {
  /// What could not be done, for one warning.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  private let path: String
  private let limit: Int

  /// - Parameters:
  ///   - path: the file; its folder is made on the first use.
  ///   - limit: entries that a session starts with; the file is shortened when it holds twice that.
  public init(path: String, limit: Int = 10_000) {
    self.path = path
    self.limit = limit
  }

  /// Reads the entries, oldest first; shortens a file that has grown too long.
  public func load() throws(Failure) -> [[UInt8]] {
    let descriptor = try openLocked(create: false)
    guard descriptor >= 0 else { return [] }
    defer { _ = Glibc.close(descriptor) }
    let entries = Self.decode(try readAll(descriptor))
    guard entries.count > 2 * limit else { return entries }
    let kept = Array(entries.suffix(limit))
    try replace(with: kept.flatMap(Self.encode))
    return kept
  }

  /// Appends an entry, durably against the death of this process.
  public func append(_ entry: [UInt8]) throws(Failure) {
    let descriptor = try openLocked(create: true)
    defer { _ = Glibc.close(descriptor) }
    var bytes = Self.encode(entry)
    // A session that died while it wrote may have left half a line.
    var last: UInt8 = 0x0a
    let end = lseek(descriptor, 0, SEEK_END)
    if end > 0 { _ = unsafe pread(descriptor, &last, 1, end - 1) }
    if last != 0x0a { bytes.insert(0x0a, at: 0) }
    try write(bytes, to: descriptor)
  }

  /// One entry as it stands in the file, its newline included.
  static func encode(_ entry: [UInt8]) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(entry.count + 1)
    for byte in entry {
      switch byte {
      case 0x0a: line += [0x5c, 0x6e]
      case 0x5c: line += [0x5c, 0x5c]
      default: line.append(byte)
      }
    }
    line.append(0x0a)
    return line
  }

  /// The entries of a file; what stands after the last newline counts too.
  static func decode(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.split(separator: 0x0a).map { line in
      var entry: [UInt8] = []
      var isEscaped = false
      for byte in line {
        if isEscaped {
          entry.append(byte == 0x6e ? 0x0a : byte)
          isEscaped = false
        } else if byte == 0x5c {
          isEscaped = true
        } else {
          entry.append(byte)
        }
      }
      return entry
    }
  }

  /// Opens and locks the file that has the path at the end: another session may put a shorter one
  /// in its place while this one waits for the lock.
  private func openLocked(create: Bool) throws(Failure) -> Int32 {
    if create { makeFolder() }
    while true {
      let flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0)
      let descriptor = unsafe open(path, flags, 0o600)
      if descriptor < 0 {
        if !create, errno == ENOENT { return -1 }
        throw failure("open")
      }
      while flock(descriptor, LOCK_EX) != 0 {
        guard errno == EINTR else {
          let failure = failure("lock")
          _ = Glibc.close(descriptor)
          throw failure
        }
      }
      var opened = stat()
      var named = stat()
      if unsafe fstat(descriptor, &opened) == 0, unsafe stat(path, &named) == 0,
        opened.st_ino == named.st_ino, opened.st_dev == named.st_dev
      {
        guard opened.st_mode & S_IFMT == S_IFREG else {
          _ = Glibc.close(descriptor)
          throw Failure(description: "\(path) is no file")
        }
        if opened.st_mode & 0o077 != 0 { _ = fchmod(descriptor, 0o600) }
        return descriptor
      }
      _ = Glibc.close(descriptor)
    }
  }

  private func makeFolder() {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    for count in stride(from: 1, through: parts.count, by: 1) {
      let folder = parts.prefix(count).joined(separator: "/")
      if !folder.isEmpty { _ = unsafe mkdir(folder, 0o700) }
    }
  }

  private func replace(with bytes: [UInt8]) throws(Failure) {
    let temporary = "\(path).\(getpid())"
    let descriptor = unsafe open(
      temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("shorten") }
    defer { _ = Glibc.close(descriptor) }
    try write(bytes, to: descriptor)
    guard fsync(descriptor) == 0, unsafe rename(temporary, path) == 0 else {
      throw failure("shorten")
    }
  }

  private func readAll(_ descriptor: Int32) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("read") }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
    guard Descriptor.write(bytes, to: descriptor) else { throw failure("write") }
  }

  private func failure(_ what: String) -> Failure {
    Failure(description: "cannot \(what) \(path): \(unsafe String(cString: strerror(errno)))")
  }
}
