/// Sends requests; CurlTransport in the product, in-memory ones in tests.
public protocol HTTPTransport: Sendable {
  /// Sends one request and waits for the whole answer.
  ///
  /// Cancelling the surrounding task ends the transfer with `.cancelled`, at once or, where the
  /// request was sent, after ``HTTPTimeouts/afterCancellation``. Redirects are not followed. Nothing is retried here.
  ///
  /// - Throws: a ``TransportError`` when no whole answer came.
  func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse

  /// Where tasks run best that only await requests and hand the answers on: it saves them two thread
  /// switches a request. They must not block or compute for long, since transfers may wait meanwhile.
  /// nil for the global pool.
  var executor: (any TaskExecutor)? { get }
}

extension HTTPTransport {
  public var executor: (any TaskExecutor)? { nil }
}

/// Why no whole answer came, and whether the server may have seen the request.
public struct TransportError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What went wrong.
  public enum Kind: Sendable, Hashable {
    /// The host has no address.
    case resolve
    /// No connection: refused, unreachable, or a proxy in the way.
    case connect
    /// The handshake failed or the certificate is not trusted.
    case tls
    /// No connection slot came free in time.
    case queueTimeout
    case connectTimeout
    case idleTimeout
    case totalTimeout
    /// The connection ended before a whole answer came, without a byte of it (`reset`) or within
    /// it (`truncated`).
    case reset
    case truncated
    /// The answer is larger than the sink's limit in bytes.
    case bodyTooLarge(limit: Int)
    /// The peer does not speak HTTP.
    case protocolViolation
    /// The request's body could not be read, or the answer could not be written: local errno.
    case file(errno: Int32)
    case cancelled
    /// The transport was shut down.
    case closed
    /// Anything else, by curl's number.
    case other(code: Int)
  }

  public var kind: Kind
  /// False only where it is certain that not one byte of the request left this process
  /// (`CURLINFO_REQUEST_SIZE` = 0): repeating is safe then, even for a submission.
  public var mayHaveBeenSent: Bool
  /// One line for people, without addresses' queries or headers.
  public var detail: String
  /// What the library below says of it alone, for messages that name the rest; ``detail`` without it.
  public var cause: String

  public init(_ kind: Kind, mayHaveBeenSent: Bool, detail: String, cause: String? = nil) {
    self.kind = kind
    self.mayHaveBeenSent = mayHaveBeenSent
    self.detail = detail
    self.cause = cause ?? detail
  }

  public var description: String { detail }
}
