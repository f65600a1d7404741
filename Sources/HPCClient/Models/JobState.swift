/// What a job is doing, in words; PJM's own are in `api.md` (Fugaku job management).
public enum JobState: Sendable, Hashable, CustomStringConvertible {
  case queued, starting, running, ending, held, suspended
  case done, failed, cancelled, rejected
  /// Left the list and its detail: how it ended is not known.
  case gone
  /// A status of the service that is not known here, as it came; empty where there was none.
  case unknown(String)

  /// The words that scripts use, in the order of a job's life.
  public static let names = [
    "queued", "starting", "running", "ending", "held", "suspended", "done", "failed", "cancelled",
    "rejected", "gone", "unknown",
  ]

  /// PJM's words, in the order of a job's life.
  public static let pjmNames = [
    "ACC", "QUE", "RNA", "RNP", "RUN", "RNE", "RNO", "EXT", "CCL", "RJT", "HLD", "ERR", "SPP",
    "SPD", "RSM",
  ]

  /// The state that a status says; for an ended job its codes decide between done and failed.
  ///
  /// Without a readable exit code an ended job is neither: it stays `unknown("EXT")`.
  public init(pjm status: String, exitCode: Int?, pjmCode: Int?, signal: Int?) {
    self =
      switch status {
      case "ACC", "QUE": .queued
      case "RNA", "RNP": .starting
      case "RUN": .running
      case "RNE", "RNO": .ending
      case "HLD", "ERR": .held
      case "SPP", "SPD", "RSM": .suspended
      case "CCL": .cancelled
      case "RJT": .rejected
      case "EXT":
        if [exitCode, pjmCode, signal].contains(where: { ($0 ?? 0) != 0 }) {
          .failed
        } else {
          exitCode == nil ? .unknown(status) : .done
        }
      default: .unknown(status)
      }
  }

  /// Whether a PJM status is one that a job never leaves.
  public static func isTerminal(pjm status: String) -> Bool {
    status == "EXT" || status == "CCL" || status == "RJT"
  }

  /// One of ``names``.
  public var description: String {
    switch self {
    case .queued: "queued"
    case .starting: "starting"
    case .running: "running"
    case .ending: "ending"
    case .held: "held"
    case .suspended: "suspended"
    case .done: "done"
    case .failed: "failed"
    case .cancelled: "cancelled"
    case .rejected: "rejected"
    case .gone: "gone"
    case .unknown: "unknown"
    }
  }
}
