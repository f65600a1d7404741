extension CurlTransport {
  /// How a transport connects and counts.
  public struct Configuration: Sendable {
    /// Over what connections are counted.
    public enum SlotPolicy: Sendable, Hashable {
      /// Over this transport alone.
      case transport
      /// Over all processes of the user on this machine, through lock files; nil for
      /// `/tmp/hpc-$UID`. Where the directory cannot be made safely, a warning is given and the
      /// transport counts alone.
      case user(directory: String?)
    }

    /// Connections to an endpoint at most, idle ones included; at least 1, and with `.user` at most
    /// 10, which is what the service allows (`api.md`).
    public var limit: Int
    public var slots: SlotPolicy
    public var userAgent: String
    /// PEM file of certificates to trust instead of the system's.
    public var caFile: String?
    /// An unused connection is closed, and its slot given back, after this time.
    public var idleGiveBack: Duration
    /// Told of every request and every change of the limit, on the curl thread: must not block.
    public var trace: (@Sendable (TransportTrace) -> Void)?
    /// Told of what a user should know, on the curl thread.
    public var warn: (@Sendable (String) -> Void)?
    /// Told what is waited for when it takes long, a line a minute at most; on the curl thread.
    public var notice: (@Sendable (String) -> Void)?

    public init(
      limit: Int = 10, slots: SlotPolicy = .user(directory: nil), userAgent: String = "hpc",
      caFile: String? = nil, idleGiveBack: Duration = .milliseconds(1500),
      trace: (@Sendable (TransportTrace) -> Void)? = nil,
      warn: (@Sendable (String) -> Void)? = nil,
      notice: (@Sendable (String) -> Void)? = nil
    ) {
      self.limit = limit
      self.slots = slots
      self.userAgent = userAgent
      self.caFile = caFile
      self.idleGiveBack = idleGiveBack
      self.trace = trace
      self.warn = warn
      self.notice = notice
    }

    var governorRules: GovernorRules {
      var rules = GovernorRules()
      rules.idleGiveBack = Span(idleGiveBack)
      switch slots {
      case .transport:
        rules.limit = max(1, limit)
        rules.isShared = false
      case .user:
        rules.limit = min(max(1, limit), 10)
      }
      return rules
    }
  }
}
