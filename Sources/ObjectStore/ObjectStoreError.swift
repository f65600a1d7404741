public import HTTP

/// Why an operation on the bucket failed: the one error of this module.
public struct ObjectStoreError: Error, Sendable, Hashable {
  /// What was asked for.
  public enum Operation: String, Sendable, Hashable {
    case put, get, head, list, delete, upload, push, pull
  }

  /// What went wrong.
  public enum Kind: Sendable, Hashable {
    case noSuchBucket
    case noSuchKey
    /// 403: the key pair is known but may not do this.
    case accessDenied
    /// 403: unknown access key, or a signature that does not fit the secret.
    case badCredentials
    /// 403: the clocks differ, and correcting by the server's did not help.
    case clockSkew
    /// A redirect; they are never followed, since the signature is for the address asked.
    case redirected(to: String?)
    /// The object is not the one that the download began with (412, or another ETag).
    case objectChanged
    /// The service takes no other part of this upload (404 NoSuchUpload).
    case uploadGone
    /// Any other answer 4xx.
    case refused
    /// An answer 5xx or 429, on the last attempt too.
    case unavailable
    /// No whole answer, on the last attempt too.
    case transport(TransportError.Kind, detail: String)
    /// An answer that makes no sense: garbage for XML, a field missing.
    case badAnswer(String)
    case wrongLength(expected: Int64, received: Int64)
    case wrongETag(expected: String, received: String)
    /// Content and stored SHA-256 differ.
    case wrongDigest(expected: String, received: String)
    /// Something on this computer.
    case local(LocalFileFailure)
    /// The key would lead out of the target folder, or names no file there.
    case unsafeKey
    /// The key would be a file where the bucket has a folder: files below that name.
    case isFolder(String)
    /// The key would lie below an object of this name.
    case isFile(String)
    /// An argument that cannot be meant.
    case invalid(String)
    case cancelled
  }

  public var kind: Kind
  public var operation: Operation
  /// Scheme, host and port asked.
  public var endpoint: String
  public var bucket: String
  public var key: String?
  /// The answer's status; nil where none came.
  public var status: Int?
  /// The service's own code, such as `NoSuchKey`.
  public var code: String?
  /// The service's own sentence, bounded.
  public var serverMessage: String?
  /// The service's number of the request, for its operator.
  public var requestID: String?
  /// Requests sent for the step that failed.
  public var attempts: Int

  init(
    _ kind: Kind, _ context: Context, status: Int? = nil, code: String? = nil,
    serverMessage: String? = nil, requestID: String? = nil, attempts: Int = 0
  ) {
    self.kind = kind
    operation = context.operation
    endpoint = context.endpoint
    bucket = context.bucket
    key = context.key
    self.status = status
    self.code = code
    self.serverMessage = serverMessage
    self.requestID = requestID
    self.attempts = attempts
  }

  /// What an error says about its place.
  struct Context: Sendable, Hashable {
    var operation: Operation
    var endpoint: String
    var bucket: String
    var key: String?
  }
}

/// Why a file of this computer could not be used.
public enum LocalFileFailure: Error, Sendable, Hashable {
  /// A call of the system failed on a path.
  case system(call: String, path: String, errno: Int32)
  case isFolder(path: String)
  /// A device, socket or pipe.
  case notRegular(path: String)
  case notFolder(path: String)
  /// Size, time or content changed between the first look and the last byte.
  case changed(path: String)
  /// A symbolic link where one is not followed.
  case symbolicLink(path: String)
  /// A name that is not UTF-8 and so cannot be a key.
  case name(path: String)
}
