import Synchronization

/// One wait for any number of jobs, on its way through ``JobWatcher``.
///
/// A class, and everything about the wait in it: what an `async` function keeps while it is
/// suspended is paid for by every one of ten thousand waiters. Who has a place of its own to be
/// called at needs no task at all.
final class WaitOrder: Sendable {
  /// How a wait ended.
  struct Ending: Sendable {
    var observations: [JobID: JobObservation]
    var isTimeout: Bool
  }

  typealias Outcome = Result<Ending, HPCError>

  private enum State {
    case new
    case waiting(@Sendable (Outcome) -> Void)
    case ended(Outcome)
    case over
  }

  let jobs: [JobID]
  let options: WaitOptions
  /// Whether no time is given: then one list is looked at.
  let looksOnce: Bool
  private let state = Mutex(State.new)

  init(jobs: [JobID], options: WaitOptions) {
    self.jobs = jobs
    self.options = options
    looksOnce = options.timeout == .zero
  }

  /// Suspends the caller until ``end(_:)``; in place of ``whenEnded(_:)``.
  func outcome() async -> Outcome {
    await withCheckedContinuation { continuation in
      whenEnded { continuation.resume(returning: $0) }
    }
  }

  /// Has a function called at ``end(_:)``, from any thread; at most once.
  func whenEnded(_ body: @escaping @Sendable (Outcome) -> Void) {
    let early: Outcome? = state.withLock {
      if case .ended(let outcome) = $0 {
        $0 = .over
        return outcome
      }
      $0 = .waiting(body)
      return nil
    }
    if let early { body(early) }
  }

  /// Ends the wait; what comes later counts for nothing.
  func end(_ outcome: Outcome) {
    let body: (@Sendable (Outcome) -> Void)? = state.withLock {
      switch $0 {
      case .new:
        $0 = .ended(outcome)
        return nil
      case .waiting(let body):
        $0 = .over
        return body
      case .ended, .over: return nil
      }
    }
    body?(outcome)
  }

  /// Whether somebody still waits for the outcome.
  var isOpen: Bool {
    state.withLock {
      switch $0 {
      case .new, .waiting: true
      case .ended, .over: false
      }
    }
  }

  /// In the order that was asked for.
  func result(_ ending: Ending) -> WaitResult {
    WaitResult(
      jobs: jobs.compactMap { ending.observations[$0] }, isTimeout: ending.isTimeout)
  }
}
