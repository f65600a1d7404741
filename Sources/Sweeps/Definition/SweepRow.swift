/// Where a point stands, in the user's words (`lua-api.md`, Points).
public enum PointState: String, Sendable, Hashable, CaseIterable {
  case new, waiting, submitted, running, done, failed, cancelled, blocked, unknown

  /// True where nothing more happens by itself, and all that happened is known.
  var isVerdict: Bool { self == .done || self == .failed || self == .cancelled }
}

/// One point with what is known of it (`lua-api.md`, Rows).
public struct SweepRow: Sendable, Hashable {
  /// Number from 1, for good.
  public var point: Int
  public var name: String
  public var parameters: Parameters
  public var state: PointState
  /// Attempts that were opened.
  public var attempts = 0
  public var jobID: Int64?
  public var exitCode: Int?
  /// Of a failure, such as `exit 1`; of an unknown point, what was lost.
  public var cause: String?
  public var nodes: Int?
  /// How long its program ran.
  public var seconds: Double?
  public var nodeHours: Double?
  /// Folder of its outputs on this computer; nil before it is done.
  public var folder: String?
  /// What the result function gave, as JSON.
  public var result: String?
  /// What it raised.
  public var resultError: String?
  /// Its outputs, once it is done.
  public var files: [OutputFile] = []
  /// False where the space no longer has it.
  public var isMember = true
  /// Folder of its outputs in the home on the machine; nil before it is done.
  public var remoteFolder: String?

  public init(point: Int, name: String, parameters: Parameters, state: PointState) {
    self.point = point
    self.name = name
    self.parameters = parameters
    self.state = state
  }

  /// One of its outputs, for the inputs of another sweep; nil for a name that is none.
  public func output(_ name: String) -> RemoteOutput? {
    guard let remoteFolder, files.contains(where: { $0.name == name }) else { return nil }
    let last = name.split(separator: "/").last.map(String.init) ?? name
    return RemoteOutput(path: "\(remoteFolder)/\(name)", name: last)
  }
}

/// What a point's program wrote.
public struct SweepLogs: Sendable, Hashable {
  public enum Stream: String, Sendable, Hashable, CaseIterable {
    case out, err
  }

  public var stdout: [UInt8]
  public var stderr: [UInt8]

  public init(stdout: [UInt8], stderr: [UInt8]) {
    self.stdout = stdout
    self.stderr = stderr
  }
}

/// Which points a command is about.
public struct PointSelection: Sendable, Hashable {
  /// By number; nil for all.
  public var points: Set<Int>?
  /// A cause (`exit 127`) or its kind (`exit`, `elapse`, `not_started`, …); nil for any.
  public var cause: String?

  public static let all = PointSelection()

  /// True for a point that failed or was cancelled and is meant.
  func isFailed(_ number: Int, _ point: PointRecord) -> Bool {
    if let points, !points.contains(number) { return false }
    switch point.verdict {
    case .failed(let own): return cause.map { own.isMeant(by: $0) } ?? true
    case .cancelled: return cause == nil || cause == "cancelled"
    case .done, nil: return false
    }
  }

  public init(points: Set<Int>? = nil, cause: String? = nil) {
    self.points = points
    self.cause = cause
  }
}

/// How far a sweep is.
public struct SweepProgress: Sendable, Hashable {
  /// Members of the space by state; states without points are missing.
  public var counts: [PointState: Int] = [:]
  /// Points that this run has settled, and for how long it runs.
  public var settled = 0
  public var elapsed: Duration = .zero
  /// Settled points an hour over the last minutes; nil before there are some.
  public var pointsPerHour: Double?
  /// Until all is settled at that pace; nil where it is not known.
  public var remaining: Duration?
  /// Used so far, real use where it is known, and limits of what is under way.
  public var nodeHoursUsed = 0.0
  public var nodeHoursUnderWay = 0.0
  public var isRunning = false

  public init() {}

  public var total: Int { counts.values.reduce(0, +) }
}

/// The state of a sweep from its journal.
public struct SweepStatus: Sendable, Hashable {
  public var name: String
  /// Absolute path of the journal.
  public var journal: String
  public var service: JournalService
  public var progress: SweepProgress
  /// Failures by cause.
  public var causes: [String: Int]
  /// The process that runs it now.
  public var owner: JournalOwner?
  /// Names of submissions whose ids are not known yet.
  public var unsure: [String]
  public var isSimulated: Bool
}

extension Cause {
  /// True where a text names this cause, or its kind: `exit 127`, `exit`, `outputs`.
  func isMeant(by text: String) -> Bool {
    let own = description
    return own == text || kind?.rawValue == text || own.hasPrefix("\(text): ")
  }
}
