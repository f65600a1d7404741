import Glibc

/// Slots of all processes of the user: one lock file each, keyed by endpoint (design §4).
///
/// Containers and other hosts have another `/tmp` and are invisible here.
final class SharedSlots: SlotSource {
  private let files: [LockFile]
  /// Shared, and marked with the highest slot that would do, by those who wait: a process with a
  /// lower limit uses the first slots alone, and is served by no others.
  private let want: LockFile
  private let turn: LockFile
  private let line: WaitingLine
  /// Tells our own traces in the files from those of others.
  private let mark: String
  /// Where the search starts: the slot taken last, so that processes settle on different ones.
  private var preferred: Int
  private var waits = false
  private let removesFiles: Bool
  private let onFailure: (Int32) -> Void

  var isShared: Bool { true }

  /// - Parameters:
  ///   - directory: where the lock files are.
  ///   - origin: the endpoint that the slots belong to.
  ///   - limit: how many slots there are.
  ///   - removesFiles: whether the files go at the end: an endpoint on loopback lives as long as a
  ///     simulator does.
  ///   - onFirst: called from another thread when this process is the first in line.
  ///   - onFailure: called when lock files fail otherwise than by being locked: errno.
  init(
    _ directory: LockDirectory, origin: String, limit: Int, removesFiles: Bool,
    onFirst: @escaping @Sendable () -> Void, onFailure: @escaping (Int32) -> Void
  ) {
    let key = Self.key(origin)
    files = (0..<limit).map { LockFile("\(key).\($0)", in: directory) }
    want = LockFile("\(key).want", in: directory)
    // A line for each limit: the first of one must not keep slots from that of another.
    let turnName = "\(key).turn\(limit)"
    turn = LockFile(turnName, in: directory)
    line = WaitingLine(turnName, in: directory, onFirst: onFirst)
    mark = "\(getpid()) \(String(UInt64.random(in: .min ... .max), radix: 16))\n"
    preferred = Int.random(in: 0..<limit)
    self.removesFiles = removesFiles
    self.onFailure = onFailure
  }

  func take(inTurn: Bool) -> (slot: Int, rests: Bool)? {
    if inTurn && waits { showWant() }
    for step in files.indices {
      let slot = (preferred + step) % files.count
      let file = files[slot]
      guard !file.isLocked else { continue }
      switch file.lock(LOCK_EX) {
      case .busy: continue
      case .failed(let errno):
        onFailure(errno)
        return nil
      case .locked where !inTurn && isWanted(slot): file.unlock()
      case .locked:
        preferred = slot
        let isOurs = file.text == mark
        if !isOurs { file.text = mark }
        return (slot, !isOurs)
      }
    }
    return nil
  }

  func giveBack(_ slot: Int) { files[slot].unlock() }

  func isWanted(_ slot: Int) -> Bool {
    guard want.hasMark(slot..<Int.max) else { return false }
    // Whoever could use a slot that is free already needs no other: one that leaves it is stopped.
    guard let free = files.indices.first(where: isFree) else { return true }
    return want.hasMark(slot..<max(slot, free))
  }

  private func isFree(_ slot: Int) -> Bool {
    let file = files[slot]
    guard !file.isLocked, file.lock(LOCK_EX) == .locked else { return false }
    file.unlock()
    return true
  }

  func joinLine() {
    waits = true
    showWant()
    line.join()
  }

  func leaveLine() {
    waits = false
    line.leave()
    want.unlock()
  }

  func end() {
    if removesFiles { for file in files + [want, turn] { file.remove() } }
  }

  /// Shares the lock on `want`; who removes the file holds it for microseconds.
  private func showWant() {
    for _ in 0..<100 where !want.isLocked {
      switch want.lock(LOCK_SH) {
      case .locked: want.mark(files.count - 1)
      case .busy: sched_yield()
      case .failed: return
      }
    }
  }

  /// A file name for an origin: readable, and different for different origins.
  static func key(_ origin: String) -> String {
    let readable = origin.utf8.prefix(80).map { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e: byte
      default: UInt8(ascii: "_")
      }
    }
    // FNV-1a, 64 bits: what is cut off or replaced still counts.
    let hash = origin.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(decoding: readable, as: UTF8.self) + "-" + String(hash, radix: 16)
  }
}
