import CCurl
import HTTP

/// One request in its slot: what curl's callbacks read and write.
///
/// Belongs to the curl thread. The slot holds it while its easy handle is in the multi handle, so
/// the unretained pointer that the callbacks get is good for as long as they can be called.
final class Transfer {
  typealias Instant = ContinuousClock.Instant

  let call: Call
  /// As sent: signed.
  let request: HTTPRequest
  let startedAt: Instant
  var source: BodySource
  var response: ResponseReader
  /// Why a callback or the loop ended the transfer, where curl's code would not tell.
  var failure: TransportError.Kind?
  /// When the request could first go out; nil before a connection stands.
  private(set) var connectedAt: Instant?
  /// The last byte in either direction.
  private var lastActivity: Instant?

  init(_ call: Call, signed request: HTTPRequest, at now: Instant) throws(BodySource.Failure) {
    self.call = call
    self.request = request
    startedAt = now
    source = try BodySource(request.body)
    response = ResponseReader(request)
  }

  /// When the transfer ends for want of activity; nil while it has no such bound.
  var idleDeadline: Instant? {
    guard let idle = request.timeouts.idle, let lastActivity else { return nil }
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
    lastActivity = connectedAt
    return true
  }

  func readBody(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    lastActivity = .now
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

  func receive(
    _ bytes: UnsafeRawBufferPointer,
    _ consume: (inout ResponseReader, UnsafeRawBufferPointer) throws(ResponseReader.Rejection) ->
      Void
  ) -> Bool {
    lastActivity = .now
    do throws(ResponseReader.Rejection) {
      unsafe try consume(&response, bytes)
      return true
    } catch {
      switch error {
      case .tooLarge(let limit): failure = .bodyTooLarge(limit: limit)
      case .headersTooLarge: failure = .protocolViolation
      case .file(let errno): failure = .file(errno: errno)
      }
      return false
    }
  }
}
