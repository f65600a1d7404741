import FoundationEssentials

/// Maps the computer's clock to the machine's, which starts at the real time and runs `speed`
/// times as fast.
struct SimulatorClock: Sendable {
  let speed: Double
  private let origin = ContinuousClock.now
  private let start = Date().timeIntervalSince1970

  init(speed: Double) {
    self.speed = speed
  }

  /// The machine's time.
  func now() -> SimulatedTime {
    SimulatedTime(seconds: start + speed * (origin.duration(to: .now) / .seconds(1)))
  }

  /// Real time from now to a moment of the machine's time; zero where that is past.
  func realDelay(until moment: SimulatedTime) -> Duration {
    max(.zero, .seconds((moment.seconds - now().seconds) / speed))
  }

  /// How much of the machine's time a real duration is.
  func simulated(_ real: Duration) -> Duration { real * speed }
}
