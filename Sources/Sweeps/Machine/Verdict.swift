/// Why an attempt did not succeed.
public enum Cause: Sendable, Hashable, CustomStringConvertible {
  /// The program ended by itself with this code, other than 0.
  case exit(Int)
  /// The elapse limit ended it.
  case elapse
  /// It wanted more memory than there was.
  case memory
  /// A node or the machine around it failed.
  case nodeDown
  /// It was ended from outside, and nothing tells more.
  case killed
  /// An input was not on the machine, or could not be put into the work folder.
  case inputs(String)
  /// A declared output is missing or did not arrive as it was written.
  case outputs(String)
  /// The service refused the submission: its message.
  case refused(String)
  /// Accepted three times, never started.
  case notStarted

  /// What `retries` and `s:retry` call it; nil for causes that are no run's.
  public var kind: RetryKind? {
    switch self {
    case .exit: .exit
    case .elapse: .elapse
    case .memory: .memory
    case .nodeDown: .nodeDown
    case .killed: .killed
    case .notStarted: .notStarted
    case .inputs, .outputs, .refused: nil
    }
  }

  /// `exit 127`, `elapse`, `outputs: missing r.json`, …
  public var description: String {
    switch self {
    case .exit(let code): "exit \(code)"
    case .elapse: "elapse"
    case .memory: "memory"
    case .nodeDown: "node_down"
    case .killed: "killed"
    case .inputs(let detail): detail.isEmpty ? "inputs" : "inputs: \(detail)"
    case .outputs(let detail): detail.isEmpty ? "outputs" : "outputs: \(detail)"
    case .refused(let message): message.isEmpty ? "refused" : "refused: \(message)"
    case .notStarted: "not_started"
    }
  }

  /// The short form that `s:retry{cause=}` takes: `exit 127`, `outputs`, `refused`, …
  public var word: String {
    switch self {
    case .inputs: "inputs"
    case .outputs: "outputs"
    case .refused: "refused"
    case .exit, .elapse, .memory, .nodeDown, .killed, .notStarted: description
    }
  }

  /// What a point can be said to have failed by, and what `s:retry{cause=}` takes.
  public static let words =
    RetryKind.allCases.map(\.rawValue) + ["inputs", "outputs", "refused", "cancelled"]

  /// True for a word of ``words`` and for what ``description`` gives.
  public static func canBeMeant(by text: String) -> Bool {
    words.contains(text) || Cause(text) != nil
  }

  /// Reads ``description`` back.
  public init?(_ text: String) {
    func rest(_ prefix: String) -> String? {
      if text == prefix { return "" }
      return text.hasPrefix(prefix + ": ") ? String(text.dropFirst(prefix.count + 2)) : nil
    }
    switch text {
    case "elapse": self = .elapse
    case "memory": self = .memory
    case "node_down": self = .nodeDown
    case "killed": self = .killed
    case "not_started": self = .notStarted
    default:
      if text.hasPrefix("exit "), let code = Int(text.dropFirst(5)) {
        self = .exit(code)
      } else if let detail = rest("inputs") {
        self = .inputs(detail)
      } else if let detail = rest("outputs") {
        self = .outputs(detail)
      } else if let message = rest("refused") {
        self = .refused(message)
      } else {
        return nil
      }
    }
  }
}

/// The causes that can be retried by themselves.
public enum RetryKind: String, Sendable, Hashable, CaseIterable {
  case exit, elapse, memory
  case nodeDown = "node_down"
  case killed
  case notStarted = "not_started"
}

/// How a point ended.
public enum Verdict: Sendable, Hashable {
  case done
  case failed(Cause)
  case cancelled
}

/// What is known of a job's end from its last status or its statistics file (PJM, `api.md`).
public struct JobEnd: Sendable, Hashable {
  /// EXT, CCL or RJT, where a status was seen.
  public var state: String?
  public var exitCode: Int?
  public var pjmCode: Int?
  public var signal: Int?
  /// How long it ran, in seconds.
  public var elapsed: Int?

  public init(
    state: String? = nil, exitCode: Int? = nil, pjmCode: Int? = nil, signal: Int? = nil,
    elapsed: Int? = nil
  ) {
    self.state = state
    self.exitCode = exitCode
    self.pjmCode = pjmCode
    self.signal = signal
    self.elapsed = elapsed
  }

  /// Cause of a run that was ended from outside: PJM's code, else the time it took against its
  /// limit, else killed.
  static func cause(of ends: [JobEnd], limit: Int) -> Cause {
    for code in ends.compactMap(\.pjmCode) {
      switch code {
      case 11: return .elapse
      case 12, 23: return .memory
      case 20, 22, 26, 30, 100, 120, 140, 160, 180: return .nodeDown
      default: continue
      }
    }
    if ends.compactMap(\.elapsed).contains(where: { $0 >= limit }) { return .elapse }
    return .killed
  }
}
