/// What the connection governor of one endpoint is doing, for `hpc.config` and people.
public struct GovernorState: Sendable, Hashable {
  /// `scheme://host[:port]`.
  public var origin: String
  /// Connections allowed now; lower than `configuredLimit` after 500s.
  public var limit: Int
  public var configuredLimit: Int
  /// Slots that this process holds, idle ones included.
  public var slotsHeld: Int
  /// Requests on their way.
  public var inFlight: Int
  /// Requests that wait for a slot.
  public var queued: Int
  /// When the limit was first lowered; nil while it is whole.
  public var decreasedSince: ContinuousClock.Instant?
  /// Whether slots are counted over all processes of the user.
  public var isShared: Bool
  /// Why they are not, where they should be.
  public var warning: String?

  init(_ governor: Governor, origin: String, isShared: Bool, warning: String? = nil) {
    self.origin = origin
    limit = governor.limit
    configuredLimit = governor.rules.limit
    slotsHeld = governor.held
    inFlight = governor.inFlight
    queued = governor.queue.count
    decreasedSince = governor.decreasedSince.map { .now - (Moment.now - $0).duration }
    self.isShared = isShared
    self.warning = warning
  }
}
