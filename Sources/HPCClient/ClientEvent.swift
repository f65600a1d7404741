/// What a client does on the way beside sending, for traces and warnings; carries no secret.
public enum ClientEvent: Sendable {
  /// The request will be made again.
  case retrying(operation: APIOperation, request: String, after: Duration, why: String)
  /// A signature was refused as expired; from now on the service's clock is followed.
  case clockCorrected(seconds: Double)
  /// A submission ended after the task that asked for it had been cancelled.
  case submissionAfterCancellation(jobfile: String, SubmissionFate)
  /// Something that a user should read once.
  case warning(String)

  /// What became of a submission whose task was cancelled.
  public enum SubmissionFate: Sendable, Hashable {
    case accepted(JobID)
    /// Nothing was sent, or the service refused.
    case notSubmitted
    /// Sent, and no answer came in the time left.
    case unknown
  }
}

extension ClientEvent: CustomStringConvertible {
  /// One line for a trace.
  public var description: String {
    switch self {
    case .retrying(_, let request, let pause, let why):
      "\(request): again in \(Self.milliseconds(pause)): \(why)"
    case .clockCorrected(let seconds):
      "the service's clock is \(Int(abs(seconds).rounded())) s "
        + "\(seconds < 0 ? "behind" : "ahead of") this machine's; signing by the service's"
    case .submissionAfterCancellation(let jobfile, .accepted(let id)):
      "submitted after all: \(ErrorText.quoted(jobfile)) is job \(id)"
    case .submissionAfterCancellation(let jobfile, .notSubmitted):
      "not submitted: \(ErrorText.quoted(jobfile))"
    case .submissionAfterCancellation(let jobfile, .unknown):
      "no job number came for \(ErrorText.quoted(jobfile)): it may run; hpc jobs shows what does"
    case .warning(let text): text
    }
  }

  private static func milliseconds(_ duration: Duration) -> String {
    "\(Int((duration / .milliseconds(1)).rounded())) ms"
  }
}
