/// Everything about a sweep that must survive: what the journal holds and the machine starts from.
public struct SweepRecord: Sendable, Equatable {
  public var root: RootRecord?
  /// Point number p at index p - 1.
  public var points: [PointRecord]
  /// Submission number s at index s - 1.
  public var submissions: [SubmissionRecord]
  /// Syncs of seals that were asked for and whose end was not seen yet, by request id.
  public var sealSyncs: [Int64: [AttemptID]]

  public init(
    root: RootRecord? = nil, points: [PointRecord] = [], submissions: [SubmissionRecord] = [],
    sealSyncs: [Int64: [AttemptID]] = [:]
  ) {
    self.root = root
    self.points = points
    self.submissions = submissions
    self.sealSyncs = sealSyncs
  }

  /// An attempt that exists.
  subscript(attempt id: AttemptID) -> AttemptRecord {
    get { points[id.point - 1].attempts[id.number - 1] }
    set { points[id.point - 1].attempts[id.number - 1] = newValue }
  }

  /// The name of an attempt that exists.
  func name(of id: AttemptID) -> AttemptName { AttemptName(id, tag: self[attempt: id].tag ?? "") }

  /// True for the name of an attempt of this journal; records of other names are those of a copy
  /// that runs something else under the same numbers, and none of ours.
  func has(_ name: AttemptName) -> Bool {
    guard has(name.id) else { return false }
    let attempt = self[attempt: name.id]
    return attempt.phase != .new && attempt.tag == name.tag
  }

  /// True for an attempt that was opened.
  func has(_ id: AttemptID) -> Bool {
    points.indices.contains(id.point - 1)
      && points[id.point - 1].attempts.indices.contains(id.number - 1)
  }
}

/// The sweep's folder on both sides.
public struct RootRecord: Sendable, Hashable {
  /// Relative to home and to the bucket's prefix: `hpc/<sweep>-<id>`.
  public var path: String
  /// True once its sync was complete with "0".
  public var isReady: Bool

  public init(path: String, isReady: Bool = false) {
    self.path = path
    self.isReady = isReady
  }
}

/// One point.
public struct PointRecord: Sendable, Hashable {
  /// Nil while it is open.
  public var verdict: Verdict?
  /// False for one that an edited space no longer has: it is not started, but collected.
  public var isMember: Bool
  public var isCancelRequested: Bool
  /// Retries that were used, by cause.
  public var retries: [RetryKind: Int]
  /// How often it was accepted and never started.
  public var notStarted: Int
  public var attempts: [AttemptRecord]
  /// What the result function gave, as JSON.
  public var result: String?
  /// What it raised.
  public var resultError: String?
  /// What a retry said of its resources, as JSON; over the sweep's own.
  public var resources: String?

  public init() {
    isMember = true
    isCancelRequested = false
    retries = [:]
    notStarted = 0
    attempts = []
  }
}

/// Why an attempt cannot be judged.
public enum UnknownReason: String, Sendable, Hashable {
  /// The canary did not come back: home was wiped, or is not what is synced.
  case homeLost = "home_lost"
  /// A seal is no longer in the bucket.
  case bucketLost = "bucket_lost"
}

/// Proof that an attempt is over.
public enum Closing: String, Sendable, Hashable {
  /// Sealed before anything claimed it.
  case notStarted = "not_started"
  /// Started, and over without a record.
  case runLost = "run_lost"
  /// Its exit record is there.
  case exited
}

/// Where an attempt stands.
public enum AttemptPhase: Sendable, Hashable {
  /// Not in a submission.
  case new
  /// Where its submission stands.
  case submitted
  case sealing, sealed
  case unknown(UnknownReason)
  /// Its submission was definitely refused; no seal is needed.
  case refused
  /// Cancelled before any POST.
  case withdrawn
  case closed(Closing)

  /// True where nothing more is to be found out.
  var isSettled: Bool {
    switch self {
    case .refused, .withdrawn, .closed: true
    case .new, .submitted, .sealing, .sealed, .unknown: false
    }
  }
}

/// One attempt.
public struct AttemptRecord: Sendable, Hashable {
  public var phase: AttemptPhase
  /// What its name on the machine has besides its numbers: nil before its script is uploaded, and
  /// final once that is posted.
  public var tag: String?
  /// Number of its submission.
  public var submission: Int?
  /// Held or in error for long, and nothing else to wait for.
  public var isBlocked: Bool
  /// The execution whose exit record counts.
  public var execution: ExecutionID?
  public var exitCode: Int?
  /// Why it did not succeed, once it is closed.
  public var cause: Cause?
  /// Start and end of the program in seconds since 1970.
  public var start: Int64?
  public var end: Int64?
  /// The manifest of a success.
  public var files: [OutputFile]
  /// Node seconds: what it used, or the limit where that is unknown.
  public var nodeSeconds: Double

  public init() {
    phase = .new
    isBlocked = false
    files = []
    nodeSeconds = 0
  }
}

/// Where a submission stands.
public enum SubmissionPhase: String, Sendable, Hashable {
  /// It has a number and a name.
  case prepared
  /// Its script is on the machine.
  case staged
  /// Its POST is about to happen or happening.
  case intent
  /// Its POST may have been accepted.
  case unsure
  /// At least one id is known.
  case submitted
  /// Definitely refused.
  case refused
  /// Not accepted and not to be posted any more.
  case abandoned
}

/// What became of one POST.
public enum PostResult: String, Sendable, Hashable {
  /// Not a byte left this computer.
  case notSent = "not_sent"
  /// 401 Expired.
  case expired
  /// 401, 403, 404 or 405.
  case denied
  /// 422, or 400 "Invalid …".
  case refused
  /// 2xx with an id.
  case accepted
  /// Anything else.
  case unclear
}

/// One submission S: a job with one or more attempts.
public struct SubmissionRecord: Sendable, Hashable {
  /// Job name N, which is also the name of its folders.
  public var name: String
  public var phase: SubmissionPhase
  public var attempts: [AttemptID]
  public var nodes: Int
  /// Elapse limit in seconds.
  public var elapse: Int
  /// SHA-256 of its script; nil before it is uploaded.
  public var script: String?
  /// One entry a POST, nil while it is open.
  public var posts: [PostResult?]
  /// Every job of that name, and its end where one was seen.
  public var jobs: [Int64: JobEnd?]
  /// Since when no list has had any of its jobs: seconds since 1970 on the service's clock.
  public var absentSince: Double?

  public init(name: String, attempts: [AttemptID]) {
    self.name = name
    phase = .prepared
    self.attempts = attempts
    nodes = 1
    elapse = 0
    posts = []
    jobs = [:]
  }
}

/// Rows that become durable together.
public struct JournalCommit: Sendable, Equatable {
  public var root: RootRecord?
  /// Points without their attempts.
  public var points: [Int: PointRecord] = [:]
  public var attempts: [AttemptID: AttemptRecord] = [:]
  public var submissions: [Int: SubmissionRecord] = [:]
  /// Seal syncs by request id; nil removes one.
  public var sealSyncs: [Int64: [AttemptID]?] = [:]

  public init() {}

  /// True where nothing is to be written.
  public var isEmpty: Bool {
    root == nil && points.isEmpty && attempts.isEmpty && submissions.isEmpty && sealSyncs.isEmpty
  }
}

extension SweepRecord {
  /// What the journal holds after a commit.
  public mutating func apply(_ commit: JournalCommit) {
    if let root = commit.root { self.root = root }
    for (number, point) in commit.points {
      let attempts = points[number - 1].attempts
      points[number - 1] = point
      points[number - 1].attempts = attempts
    }
    for (id, attempt) in commit.attempts.sorted(by: { $0.key < $1.key }) {
      if has(id) {
        self[attempt: id] = attempt
      } else {
        points[id.point - 1].attempts.append(attempt)
      }
    }
    for (number, submission) in commit.submissions.sorted(by: { $0.key < $1.key }) {
      if number <= submissions.count {
        submissions[number - 1] = submission
      } else {
        submissions.append(submission)
      }
    }
    for (request, attempts) in commit.sealSyncs { sealSyncs[request] = attempts }
  }
}
