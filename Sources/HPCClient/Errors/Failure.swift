import HTTP

/// Why one attempt of an operation gave no result, before words are found for it.
enum Failure: Error, Sendable, Hashable {
  case transport(TransportError)
  /// Any status that is no success.
  case fault(ServiceFault)
  /// A success whose body is not what was agreed on.
  case badAnswer(status: Int, what: String, body: String)

  /// The operation was not carried out for a reason that passes (design §4, Retry).
  var isTransient: Bool {
    switch self {
    case .transport(let error):
      switch error.kind {
      case .resolve, .connect, .queueTimeout, .connectTimeout, .idleTimeout, .totalTimeout, .reset,
        .truncated:
        true
      case .tls, .bodyTooLarge, .protocolViolation, .file, .cancelled, .closed, .other: false
      }
    case .fault(let fault):
      switch fault.status {
      case 500, 502, 503, 504, 429: true
      default: false
      }
    case .badAnswer: false
    }
  }

  /// Whether a connection was tried and none came about.
  var isUnreachable: Bool {
    guard case .transport(let error) = self else { return false }
    return !error.mayHaveBeenSent && error.kind != .queueTimeout
  }

  /// Whether the answer was lost on its way, a gateway's 502 and 504 included: the service may have
  /// done all of it, or may be at it.
  var isLostAnswer: Bool {
    switch self {
    case .transport(let error): error.mayHaveBeenSent
    case .fault(let fault): fault.status == 502 || fault.status == 504
    case .badAnswer: true
    }
  }

  /// Whether a signature was refused as expired.
  var saysExpired: Bool {
    if case .fault(let fault) = self { fault.isExpiredSignature } else { false }
  }

  /// Whether it is certain that the service has not acted on a submission.
  var provesNotSubmitted: Bool {
    switch self {
    case .transport(let error): !error.mayHaveBeenSent
    case .fault(let fault): fault.isDefiniteRefusal
    case .badAnswer: false
    }
  }
}
