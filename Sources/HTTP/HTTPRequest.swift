public import FoundationEssentials

/// The methods in use (RFC 9110 §9).
public enum HTTPMethod: String, Sendable, Hashable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case delete = "DELETE"
}

/// What a request carries.
public enum HTTPBody: Sendable, Hashable {
  case none
  case bytes([UInt8])
  /// `length` bytes of a file from `offset`; read while sending, never held whole.
  case file(path: String, offset: Int64, length: Int64)

  /// Number of bytes.
  public var count: Int64 {
    switch self {
    case .none: 0
    case .bytes(let bytes): Int64(bytes.count)
    case .file(_, _, let length): length
    }
  }
}

/// Where the body of an answer goes.
public enum HTTPSink: Sendable, Hashable {
  /// Held in memory; more than `limit` bytes end the transfer with `.bodyTooLarge`.
  case memory(limit: Int)
  /// Written to an open file descriptor, which stays the caller's, when the status is 2xx; the
  /// body of any other answer is held in memory up to `errorLimit` bytes.
  case file(descriptor: Int32, errorLimit: Int)

  /// The bound on answers that are held in memory: 64 MiB.
  public static let standardLimit = 64 << 20
}

/// How urgent a request is when connections are short, and what may share a slot (design §4).
public enum HTTPRequestClass: Sendable, Hashable, CaseIterable {
  /// Cancels: first.
  case urgent
  /// Lists, details, sync and its status.
  case ordinary
  /// POST /jobs: one of several slots is always kept free of these.
  case submission
}

/// The clocks that a transfer runs against; nil means unbounded.
public struct HTTPTimeouts: Sendable, Hashable {
  /// From the call to a connection slot: nil where other requests are waited for as long as it
  /// takes.
  public var queue: Duration?
  /// From the start of the attempt to an established connection, TLS included.
  public var connect: Duration
  /// Longest time without a byte in either direction, once the request is sent.
  public var idle: Duration?
  /// From the moment a connection slot is granted to the last byte of the answer.
  public var total: Duration?
  /// How long a request that was sent is still waited for after its task was cancelled; one of which
  /// nothing has been sent is withdrawn at once.
  public var afterCancellation: Duration?

  public init(
    queue: Duration? = nil, connect: Duration = .seconds(10), idle: Duration? = .seconds(60),
    total: Duration? = .seconds(120), afterCancellation: Duration? = nil
  ) {
    self.queue = queue
    self.connect = connect
    self.idle = idle
    self.total = total
    self.afterCancellation = afterCancellation
  }
}

/// Signs a request when it is about to go out, not when it is queued (`api.md`, Signing).
public protocol HTTPRequestSigner: Sendable {
  /// Adds date and `Authorization`, replacing those of an earlier attempt.
  ///
  /// - Parameters:
  ///   - request: the request as it will be sent.
  ///   - date: the wall clock at this moment.
  func sign(_ request: inout HTTPRequest, at date: Date)
}

/// One request, as a transport sends it.
public struct HTTPRequest: Sendable {
  public var method: HTTPMethod
  public var url: HTTPURL
  public var headers: HTTPHeaders
  public var body: HTTPBody
  /// Lower-case hexadecimal SHA-256 of the body where it is known, so that retries and the signer
  /// hash it once.
  public var bodySHA256: String?
  public var timeouts: HTTPTimeouts
  public var sink: HTTPSink
  public var requestClass: HTTPRequestClass
  /// False where sending it twice is not the same as once, or the caller must know of it: the
  /// transport must make sure that nothing, curl included, sends the request a second time.
  public var isRepeatable: Bool
  /// Whether a connection that was used before, and may be dead, will not do.
  public var wantsFreshConnection: Bool
  /// Called by the transport just before sending.
  public var signer: (any HTTPRequestSigner)?

  public init(
    _ method: HTTPMethod, _ url: HTTPURL, headers: HTTPHeaders = [:], body: HTTPBody = .none,
    bodySHA256: String? = nil, timeouts: HTTPTimeouts = HTTPTimeouts(),
    sink: HTTPSink = .memory(limit: HTTPSink.standardLimit),
    requestClass: HTTPRequestClass = .ordinary, isRepeatable: Bool = true,
    wantsFreshConnection: Bool? = nil, signer: (any HTTPRequestSigner)? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.bodySHA256 = bodySHA256
    self.timeouts = timeouts
    self.sink = sink
    self.requestClass = requestClass
    self.isRepeatable = isRepeatable
    self.wantsFreshConnection = wantsFreshConnection ?? !isRepeatable
    self.signer = signer
  }
}

/// An answer with any status; a transport judges none.
public struct HTTPResponse: Sendable {
  public var status: Int
  public var headers: HTTPHeaders
  /// Empty where the sink was a file and the status 2xx.
  public var body: [UInt8]

  public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}
