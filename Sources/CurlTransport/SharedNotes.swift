import Glibc
import Synchronization

/// Notes that the programs of a user leave for each other in the lock directory, a file each, locked
/// while its program lives and keeps it.
public final class SharedNotes: Sendable {
  /// What is to be done about a note of another program.
  public enum Verdict: Sendable {
    case ignore
    /// It is of no use to anybody.
    case remove
    /// It stands in the way.
    case block
  }

  /// What became of a note.
  public enum Outcome: Sendable {
    case left(Kept)
    /// Another one stands in the way; whether its program still keeps it.
    case blocked(by: String, isKept: Bool)
    /// Another program is looking at this moment.
    case busy
    /// The directory cannot be used.
    case unavailable
  }

  /// A note of this program; goes when this does.
  public final class Kept: Sendable {
    private let notes: SharedNotes
    private let name: String
    private let descriptor: Mutex<Int32>

    fileprivate init(_ notes: SharedNotes, _ name: String, _ descriptor: Int32) {
      self.notes = notes
      self.name = name
      self.descriptor = Mutex(descriptor)
    }

    /// Replaces the text.
    ///
    /// - Parameter last: the text tells all: it stays when this program ends, and takes no descriptor.
    public func write(_ text: String, last: Bool) {
      descriptor.withLock { descriptor in
        guard descriptor >= 0 else { return }
        SharedNotes.write(text, to: descriptor)
        guard last else { return }
        close(descriptor)
        descriptor = -1
      }
    }

    deinit {
      notes.remove(name)
      descriptor.withLock { if $0 >= 0 { _ = close($0) } }
    }
  }

  /// Notes whose program has gone are removed when they are so many seconds old.
  private static let oldest = 3600

  private let directory: LockDirectory
  private let prefix: String
  private let state = Mutex<(next: Int, own: Set<String>)>((0, []))

  /// - Parameters:
  ///   - group: programs of one group see each other's notes; letters, digits and hyphens.
  ///   - path: the directory; the user's own where it is nil.
  /// - Returns: nil where the directory cannot be used.
  public init?(group: String, path: String? = nil) {
    guard let directory = try? LockDirectory(path: path ?? LockDirectory.standardPath) else {
      return nil
    }
    self.directory = directory
    prefix = "note-\(group)-"
  }

  /// Leaves a note unless one of another program stands in the way: no two programs look at a time.
  public func leave(_ text: String, judge: (_ text: String, _ isKept: Bool) -> Verdict) -> Outcome {
    let line = LockFile("notes-lock", in: directory)
    switch line.lock(LOCK_EX) {
    case .locked: break
    case .busy: return .busy
    case .failed: return .unavailable
    }
    defer { line.unlock() }
    guard let names = names() else { return .unavailable }
    let own = state.withLock { $0.own }
    for name in names where !own.contains(name) {
      if let obstacle = look(at: name, judge) { return obstacle }
    }
    return make(text)
  }

  private func look(
    at name: String, _ judge: (_ text: String, _ isKept: Bool) -> Verdict
  ) -> Outcome? {
    let descriptor = unsafe openat(directory.descriptor, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let isKept = flock(descriptor, LOCK_SH | LOCK_NB) != 0
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    if !isKept, time(nil) - status.st_mtim.tv_sec > Self.oldest {
      unsafe unlinkat(directory.descriptor, name, 0)
      return nil
    }
    guard name.hasPrefix(prefix) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    switch judge(text, isKept) {
    case .ignore: return nil
    case .remove:
      unsafe unlinkat(directory.descriptor, name, 0)
      return nil
    case .block: return .blocked(by: text, isKept: isKept)
    }
  }

  private func make(_ text: String) -> Outcome {
    let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    // A program of another process namespace may have the same number.
    for _ in 0..<1000 {
      let name = state.withLock { state -> String in
        state.next += 1
        return "\(prefix)\(getpid())-\(state.next)"
      }
      let descriptor = unsafe openat(directory.descriptor, name, flags, 0o600)
      if descriptor < 0, errno == EEXIST { continue }
      guard descriptor >= 0 else { return .unavailable }
      flock(descriptor, LOCK_EX | LOCK_NB)
      Self.write(text, to: descriptor)
      state.withLock { _ = $0.own.insert(name) }
      return .left(Kept(self, name, descriptor))
    }
    return .unavailable
  }

  private func remove(_ name: String) {
    unsafe unlinkat(directory.descriptor, name, 0)
    state.withLock { _ = $0.own.remove(name) }
  }

  private static func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    // What cannot be written leaves a note that says nothing, and keeps others waiting while it is kept.
    _ = unsafe pwrite(descriptor, bytes, bytes.count, 0)
    _ = ftruncate(descriptor, bytes.count)
  }

  private func names() -> [String]? {
    let descriptor = unsafe openat(
      directory.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    guard let stream = unsafe fdopendir(descriptor) else {
      close(descriptor)
      return nil
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name.hasPrefix("note-") { names.append(name) }
    }
    return names
  }
}
