import Glibc
import SigV4
import Synchronization

/// A file that is being fetched, beside its final name until it is complete: a rename then puts it
/// there in one step, and kill -9 leaves no half file under that name.
///
/// Its own name follows from the final one, so that the next run finds it. It is locked: of two
/// downloads of one file at a time the second works under a name of its own.
final class PartialFile: Sendable {
  let target: TargetFile
  let descriptor: Int32
  /// Whether another run would find it.
  let isResumable: Bool
  private let name: String

  private static let lastMark = Atomic<Int>(0)
  private static let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK

  /// What messages name: nobody has heard of the file's own name.
  var path: String { target.path }

  /// Opens what an earlier run left, or an empty file.
  init(_ target: TargetFile) throws(LocalFileFailure) {
    self.target = target
    try target.check()
    let common = Self.name(target.name)
    if let descriptor = try Self.openLocked(common, target) {
      name = common
      isResumable = true
      self.descriptor = descriptor
    } else {
      let mark = Self.lastMark.wrappingAdd(1, ordering: .relaxed).newValue
      name = Self.name(target.name, mark: ".\(getpid())-\(mark)")
      isResumable = false
      descriptor = try Self.open(name, target, Self.flags | O_TRUNC)
    }
  }

  deinit {
    close(descriptor)
  }

  private static func name(_ name: String, mark: String = "") -> String {
    PartialName.of(
      name, digest: { String(SHA256.hexadecimal(of: Array($0.utf8)).prefix(40)) }, mark: mark)
  }

  /// The locked file of a name; nil where somebody else has locked it.
  private static func openLocked(
    _ name: String, _ target: TargetFile
  ) throws(LocalFileFailure) -> Int32? {
    while true {
      let descriptor = try open(name, target, flags)
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        close(descriptor)
        if code == EWOULDBLOCK { return nil }
        // File systems without locks: nobody else is to be expected.
        return try open(name, target, flags)
      }
      // Whoever had it locked may have renamed or removed it meanwhile.
      var mine = stat()
      if unsafe fstat(descriptor, &mine) == 0, let named = target.folder.status(of: name),
        mine.st_ino == named.st_ino, mine.st_dev == named.st_dev
      {
        return descriptor
      }
      close(descriptor)
    }
  }

  private static func open(
    _ name: String, _ target: TargetFile, _ flags: Int32
  ) throws(LocalFileFailure) -> Int32 {
    // What lies in its way has to be named.
    let path = "\(target.folder.path)/\(name)"
    let descriptor = unsafe openat(target.folder.descriptor, name, flags, 0o666)
    guard descriptor >= 0 else {
      if errno == ELOOP { throw .symbolicLink(path: path) }
      throw .system(call: "write", path: target.path, errno: errno)
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .notRegular(path: path)
    }
    return descriptor
  }

  /// A second descriptor with a position of its own.
  func openForWriting(at offset: Int64) throws(LocalFileFailure) -> Int32 {
    let descriptor = try Self.open(name, target, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
    guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else {
      let code = errno
      close(descriptor)
      throw .system(call: "write", path: path, errno: code)
    }
    return descriptor
  }

  /// Cuts the file, or makes it longer.
  func resize(to size: Int64) throws(LocalFileFailure) {
    guard ftruncate(descriptor, off_t(size)) == 0 else {
      throw .system(call: "write", path: path, errno: errno)
    }
  }

  /// What an earlier run left, if it left something that can be gone on with.
  func loadRecord() throws(LocalFileFailure) -> DownloadRecord? {
    var status = stat()
    guard isResumable, unsafe fstat(descriptor, &status) == 0 else { return nil }
    let size = Int64(status.st_size)
    let tail = Int64(DownloadRecord.tailLength)
    guard size > tail,
      let length = DownloadRecord.headerLength(tail: try read(offset: size - tail, length: tail)),
      size > tail + Int64(length)
    else { return nil }
    let header = try read(offset: size - tail - Int64(length), length: Int64(length))
    guard var record = DownloadRecord(header: header, fileSize: size) else { return nil }
    record.read(marks: try read(offset: record.size, length: Int64(record.isDone.count)))
    return record
  }

  /// Writes a record for a download that begins.
  func begin(_ record: DownloadRecord) throws(LocalFileFailure) {
    try FileBytes.write(record.trailer, to: descriptor, path: path, at: record.size)
  }

  /// Notes that a chunk is there.
  func mark(_ chunk: Int, of record: DownloadRecord) throws(LocalFileFailure) {
    try FileBytes.write(
      [DownloadRecord.mark], to: descriptor, path: path, at: record.markOffset(of: chunk))
  }

  /// Writes the whole content.
  func write(_ bytes: [UInt8]) throws(LocalFileFailure) {
    try resize(to: 0)
    try FileBytes.write(bytes, to: descriptor, path: path, at: 0)
  }

  /// Reads a part; the file must not end before it does.
  func read(
    offset: Int64, length: Int64, into use: (UnsafeRawBufferPointer) -> Void
  ) throws(LocalFileFailure) {
    let complete = unsafe try FileBytes.read(
      descriptor, path: path, offset: offset, length: length, chunkSize: 1 << 18, into: use)
    guard complete else { throw .changed(path: path) }
  }

  private func read(offset: Int64, length: Int64) throws(LocalFileFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    unsafe try read(offset: offset, length: length) { unsafe bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Gives the file its final name, in the place and with the permissions of what is there.
  ///
  /// - Parameters:
  ///   - size: bytes of the content; what is behind them goes.
  ///   - durable: whether file and name must survive a crash of the machine from now on.
  /// - Throws: what the system refused; the final name is as it was.
  func commit(size: Int64, durable: Bool) throws(LocalFileFailure) {
    try resize(to: size)
    try target.check()
    if let status = target.folder.status(of: target.name) {
      _ = fchmod(descriptor, status.st_mode & 0o777)
    }
    if durable, fsync(descriptor) != 0 { throw .system(call: "write", path: path, errno: errno) }
    let folder = target.folder.descriptor
    guard unsafe renameat(folder, name, folder, target.name) == 0 else {
      throw .system(call: "rename", path: path, errno: errno)
    }
    if durable, fsync(folder) != 0 {
      throw .system(call: "write", path: target.folder.path, errno: errno)
    }
  }

  /// Removes the file: nothing of it is of use.
  func discard() {
    _ = unsafe unlinkat(target.folder.descriptor, name, 0)
  }
}
