/// The user's other programs on this computer, as far as syncs are concerned: each leaves a note of
/// what it syncs, and looks at those of the others before (design §1: this module knows no files).
///
/// Where notes are files, they are written beside the threads that tasks share.
public protocol SyncNeighbours: Sendable {
  /// Leaves a note unless one of another program stands in the way, in one step.
  func leave(
    _ text: String,
    judge: @escaping @Sendable (_ text: String, _ isKept: Bool) -> SyncNote.Verdict
  ) async -> SyncNote.Outcome
}

/// A note of this program, which goes when it is let go.
public protocol LeftSyncNote: Sendable {
  /// Replaces the text; the last one tells all, whether this program lives or not.
  func write(_ text: String, last: Bool) async
}

/// What a program says of a sync, in a line: `claim|sync use id|- path`.
public struct SyncNote: Sendable, Hashable {
  /// What is to be done about a note of another program.
  public enum Verdict: Sendable { case ignore, remove, block }

  /// What became of one's own.
  public enum Outcome: Sendable {
    case left(any LeftSyncNote)
    /// Another one stands in the way.
    case blocked(by: String, isKept: Bool)
    /// Another program is looking at this moment.
    case busy
    /// There is no place for notes.
    case unavailable
  }

  var path: HomePath
  var use: SyncGate.Use
  /// Whether the path is used until its program says so, and not only until the sync is over.
  var isClaim: Bool
  var sync: SyncID?

  init(path: HomePath, use: SyncGate.Use, isClaim: Bool) {
    self.path = path
    self.use = use
    self.isClaim = isClaim
  }

  init?(_ text: String) {
    let parts = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let use = SyncGate.Use(rawValue: String(parts[1])),
      let path = try? HomePath(String(parts[3]))
    else { return nil }
    self.init(path: path, use: use, isClaim: parts[0] == "claim")
    sync = Int64(parts[2]).map { SyncID($0) }
  }

  var text: String {
    "\(isClaim ? "claim" : "sync") \(use.rawValue) \(sync.map { "\($0)" } ?? "-") \(path)"
  }

  /// What another program's note means for this one.
  ///
  /// - Parameters:
  ///   - text: the note.
  ///   - isKept: whether its program lives and keeps it.
  ///   - over: syncs that are known to have ended.
  func judge(_ text: String, isKept: Bool, over: Set<SyncID>) -> Verdict {
    // It may be half written.
    guard let other = SyncNote(text) else { return isKept ? .block : .remove }
    guard other.path.overlaps(path), other.use.opposes(use) else { return .ignore }
    if isKept, other.isClaim || other.sync == nil { return .block }
    // Whoever died before it knew a number has posted nothing, but for a moment.
    guard let sync = other.sync, !over.contains(sync) else { return .remove }
    return .block
  }
}
