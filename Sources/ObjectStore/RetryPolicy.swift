extension ObjectStore {
  /// When a failed request to the bucket is sent again: exponential backoff with full jitter.
  ///
  /// Every request to the bucket may be repeated: it has the same effect twice as once.
  public struct RetryPolicy: Sendable, Hashable {
    /// Upper bound of the first pause; doubles with every attempt.
    public var base: Duration
    /// Upper bound of every pause.
    public var cap: Duration
    /// No attempt starts later than this after the first one.
    public var deadline: Duration

    public init(
      base: Duration = .milliseconds(200), cap: Duration = .seconds(20),
      deadline: Duration = .seconds(300)
    ) {
      self.base = base
      self.cap = cap
      self.deadline = deadline
    }

    /// One attempt, ever.
    public static let none = RetryPolicy(deadline: .zero)

    /// The pause before the next attempt, or nil to give up.
    ///
    /// - Parameters:
    ///   - attempts: attempts made so far, at least 1.
    ///   - elapsed: time since the first began.
    ///   - retryAfter: what the service asks for; kept between nothing and the deadline.
    ///   - random: uniform in 0..<1.
    /// - Returns: the pause.
    func pause(
      attempts: Int, elapsed: Duration, retryAfter: Duration?, random: Double
    ) -> Duration? {
      // 2^20 × base is beyond any cap that makes sense, and far from an overflow.
      let bound = min(cap, base * (1 << min(max(attempts - 1, 0), 20)))
      let pause = max(bound * random, retryAfter ?? .zero)
      return elapsed + pause < deadline ? pause : nil
    }
  }
}
