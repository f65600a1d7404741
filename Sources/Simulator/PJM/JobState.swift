/// States of PJM (`api.md`, Fugaku job management).
enum JobState: String, Sendable, Hashable {
  case accepting = "ACC"
  case queued = "QUE"
  case reserving = "RNA"
  case prologue = "RNP"
  case running = "RUN"
  case epilogue = "RNE"
  case finishing = "RNO"
  case ended = "EXT"
  case cancelled = "CCL"
  case rejected = "RJT"
  case held = "HLD"
  case error = "ERR"

  /// No state follows; the job leaves list and detail.
  var isTerminal: Bool { self == .ended || self == .cancelled || self == .rejected }

  /// Nodes are in use.
  var holdsNodes: Bool {
    switch self {
    case .reserving, .prologue, .running, .epilogue, .finishing: true
    default: false
    }
  }
}

/// PJM codes (`api.md`): why a job ended, apart from its script's exit code.
enum PJMCode {
  static let ok = 0
  static let deleted = 1
  static let held = 4
  static let elapseLimit = 11
  /// The working directory or a standard stream cannot be opened.
  static let streams = 16
  static let nodeDown = 20
  /// The script could not be started.
  static let scriptStart = 21
}
