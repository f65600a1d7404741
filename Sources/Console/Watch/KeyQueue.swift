import Synchronization

/// Keys on their way from the loop to a task that waits for them.
final class KeyQueue: Sendable {
  private struct State {
    var keys: [String] = []
    var waiting: CheckedContinuation<String, Never>?
  }

  private let state = Mutex(State())

  /// Hands a key to who waits, or keeps it.
  func push(_ key: String) {
    let waiting = state.withLock { state in
      guard let waiting = state.waiting else {
        state.keys.append(key)
        return CheckedContinuation<String, Never>?.none
      }
      state.waiting = nil
      return waiting
    }
    waiting?.resume(returning: key)
  }

  /// Forgets what was typed for somebody else.
  func clear() { state.withLock { $0.keys = [] } }

  /// The next key; an empty one when the wait is cancelled.
  func next() async -> String {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let key: String? = state.withLock { state in
          if Task.isCancelled { return "" }
          if !state.keys.isEmpty { return state.keys.removeFirst() }
          state.waiting = continuation
          return nil
        }
        if let key { continuation.resume(returning: key) }
      }
    } onCancel: {
      let waiting = state.withLock { state in
        defer { state.waiting = nil }
        return state.waiting
      }
      waiting?.resume(returning: "")
    }
  }
}
