public import HTTP
import Synchronization

/// A transport without sockets: a function answers, every request is kept as it would have been
/// sent, signature included.
public final class InMemoryTransport: HTTPTransport {
  /// Answers the request of a number that counts from 1.
  public typealias Handler =
    @Sendable (HTTPRequest, Int) async throws(TransportError) -> HTTPResponse

  private let sent = Mutex<[HTTPRequest]>([])
  private let handler: Handler

  public init(_ handler: @escaping Handler) {
    self.handler = handler
  }

  /// Answers in order; the last answer repeats.
  public convenience init(_ answers: [Answer]) {
    self.init { _, number throws(TransportError) in
      switch answers[min(number, answers.count) - 1] {
      case .response(let response): return response
      case .failure(let error): throw error
      }
    }
  }

  /// One scripted answer.
  public enum Answer: Sendable {
    case response(HTTPResponse)
    case failure(TransportError)

    /// A JSON text with a status.
    public static func json(_ status: Int, _ text: String, _ headers: HTTPHeaders = [:]) -> Answer {
      .response(HTTPResponse(status: status, headers: headers, body: Array(text.utf8)))
    }

    /// No answer.
    public static func none(_ kind: TransportError.Kind, sent: Bool = true) -> Answer {
      .failure(TransportError(kind, mayHaveBeenSent: sent, detail: "as scripted"))
    }
  }

  /// Every request so far.
  public var requests: [HTTPRequest] { sent.withLock { $0 } }

  public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
    let number = sent.withLock {
      $0.append(request)
      return $0.count
    }
    return try await handler(request, number)
  }
}
