/// How a sweep is to be run.
public struct SweepSettings: Sendable, Hashable {
  /// What `retries` allows.
  public struct Retries: Sendable, Hashable {
    /// By cause; a cause that is not named has none.
    public var byCause: [RetryKind: Int]
    /// For all causes together, nil for no such bound.
    public var total: Int?

    /// The standard: two for a node that failed, and two for a job that was accepted and never
    /// started (`lua-api.md`, retries).
    public static let standard = Retries(byCause: [.nodeDown: 2])

    /// How often a job may be accepted and not start, before that is its point's verdict; no fault
    /// of the program, so that it has two retries where nothing is said.
    var notStarted: Int { byCause[.notStarted] ?? 2 }

    public init(byCause: [RetryKind: Int], total: Int? = nil) {
      self.byCause = byCause
      self.total = total
    }

    /// The same number for every cause, and for all together.
    public static func number(_ count: Int) -> Retries {
      Retries(
        byCause: Dictionary(
          uniqueKeysWithValues: RetryKind.allCases.map {
            ($0, $0 == .notStarted ? max(count, 2) : count)
          }),
        total: count)
    }
  }

  /// How far to go.
  public enum Mode: Sendable, Hashable {
    /// Until every point has its verdict.
    case run
    /// Settle and collect what can be, submit what fits, end.
    case step
  }

  public var mode = Mode.run
  /// Up to three letters that begin each job's name.
  public var namePrefix = "hpc"
  /// First part of the root's name, such as `hpc/ising`.
  public var rootPrefix = "hpc/sweep"
  /// Listed jobs of the user, and ours that are not listed yet, at most.
  public var maxQueued = 100
  public var retries = Retries.standard
  /// Node seconds, nil for no bound.
  public var budget: Double?
  /// Identical failures before any success that stop the sweep.
  public var stopAfter = 5
  /// False where only points that are asked for one by one begin new attempts.
  public var startsMembers = true
  /// Submissions whose POST is under way, at most.
  public var postsAtOnce = 64
  /// Points that share one job.
  public var pack = 1
  /// Attempts of a job that run at the same time.
  public var atOnce = 1
  public var timing = SweepTiming()

  public init() {}
}

/// Every waiting time of the protocol; one place to divide them by the clock rate.
public struct SweepTiming: Sendable, Hashable {
  /// Between lists, while something changes.
  public var listInterval: Duration = .seconds(10)
  /// Between lists, while nothing changes.
  public var listIntervalIdle: Duration = .seconds(60)
  /// Between syncs back, at least; also three times the last one's duration.
  public var syncInterval: Duration = .seconds(30)
  /// Between looks at a running sync.
  public var pollInterval: Duration = .seconds(2)
  /// A sync that is still waiting after this is asked for anew.
  public var syncPatience: Duration = .seconds(3600)
  /// Before anything that failed is tried again.
  public var retryPause: Duration = .seconds(5)
  /// How long a job is held before it counts as blocked.
  public var blockedAfter: Duration = .seconds(600)
  /// How long a job is absent before its attempts are sealed.
  public var absentAfter: Duration = .seconds(600)
  /// How long `[]` right after two or more jobs is doubted.
  public var emptyPatience: Duration = .seconds(120)
  /// The longest pause between submissions after a 400.
  public var longestBackoff: Duration = .seconds(600)
  /// Seconds after its elapse limit that a job's lease ends.
  public var leaseGrace: Double = 600
  /// How much faster than the wall clock the jobs run (`HPC_CLOCK_RATE`).
  public var clockRate: Double = 1

  public init() {}

  /// All times for a service whose jobs run `rate` times faster.
  public func scaled(by rate: Double) -> SweepTiming {
    var result = self
    let times: [WritableKeyPath<SweepTiming, Duration>] = [
      \.listInterval, \.listIntervalIdle, \.syncInterval, \.pollInterval, \.syncPatience,
      \.retryPause, \.blockedAfter, \.absentAfter, \.emptyPatience, \.longestBackoff,
    ]
    for time in times { result[keyPath: time] /= rate }
    result.clockRate *= rate
    return result
  }

  /// When the lease of a claim ends, in seconds since 1970 on the service's clock: the claim's
  /// time + (limit + 10 min) ÷ rate, at least 5 s over the limit (`exactly-once.md`, Lease).
  func leaseEnd(_ claim: ClaimRecord) -> Double {
    let limit = Double(claim.limit)
    return Double(claim.time) + max((limit + leaseGrace) / clockRate, limit / clockRate + 5)
  }
}
