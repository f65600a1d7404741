import Synchronization

/// Lets so many tasks through at a time, in the order in which they came.
final class ConnectionLimit: Sendable {
  private typealias Waiter = CheckedContinuation<Bool, Never>

  private struct State {
    var free: Int
    var lastTicket: UInt64 = 0
    /// Who waits, by ticket: a cancelled task takes its own out.
    private var waiting: [UInt64: Waiter] = [:]
    /// The tickets in order; those taken out are skipped.
    private var line: [UInt64] = []
    private var head = 0

    init(free: Int) {
      self.free = free
    }

    mutating func enqueue(_ waiter: Waiter, ticket: UInt64) {
      waiting[ticket] = waiter
      line.append(ticket)
    }

    mutating func remove(ticket: UInt64) -> Waiter? {
      waiting.removeValue(forKey: ticket)
    }

    /// Gives a place back: to the first that waits, or to the free ones.
    mutating func release() -> Waiter? {
      while head < line.count {
        let ticket = line[head]
        head += 1
        if head == line.count {
          line.removeAll(keepingCapacity: true)
          head = 0
        }
        if let waiter = waiting.removeValue(forKey: ticket) { return waiter }
      }
      free += 1
      return nil
    }
  }

  private enum Verdict {
    case wait, cancelled, granted
  }

  private let state: Mutex<State>

  init(_ count: Int) {
    state = Mutex(State(free: max(1, count)))
  }

  /// Runs `body` when a place is free.
  ///
  /// - Returns: nil where the task was cancelled while waiting.
  func run<T: Sendable>(_ body: () async -> T) async -> T? {
    guard await acquire() else { return nil }
    defer { state.withLock { $0.release() }?.resume(returning: true) }
    return await body()
  }

  private func acquire() async -> Bool {
    let ticket: UInt64 = state.withLock { state in
      state.lastTicket += 1
      return state.lastTicket
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        // Looked at under the lock: a cancellation after it finds the waiter in the queue.
        let verdict: Verdict = state.withLock { state in
          if Task.isCancelled { return .cancelled }
          if state.free > 0 {
            state.free -= 1
            return .granted
          }
          state.enqueue(waiter, ticket: ticket)
          return .wait
        }
        if verdict != .wait { waiter.resume(returning: verdict == .granted) }
      }
    } onCancel: {
      state.withLock { $0.remove(ticket: ticket) }?.resume(returning: false)
    }
  }
}
