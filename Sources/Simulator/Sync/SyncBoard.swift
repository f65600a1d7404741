import JSON
import Synchronization

/// The syncs that were asked for, by request id. One thread performs them, one at a time and in
/// the order of their requests.
final class SyncBoard: Sendable {
  /// How far a sync is (reference, Get Synchronization Status).
  enum Status: Sendable, Hashable {
    case waiting
    /// 0 is success.
    case complete(result: Int)
    case parameterError
    case noSuchID

    var text: String {
      switch self {
      case .waiting: "waiting"
      case .complete: "complete"
      case .parameterError: "error: parameter error"
      // Spelled as in the reference's description of the operation.
      case .noSuchID: "error: non such ID"
      }
    }

    var json: JSONValue {
      guard case .complete(let result) = self else { return ["status": .string(text)] }
      return ["status": .string(text), "result": .string("\(result)")]
    }
  }

  /// One sync.
  struct Entry: Sendable, Hashable {
    let id: Int
    let body: SyncBody
    let trouble: FileSync.Trouble?
    var status = Status.waiting
  }

  private struct State: ~Copyable {
    var entries: [Int: Entry] = [:]
    /// Ids in the order of their requests.
    var order: [Int] = []
    /// How many of `order` were taken up.
    var taken = 0
    var nextID: Int
    var isStopping = false
  }

  /// Most syncs that are remembered.
  private static let remembered = 20_000

  private let state: Mutex<State>
  private let wakeup: Wakeup
  private let thread = Mutex<WorkerThread?>(nil)

  init(firstID: Int) throws(FileFailure) {
    state = Mutex(State(nextID: firstID))
    wakeup = try Wakeup()
  }

  /// Begins to work.
  ///
  /// - Parameter perform: does one sync and says how it ended.
  /// - Throws: where there is no thread to be had.
  func start(_ perform: @escaping @Sendable (Entry) -> Status) throws(FileFailure) {
    let worker = try WorkerThread { [self] in run(perform) }
    thread.withLock { $0 = worker }
  }

  /// Waits for the sync in hand; those that wait are never begun.
  func stop() {
    state.withLock { $0.isStopping = true }
    wakeup.signal()
    let worker = thread.withLock { current -> WorkerThread? in
      defer { current = nil }
      return current
    }
    worker?.join()
  }

  /// Takes a request.
  ///
  /// - Parameters:
  ///   - body: what is asked for.
  ///   - trouble: what goes wrong with it.
  /// - Returns: its id.
  func request(_ body: SyncBody, trouble: FileSync.Trouble?) -> Int {
    let id = state.withLock { state in
      let id = state.nextID
      state.nextID += 1
      state.entries[id] = Entry(id: id, body: body, trouble: trouble)
      state.order.append(id)
      if state.taken > Self.remembered {
        let old = state.order[..<(state.taken - Self.remembered / 2)]
        for id in old { state.entries[id] = nil }
        state.order.removeFirst(old.count)
        state.taken -= old.count
      }
      return id
    }
    wakeup.signal()
    return id
  }

  func status(_ id: Int) -> JSONValue {
    state.withLock { $0.entries[id]?.status ?? .noSuchID }.json
  }

  /// Every sync that is remembered, by id.
  func all() -> [Entry] {
    state.withLock { state in state.order.compactMap { state.entries[$0] } }
  }

  var nextID: Int { state.withLock { $0.nextID } }

  private func run(_ perform: @Sendable (Entry) -> Status) {
    while true {
      let (next, isStopping) = state.withLock { state -> (Entry?, Bool) in
        guard state.taken < state.order.count else { return (nil, state.isStopping) }
        defer { state.taken += 1 }
        return (state.entries[state.order[state.taken]], state.isStopping)
      }
      if isStopping { return }
      if let next {
        let status = perform(next)
        state.withLock { $0.entries[next.id]?.status = status }
      } else {
        _ = wakeup.wait(.seconds(3_600))
        wakeup.clear()
      }
    }
  }
}
