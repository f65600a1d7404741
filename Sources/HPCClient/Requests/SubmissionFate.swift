/// What became of a submission that no task waits for any more.
public enum SubmissionFate: Sendable, Hashable {
  case accepted(JobID)
  /// Nothing was sent, or the service refused.
  case notSubmitted
  /// Sent, and no answer came in the time left.
  case unknown

  /// One line for people.
  ///
  /// - Parameter jobfile: the submitted script.
  public func text(of jobfile: String) -> String {
    let name = ErrorText.quoted(jobfile)
    return switch self {
    case .accepted(let id): "submitted after all: \(name) is job \(id)"
    case .notSubmitted: "not submitted: \(name)"
    case .unknown: "no job number came for \(name): it may run; hpc jobs shows what does"
    }
  }
}
