import Synchronization

/// One wait for any number of jobs, on its way through ``JobWatcher``.
///
/// A class, and everything about the wait in it: what an `async` function keeps while it is
/// suspended is paid for by every one of ten thousand waiters.
final class WaitOrder: Sendable {
  /// How a wait ended.
  struct Ending: Sendable {
    var observations: [JobID: JobObservation]
    var isTimeout: Bool
  }

  typealias Outcome = Result<Ending, HPCError>

  private enum State {
    case new
    case waiting(CheckedContinuation<Outcome, Never>)
    case ended(Outcome)
    case over
  }

  let jobs: [JobID]
  let known: Set<JobID>
  let options: WaitOptions
  private let state = Mutex(State.new)

  init(jobs: [JobID], known: Set<JobID>, options: WaitOptions) {
    self.jobs = jobs
    self.known = known
    self.options = options
  }

  /// Suspends the caller until ``end(_:)``; at most once.
  func outcome() async -> Outcome {
    await withCheckedContinuation { continuation in
      let early: Outcome? = state.withLock {
        if case .ended(let outcome) = $0 {
          $0 = .over
          return outcome
        }
        $0 = .waiting(continuation)
        return nil
      }
      if let early { continuation.resume(returning: early) }
    }
  }

  /// Ends the wait; what comes later counts for nothing.
  func end(_ outcome: Outcome) {
    let continuation: CheckedContinuation<Outcome, Never>? = state.withLock {
      switch $0 {
      case .new:
        $0 = .ended(outcome)
        return nil
      case .waiting(let continuation):
        $0 = .over
        return continuation
      case .ended, .over: return nil
      }
    }
    continuation?.resume(returning: outcome)
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
