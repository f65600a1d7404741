import CCurl
import HTTP

/// One request in its slot: what curl's callbacks read and write.
///
/// Belongs to the curl thread. The slot holds it while its easy handle is in the multi handle, so
/// the unretained pointer that the callbacks get is good for as long as they can be called.
final class Transfer {
  let call: Call
  /// As sent: signed.
  let request: HTTPRequest
  let startedAt: Moment
  var source: BodySource
  var response: ResponseReader
  /// Why a callback or the loop ended the transfer, where curl's code would not tell.
  var failure: TransportError.Kind?
  /// When the request could first go out; nil before a connection stands.
  private(set) var connectedAt: Moment?
  /// The last byte in either direction.
  private var lastActivity: Moment?
  /// Whether a byte has moved since then.
  private var hasMoved = false
  private let idle: Span?
  /// When a transfer that nobody waits for any more ends.
  private var graceEnd: Moment?
  /// Whether a line has said that the answer takes long.
  var isSilenceTold = false

  init(_ call: Call, signed request: HTTPRequest, at now: Moment) throws(BodySource.Failure) {
    self.call = call
    self.request = request
    startedAt = now
    idle = request.timeouts.idle.map { Span($0) }
    source = try BodySource(request.body)
    response = ResponseReader(request)
  }

  /// When the transfer is ended from outside of curl, and as what; nil while it has no such bound.
  func deadline(at now: Moment) -> (moment: Moment, kind: TransportError.Kind)? {
    let idleEnd = idleDeadline(at: now)
    if let graceEnd, idleEnd.map({ graceEnd <= $0 }) ?? true { return (graceEnd, .cancelled) }
    return idleEnd.map { ($0, .idleTimeout) }
  }

  /// Whether the transfer goes on for a while although its caller was cancelled: only what was sent
  /// does, where the request asks for it.
  func goesOn(cancelledAt now: Moment) -> Bool {
    guard connectedAt != nil, let grace = request.timeouts.afterCancellation else { return false }
    graceEnd = graceEnd ?? now + Span(grace)
    return true
  }

  /// When the transfer ends for want of activity; nil while it has no such bound.
  ///
  /// Dates what curl's callbacks have noticed since the last time: they do not read the clock.
  private func idleDeadline(at now: Moment) -> Moment? {
    if hasMoved {
      lastActivity = now
      hasMoved = false
    }
    guard let idle, let lastActivity else { return nil }
    return lastActivity + idle
  }

  // MARK: - Called by curl

  /// Just before curl writes the request to a connection.
  ///
  /// - Returns: false where this is a second time and there must be none: curl repeats a request,
  ///   POST included, when a kept-alive connection turns out dead (design §4).
  func willSend() -> Bool {
    guard connectedAt == nil || request.isRepeatable else {
      failure = .reset
      return false
    }
    connectedAt = .now
    hasMoved = true
    return true
  }

  func readBody(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    hasMoved = true
    do throws(BodySource.Failure) {
      return unsafe try source.read(into: buffer)
    } catch {
      failure = .file(errno: error.errno)
      return nil
    }
  }

  func rewind(to offset: Int64) -> Bool {
    guard request.isRepeatable else {
      failure = .reset
      return false
    }
    return source.seek(to: offset)
  }

  func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
    hasMoved = true
    do throws(ResponseReader.Rejection) {
      unsafe try response.header(line)
      return true
    } catch {
      failure = TransportError.Kind(error)
      return false
    }
  }

  func receiveBody(_ block: UnsafeRawBufferPointer) -> Bool {
    hasMoved = true
    do throws(ResponseReader.Rejection) {
      unsafe try response.append(block)
      return true
    } catch {
      failure = TransportError.Kind(error)
      return false
    }
  }
}

extension TransportError.Kind {
  fileprivate init(_ rejection: ResponseReader.Rejection) {
    switch rejection {
    case .tooLarge(let limit): self = .bodyTooLarge(limit: limit)
    case .headersTooLarge: self = .protocolViolation
    case .file(let errno): self = .file(errno: errno)
    }
  }
}
