import HTTP
import Synchronization

/// One request on its way through the transport.
final class Call: Sendable {
  /// What the cancelling side holds: made before the request is posted.
  final class Ticket: Sendable {
    let id: UInt64
    private let cancelled = Atomic(false)

    init(id: UInt64) { self.id = id }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    func cancel() { cancelled.store(true, ordering: .releasing) }
  }

  typealias Reply = Result<HTTPResponse, TransportError>

  let ticket: Ticket
  let request: HTTPRequest
  let queuedAt: Moment
  /// When it has waited for a slot for too long; nil for never.
  let queueEnd: Moment?
  private let continuation: CheckedContinuation<Reply, Never>

  init(
    _ request: HTTPRequest, ticket: Ticket, continuation: CheckedContinuation<Reply, Never>
  ) {
    self.request = request
    self.ticket = ticket
    self.continuation = continuation
    queuedAt = .now
    queueEnd = request.timeouts.queue.map { [queuedAt] in queuedAt + Span($0) }
  }

  func finish(_ reply: Reply) { continuation.resume(returning: reply) }
}
