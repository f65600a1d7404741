import HTTP

/// Decides after each failed attempt of one call; knows no clock and no dice (design §4, Retry).
struct RetryMachine: Sendable {
  /// What kind of call it is.
  enum Kind: Sendable, Hashable {
    /// GET, and POST /files/sync without `delete`: the same twice is the same once.
    case idempotent
    /// DELETE: like the above, and a 404 after a first attempt means that it worked.
    case cancellation
    /// POST /files/sync with `delete`: a lost answer must not be followed by a second run.
    case destructive
    /// POST /jobs.
    case submission
  }

  /// One failed attempt, with what its answer said about time.
  struct Event: Sendable {
    var failure: Failure
    /// `Retry-After` in seconds.
    var retryAfter: Double?
    /// The answer's `Date`, seconds since 1970.
    var serverDate: Double?
    /// On the clock of `TimeSource.uptime()`.
    var now: Duration
    /// Seconds since 1970, by the uncorrected clock of this machine.
    var localDate: Double
    /// In 0..<1.
    var random: Double
  }

  enum Decision: Sendable, Hashable {
    case retry(after: Duration)
    /// Set the clock offset, then try again at once.
    case correctClock(offset: Double)
    /// A repeated DELETE found nothing left to do.
    case alreadyDone
    case fail(ambiguous: Bool)
  }

  let kind: Kind
  let policy: RetryPolicy
  /// When everything has to be over, on the clock of `TimeSource.uptime()`.
  let end: Duration?
  /// Whether the endpoint has ever answered this client.
  var isKnownEndpoint: Bool
  private var failures = 0
  private(set) var firstFailure: Duration?
  private var hasCorrectedClock = false
  /// An attempt whose answer was lost, or that failed on the service's side, may have worked.
  private var mayHaveWorked = false

  init(kind: Kind, policy: RetryPolicy, end: Duration? = nil, isKnownEndpoint: Bool) {
    self.kind = kind
    self.policy = policy
    self.end = end
    self.isKnownEndpoint = isKnownEndpoint
  }

  /// Dates outside of these years are a broken clock's: 2020 to 2100.
  private static let plausibleDates = 1_577_836_800.0..<4_102_444_800.0

  /// Whether a clock may show this time; nil, an unreadable one, is none.
  static func isPlausible(_ date: Double?) -> Bool {
    date.map(plausibleDates.contains) ?? false
  }

  mutating func decide(_ event: Event) -> Decision {
    if case .fault(let fault) = event.failure {
      isKnownEndpoint = true
      if fault.isExpiredSignature, let offset = correction(event) {
        hasCorrectedClock = true
        return .correctClock(offset: offset)
      }
      if kind == .cancellation, mayHaveWorked, fault.isJobNotFound { return .alreadyDone }
    }
    guard mayRepeat(event.failure) else { return .fail(ambiguous: isAmbiguous(event.failure)) }
    if Self.mayHaveActed(event.failure) { mayHaveWorked = true }
    let start = firstFailure ?? event.now
    firstFailure = start
    let left = latestStart(start + deadline(event.failure)) - event.now
    // The dice do not cut the time short: the last attempt starts at the deadline. What the service
    // asks to be waited for beyond that is not.
    guard left > .zero, asked(event) <= left else {
      return .fail(ambiguous: isAmbiguous(event.failure))
    }
    let pause = min(pause(event), left)
    failures += 1
    return .retry(after: pause)
  }

  /// When the last attempt may start: early enough for an answer before the end.
  private func latestStart(_ deadline: Duration) -> Duration {
    end.map { min($0 - Self.timeToAnswer, deadline) } ?? deadline
  }

  /// What an attempt is given at least.
  private static let timeToAnswer = Duration.seconds(1)

  private func correction(_ event: Event) -> Double? {
    guard !hasCorrectedClock, let server = event.serverDate, Self.isPlausible(server) else {
      return nil
    }
    return server - event.localDate
  }

  private func mayRepeat(_ failure: Failure) -> Bool {
    guard failure.isTransient else { return false }
    switch kind {
    case .idempotent, .cancellation: return true
    case .submission: return failure.provesNotSubmitted
    case .destructive: return !failure.isLostAnswer
    }
  }

  private func isAmbiguous(_ failure: Failure) -> Bool {
    switch kind {
    case .idempotent, .cancellation: return false
    case .submission: return !failure.provesNotSubmitted
    case .destructive: return failure.isLostAnswer
    }
  }

  private static func mayHaveActed(_ failure: Failure) -> Bool {
    switch failure {
    case .transport(let error): error.mayHaveBeenSent
    // Nobody says that a 429 comes before the work.
    case .fault(let fault): fault.status >= 500 || fault.status == 429
    case .badAnswer: true
    }
  }

  /// Full jitter over a doubling bound; `Retry-After` is a lower bound.
  private func pause(_ event: Event) -> Duration {
    var bound = policy.firstBackoff
    for _ in 0..<min(failures, 30) where bound < policy.longestBackoff { bound = bound * 2 }
    return max(min(bound, policy.longestBackoff) * event.random, asked(event))
  }

  /// What the service asks for, bounded; nothing where it asks for nothing that makes sense.
  func asked(_ event: Event) -> Duration {
    guard let asked = event.retryAfter, asked > 0 else { return .zero }
    return .seconds(min(asked, policy.longestRetryAfter / .seconds(1)))
  }

  private func deadline(_ failure: Failure) -> Duration {
    switch failure {
    case .fault(let fault) where fault.isMaintenance:
      return max(policy.maintenanceDeadline, policy.deadline)
    case .transport where !isKnownEndpoint && failure.isUnreachable:
      return min(policy.firstContactDeadline, policy.deadline)
    default: return policy.deadline
    }
  }
}
