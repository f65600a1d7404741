public import HPCClient
import HTTP
public import ObjectStore

extension HPCError {
  /// What went wrong with the bucket, in the shape that all errors have.
  public init(_ error: ObjectStoreError) {
    var message = error.message
    // Before any key is known, the file alone tells.
    if case .local(let failure) = error.kind, error.key == nil { message = failure.description }
    self.init(code: Self.code(of: error), message: message, hint: error.advice)
    self.status = error.status
    self.attempts = error.attempts
    self.request =
      "\(error.endpoint)/\(error.bucket)" + (error.key.map { "/\($0)" } ?? "")
    switch error.kind {
    case .unavailable, .transport, .objectChanged, .uploadGone, .wrongLength, .wrongETag,
      .wrongDigest:
      self.isRetryable = true
    default: break
    }
  }

  private static func code(of error: ObjectStoreError) -> String {
    switch error.kind {
    case .noSuchBucket: return "NoSuchBucket"
    case .noSuchKey: return "NoSuchKey"
    case .accessDenied: return "AccessDenied"
    case .badCredentials: return error.code ?? "InvalidCredentials"
    case .clockSkew: return error.code ?? "RequestTimeTooSkewed"
    case .redirected: return "Redirected"
    case .objectChanged: return "ObjectChanged"
    case .uploadGone: return "NoSuchUpload"
    case .refused, .unavailable: return error.code ?? "HTTP.\(error.status ?? 0)"
    case .transport(let kind, _):
      switch kind {
      case .resolve, .connect, .connectTimeout: return LocalCode.noConnection.rawValue
      case .queueTimeout, .idleTimeout, .totalTimeout: return LocalCode.timeout.rawValue
      case .tls: return LocalCode.untrusted.rawValue
      case .bodyTooLarge: return LocalCode.answerTooLarge.rawValue
      default: return LocalCode.connectionLost.rawValue
      }
    case .badAnswer: return LocalCode.badAnswer.rawValue
    case .wrongLength: return "WrongLength"
    case .wrongETag, .wrongDigest: return "WrongDigest"
    case .local: return "LocalFile"
    case .unsafeKey: return "UnsafeKey"
    case .isFolder, .isFile, .invalid: return LocalCode.invalidArgument.rawValue
    case .cancelled: return LocalCode.cancelled.rawValue
    }
  }
}
