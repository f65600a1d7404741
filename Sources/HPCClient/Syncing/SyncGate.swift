import Synchronization

/// Which paths of a home are being synced, and which way: keeps opposite syncs of overlapping paths
/// apart, in the order in which they were asked for.
///
/// Two of the same direction go side by side; each is its own request to the service, so that
/// nobody relies on a sync that was posted before.
public final class SyncGate: Sendable {
  /// What a path is used for.
  public enum Use: String, Sendable, Hashable {
    case fromOnline
    case toOnline
    /// Both ways, one after the other.
    case both

    init(_ direction: SyncDirection) {
      self = direction == .fromOnline ? .fromOnline : .toOnline
    }

    func opposes(_ other: Use) -> Bool { self != other || self == .both }
  }

  /// A place in the line, then the use itself.
  struct Ticket: Sendable, Hashable {
    fileprivate let number: Int
  }

  /// What a ticket waits for.
  enum Obstacle: Sendable, Hashable {
    /// A sync whose end nobody here may be waiting for.
    case sync(SyncID)
    /// Work of this process.
    case work
  }

  private struct Entry {
    var path: HomePath
    var use: Use
    var isActive = false
    /// Set where the use ends with this sync, and not with a call of ``leave(_:)``.
    var sync: SyncID?
    var postedAt: Duration = .zero
    /// What other programs see of it.
    var note: SyncNote?
    var left: (any LeftSyncNote)?
  }

  private struct State {
    var next = 0
    var entries: [Int: Entry] = [:]
  }

  private let state = Mutex(State())

  /// A sync that has been waiting for so long is given up (`exactly-once.md`, start).
  static let patience = Duration.seconds(3600)

  /// Queues for a path.
  func queue(_ path: HomePath, _ use: Use) -> Ticket {
    state.withLock { state in
      state.next += 1
      state.entries[state.next] = Entry(path: path, use: use)
      return Ticket(number: state.next)
    }
  }

  /// What stands before a ticket; nil when its turn has come, and then it has the path.
  ///
  /// - Parameters:
  ///   - ticket: who asks.
  ///   - oldest: syncs posted before are not counted any more.
  func obstacle(_ ticket: Ticket, oldest: Duration) -> Obstacle? {
    state.withLock { state in
      guard let mine = state.entries[ticket.number] else { return nil }
      state.entries = state.entries.filter { $1.sync == nil || $1.postedAt >= oldest }
      let before = state.entries.filter { number, entry in
        number != ticket.number && entry.path.overlaps(mine.path) && entry.use.opposes(mine.use)
          && (entry.isActive || number < ticket.number)
      }
      if let first = before.min(by: { $0.key < $1.key })?.value {
        return first.sync.map { .sync($0) } ?? .work
      }
      state.entries[ticket.number]?.isActive = true
      return nil
    }
  }

  /// The use goes on until this sync is over, whoever learns of it.
  func posted(_ ticket: Ticket, _ sync: SyncID, at now: Duration) async {
    state.withLock { state in
      state.entries[ticket.number]?.sync = sync
      state.entries[ticket.number]?.postedAt = now
      state.entries[ticket.number]?.note?.isClaim = false
    }
    await tell(ticket, sync, last: true)
  }

  /// Other programs see this of a use, until it ends.
  func keep(_ left: any LeftSyncNote, _ note: SyncNote, for ticket: Ticket) {
    state.withLock { state in
      state.entries[ticket.number]?.left = left
      state.entries[ticket.number]?.note = note
    }
  }

  /// Tells other programs of a sync that runs within a use.
  func tell(_ ticket: Ticket, _ sync: SyncID, last: Bool = false) async {
    let entry = state.withLock { $0.entries[ticket.number] }
    guard var note = entry?.note else { return }
    note.sync = sync
    await entry?.left?.write(note.text, last: last)
  }

  /// Ends a use, or a wait for it; one that goes on until a sync is over goes on.
  func leave(_ ticket: Ticket) {
    state.withLock { state in
      guard state.entries[ticket.number]?.sync == nil else { return }
      state.entries[ticket.number] = nil
    }
  }

  /// A sync was seen to be over.
  func ended(_ sync: SyncID) {
    state.withLock { state in state.entries = state.entries.filter { $1.sync != sync } }
  }
}

/// The gates of a process, one per endpoint and account.
public final class SyncGateRegistry: Sendable {
  /// The one of this process.
  public static let shared = SyncGateRegistry()

  private let gates = Mutex<[[String]: SyncGate]>([:])

  public init() {}

  func gate(endpoint: String, accessKeyID: String) -> SyncGate {
    gates.withLock { gates in
      if let gate = gates[[endpoint, accessKeyID]] { return gate }
      let gate = SyncGate()
      gates[[endpoint, accessKeyID]] = gate
      return gate
    }
  }
}
