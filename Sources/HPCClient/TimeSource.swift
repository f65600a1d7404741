public import FoundationEssentials

/// Clocks and waiting, so that tests run on a clock of their own.
public protocol TimeSource: Sendable {
  /// Time since a fixed moment, on a clock that never goes back.
  func uptime() -> Duration
  /// The wall clock.
  func date() -> Date
  /// Waits; a cancelled task stops waiting at once and throws.
  func sleep(for duration: Duration) async throws(CancellationError)
}

/// The machine's clocks.
public struct SystemTime: TimeSource {
  private let start = ContinuousClock.now

  public init() {}

  public func uptime() -> Duration { ContinuousClock.now - start }

  public func date() -> Date { Date() }

  public func sleep(for duration: Duration) async throws(CancellationError) {
    do {
      try await Task.sleep(for: min(duration, Duration.longest), clock: .continuous)
    } catch {
      throw CancellationError()
    }
  }
}

extension Duration {
  /// Ten years: what is longer counts as this, for clocks overflow on what people may write.
  public static let longest = Duration.seconds(315_360_000)

  /// A time that a user gave in seconds, at most ``longest``; nil for negative ones and NaN.
  public init?(userSeconds seconds: Double) {
    guard seconds >= 0 else { return nil }
    self = min(.seconds(min(seconds, 1e9)), Self.longest)
  }
}
