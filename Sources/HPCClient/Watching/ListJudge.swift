/// Tells lists that prove something from those that prove nothing (`exactly-once.md`, A good list).
///
/// Takes lists that came with 200, whole, as arrays of objects with a `job_id`; what is left to
/// judge is the sudden `[]` of an outage behind the service.
public struct ListJudge: Sendable, Hashable {
  /// How long `[]` must stay after two or more jobs before it counts.
  public var patience: Duration
  private var lastCount = 0
  private var emptySince: Duration?

  public init(patience: Duration = .seconds(120)) {
    self.patience = patience
  }

  /// Whether a list of so many jobs, taken at a time on a clock that never goes back, is good.
  public mutating func isGood(count: Int, at now: Duration) -> Bool {
    guard count == 0 else {
      lastCount = count
      emptySince = nil
      return true
    }
    guard lastCount >= 2 else { return true }
    let since = emptySince ?? now
    emptySince = since
    return now - since >= patience
  }
}
