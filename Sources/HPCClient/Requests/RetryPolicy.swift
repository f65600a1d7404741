/// How long and how often to try again (design §4, Retry).
public struct RetryPolicy: Sendable, Hashable {
  /// How long after the first failure a new attempt may still start.
  public var deadline: Duration
  /// The same while the service says that it is in maintenance.
  public var maintenanceDeadline: Duration
  /// The same for connections, as long as the endpoint has never answered: a wrong address should
  /// not take minutes to show.
  public var firstContactDeadline: Duration
  /// Upper bound of the first wait; doubles with every attempt.
  public var firstBackoff: Duration
  /// Where the doubling ends.
  public var longestBackoff: Duration
  /// A `Retry-After` beyond this counts as this.
  public var longestRetryAfter: Duration

  public init(
    deadline: Duration = .seconds(300), maintenanceDeadline: Duration = .seconds(3600),
    firstContactDeadline: Duration = .seconds(4), firstBackoff: Duration = .milliseconds(400),
    longestBackoff: Duration = .seconds(20), longestRetryAfter: Duration = .seconds(120)
  ) {
    self.deadline = deadline
    self.maintenanceDeadline = maintenanceDeadline
    self.firstContactDeadline = firstContactDeadline
    self.firstBackoff = firstBackoff
    self.longestBackoff = longestBackoff
    self.longestRetryAfter = longestRetryAfter
  }

  /// How much longer than usual a maintenance is waited for where settings give one deadline: an
  /// hour with the default of five minutes, not at all with none.
  static let maintenanceFactor = 12

  /// Never tries again.
  public static let none = RetryPolicy(
    deadline: .zero, maintenanceDeadline: .zero, firstContactDeadline: .zero)
}
