public import HTTP

/// What a client does on the way, for traces and warnings; carries no secret.
public enum ClientEvent: Sendable {
  /// A request was handed to the transport; attempts count from 1.
  case sent(operation: APIOperation, request: String, attempt: Int)
  /// An answer came, of any status, so many bytes long.
  case answered(
    operation: APIOperation, request: String, attempt: Int, status: Int, bytes: Int,
    elapsed: Duration)
  /// No whole answer came.
  case failed(
    operation: APIOperation, request: String, attempt: Int, error: TransportError,
    elapsed: Duration)
  /// The request will be made again.
  case retrying(operation: APIOperation, request: String, after: Duration, why: String)
  /// A signature was refused as expired; from now on the service's clock is followed.
  case clockCorrected(seconds: Double)
  /// A submission ended after the task that asked for it had been cancelled; nil when its answer
  /// did not come in the time left.
  case submissionAfterCancellation(jobfile: String, id: JobID?)
  /// Something that a user should read once.
  case warning(String)
}
