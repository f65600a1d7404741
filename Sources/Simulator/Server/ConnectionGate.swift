import Glibc
import Synchronization

/// One accepted connection.
final class ServerConnection: Sendable {
  let id: Int
  /// The peer is on this computer.
  let isLoopback: Bool
  private let gate: ConnectionGate

  init(id: Int, isLoopback: Bool, gate: ConnectionGate) {
    self.id = id
    self.isLoopback = isLoopback
    self.gate = gate
  }

  /// Whether the connection may ask: it is one of the allowed number.
  func admit() -> Bool { gate.admit(id) }

  /// Takes the connection out of the count: it only looks at the simulator.
  func observe() { gate.observe(id) }

  func closed() { gate.closed(id) }
}

/// Counts the open connections of a server and refuses those above a limit (`api.md`: "at most 10
/// concurrent connections per system").
///
/// Idle connections count. What a connection is for shows only in its first request, so one that
/// is just open and has not asked yet is given a moment before it counts against others.
final class ConnectionGate: Sendable {
  /// What the state report shows.
  struct Counts: Sendable, Hashable {
    var open = 0
    var peak = 0
    var refused = 0
  }

  private enum Role { case fresh, counted, observer, refused }

  private struct Entry {
    var socket: Int32
    var opened: ContinuousClock.Instant
    var role = Role.fresh
  }

  private struct State: ~Copyable {
    var entries: [Int: Entry] = [:]
    var nextID = 0
    var peak = 0
    var refused = 0
  }

  private enum Verdict { case admitted, refused, undecided }

  /// How long an open connection may be silent before it counts.
  private static let patience: Duration = .milliseconds(100)

  /// nil: any number.
  let limit: Int?
  private let state = Mutex(State())

  init(limit: Int?) {
    self.limit = limit
  }

  func opened(socket: Int32) -> ServerConnection {
    let id = state.withLock { state in
      state.nextID += 1
      state.entries[state.nextID] = Entry(socket: socket, opened: .now)
      return state.nextID
    }
    return ServerConnection(id: id, isLoopback: ListeningSocket.hasLoopbackPeer(socket), gate: self)
  }

  func closed(_ id: Int) {
    _ = state.withLock { $0.entries.removeValue(forKey: id) }
  }

  func observe(_ id: Int) {
    state.withLock { $0.entries[id]?.role = .observer }
  }

  /// Decides over a connection at its first request, for good.
  func admit(_ id: Int) -> Bool {
    while true {
      switch decide(id) {
      case .admitted: return true
      case .refused: return false
      case .undecided: usleep(2_000)
      }
    }
  }

  var counts: Counts {
    state.withLock { state in
      let open = state.entries.values.filter { entry in
        (entry.role == .counted || entry.role == .fresh) && !Self.isLeft(entry.socket)
      }
      return Counts(open: open.count, peak: state.peak, refused: state.refused)
    }
  }

  private func decide(_ id: Int) -> Verdict {
    state.withLock { state in
      guard let own = state.entries[id] else { return .refused }
      switch own.role {
      case .refused: return .refused
      case .counted, .observer: return .admitted
      case .fresh: break
      }
      var settled = 0
      var young = 0
      let now = ContinuousClock.now
      for (other, entry) in state.entries where other != id {
        guard entry.role == .counted || entry.role == .fresh, !Self.isLeft(entry.socket) else {
          continue
        }
        if entry.role == .counted || entry.opened + Self.patience < now {
          settled += 1
        } else {
          young += 1
        }
      }
      if let limit, settled >= limit {
        state.peak = max(state.peak, settled + 1)
        state.refused += 1
        state.entries[id]?.role = .refused
        return .refused
      }
      if let limit, settled + young >= limit { return .undecided }
      state.peak = max(state.peak, settled + 1)
      state.entries[id]?.role = .counted
      return .admitted
    }
  }

  /// The peer has closed its side: the server's thread is about to see it too.
  private static func isLeft(_ socket: Int32) -> Bool {
    var byte: UInt8 = 0
    return unsafe recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0
  }
}
