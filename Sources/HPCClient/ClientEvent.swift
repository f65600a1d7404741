/// What a client does on the way beside sending, for traces and warnings; carries no secret.
public enum ClientEvent: Sendable {
  /// The request will be made again.
  case retrying(operation: APIOperation, request: String, after: Duration, why: String)
  /// A signature was refused as expired; from now on the service's clock is followed.
  case clockCorrected(seconds: Double)
  /// Something that a user should read once.
  case warning(String)
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
    case .warning(let text): text
    }
  }

  private static func milliseconds(_ duration: Duration) -> String {
    "\(Int((duration / .milliseconds(1)).rounded())) ms"
  }
}
