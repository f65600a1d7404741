import HPCClient
import Synchronization

/// Counts submissions, or transfers, under way, so that a program that is being ended waits for their
/// answers and no job number is lost (design §4).
public final class SubmissionLedger: Sendable {
  private struct State {
    var open: [Int: (name: String, cancel: @Sendable () -> Void)] = [:]
    var last = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
    var isForsaken = false
  }

  private let state = Mutex(State())

  public init() {}

  /// Runs work and counts it meanwhile.
  ///
  /// - Parameters:
  ///   - name: what it is called where it has to be told of.
  ///   - body: the work; cancelled with the surrounding task and by ``cancel()``.
  func counting<Value: Sendable>(
    _ name: String, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let work = Task { try await body() }
    let id = state.withLock { state in
      state.last += 1
      state.open[state.last] = (name, { @Sendable in work.cancel() })
      return state.last
    }
    defer {
      let waiting = state.withLock { state in
        state.open[id] = nil
        guard state.open.isEmpty else { return [CheckedContinuation<Void, Never>]() }
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in waiting { continuation.resume() }
    }
    return try await withTaskCancellationHandler {
      try await work.value
    } onCancel: {
      work.cancel()
    }
  }

  /// Whether the program's main chunk has failed, so that nobody may be left who looks at what comes.
  public var isForsaken: Bool {
    get { state.withLock { $0.isForsaken } }
    set { state.withLock { $0.isForsaken = newValue } }
  }

  /// Whether nothing is under way.
  public var isEmpty: Bool { state.withLock { $0.open.isEmpty } }

  /// What is under way, in the order of its beginning.
  public var names: [String] {
    state.withLock { state in state.open.sorted { $0.key < $1.key }.map(\.value.name) }
  }

  /// What is said of the submissions under way when nobody waits for their answers any more.
  public var farewells: [String] {
    names.map { "\(ClientEvent.submissionAfterCancellation(jobfile: $0, .unknown))" }
  }

  /// Cancels all that is under way, which then ends in its own way.
  public func cancel() {
    for (_, cancel) in state.withLock({ Array($0.open.values) }) { cancel() }
  }

  /// Returns when nothing is under way.
  public func drained() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if !state.open.isEmpty { state.waiting.append(continuation) }
        return state.open.isEmpty
      }
      if isEmpty { continuation.resume() }
    }
  }
}
