import Synchronization

/// The latest progress, to be read from any thread.
final class ProgressBoard: Sendable {
  private let state = Mutex(SweepProgress())

  var progress: SweepProgress {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// How fast points are settled: over the last five minutes, or since the beginning.
struct Pace: Sendable {
  private static let window = Duration.seconds(300)
  private var samples: [(at: Duration, settled: Int)] = [(.zero, 0)]

  mutating func note(settled: Int, at now: Duration) {
    guard let last = samples.last, last.settled != settled else { return }
    samples.append((now, settled))
    while samples.count > 2, now - samples[1].at > Self.window { samples.removeFirst() }
  }

  /// Points an hour, and the time until so many more are settled; nil before two were.
  func estimate(open: Int) -> (pointsPerHour: Double?, remaining: Duration?) {
    guard let first = samples.first, let last = samples.last, last.settled - first.settled >= 2,
      last.at > first.at
    else { return (nil, nil) }
    let rate = Double(last.settled - first.settled) / ((last.at - first.at) / .seconds(1))
    return (rate * 3600, .seconds(Double(open) / rate))
  }
}
