/// When the list is asked for next: every ten seconds, less and less often up to a minute while
/// nothing changes, and as often as a waiter asks for (`lua-api.md`, Jobs).
struct PollSchedule: Sendable {
  /// Shorter ones are taken as this: polling takes connections from everybody.
  static let shortest = Duration.milliseconds(50)
  /// 10 s and 60 s of the machine's clock.
  let standard: Duration
  let longest: Duration
  private var current: Duration
  private var lastRequest: Duration?
  /// Somebody wants one list now.
  private var isUrgent = false
  /// From the last request; what the service asked for.
  private var rest = Duration.zero
  /// How many waiters asked for an interval.
  private var asked: [Duration: Int] = [:]

  init(clockRate: Double) {
    standard = max(.seconds(10) / clockRate, Self.shortest)
    longest = max(.seconds(60) / clockRate, Self.shortest)
    current = standard
  }

  mutating func add(interval: Duration?) {
    if let interval { asked[interval, default: 0] += 1 }
    current = standard
  }

  mutating func remove(interval: Duration?) {
    guard let interval, let count = asked[interval] else { return }
    asked[interval] = count > 1 ? count - 1 : nil
  }

  mutating func hurry() { isUrgent = true }

  mutating func requested(at now: Duration) {
    lastRequest = now
    rest = .zero
    isUrgent = false
  }

  /// The service asks not to be asked for so long.
  mutating func rest(_ time: Duration) { rest = time }

  /// After a list: whether anything that somebody waits for has changed.
  mutating func heard(isChanged: Bool) {
    current = isChanged ? standard : min(current * 1.5, longest)
  }

  /// Time between two lists as things stand.
  var interval: Duration {
    guard let shortest = asked.keys.min() else { return current }
    return min(shortest, current)
  }

  /// When to ask next; at once where nobody has asked yet.
  var due: Duration {
    isUrgent ? .zero : lastRequest.map { $0 + max(interval, rest) } ?? .zero
  }
}
