import Synchronization

/// Counts submissions, or transfers, under way, so that a program that is being ended waits for their
/// answers and no job number is lost (design §4).
public final class SubmissionLedger: Sendable {
  private struct State {
    var open = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  public init() {}

  /// Runs work and counts it meanwhile.
  func counting<Value: Sendable>(
    _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    state.withLock { $0.open += 1 }
    defer {
      let waiting = state.withLock { state in
        state.open -= 1
        guard state.open == 0 else { return [CheckedContinuation<Void, Never>]() }
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in waiting { continuation.resume() }
    }
    return try await body()
  }

  /// Whether nothing is under way.
  public var isEmpty: Bool { state.withLock { $0.open == 0 } }

  /// Returns when nothing is under way.
  public func drained() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if state.open > 0 { state.waiting.append(continuation) }
        return state.open == 0
      }
      if isEmpty { continuation.resume() }
    }
  }
}
