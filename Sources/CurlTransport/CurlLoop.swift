import CCurl
import HTTP

/// The thread around libcurl: fetches commands, lets curl work, carries out what governors decide.
///
/// Everything here belongs to that one thread.
@safe final class CurlLoop {
  private let mailbox: Mailbox
  private let configuration: CurlTransport.Configuration
  private let multi: UnsafeMutableRawPointer
  private var endpoints: [String: Endpoint] = [:]
  private var endpointOf: [UInt64: Endpoint] = [:]

  /// `curl_global_init` once in the process, at the first request of any transport.
  private static let globalCode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  /// Works until a shutdown is asked for.
  static func run(mailbox: Mailbox, configuration: CurlTransport.Configuration) {
    if let loop = CurlLoop(mailbox: mailbox, configuration: configuration) {
      loop.work()
      loop.end()
    }
    for case .send(let call) in mailbox.close() { call.finish(.failure(.closed)) }
  }

  private init?(mailbox: Mailbox, configuration: CurlTransport.Configuration) {
    guard Self.globalCode == CURLE_OK, let multi = unsafe curl_multi_init() else { return nil }
    self.mailbox = mailbox
    self.configuration = configuration
    unsafe self.multi = multi
    // Each slot's own cache holds one connection.
    _ = unsafe curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 1)
    _ = unsafe curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    unsafe mailbox.setWaker(Mailbox.Waker(multi))
  }

  deinit { _ = unsafe curl_multi_cleanup(multi) }

  private func work() {
    var running: Int32 = 0
    while true {
      for command in mailbox.take() {
        switch command {
        case .send(let call): accept(call)
        case .cancel(let id): endpointOf[id]?.cancel(id)
        case .firstInLine(let origin): endpoints[origin]?.isFirstInLine()
        case .shutdown: return
        }
      }
      _ = unsafe curl_multi_perform(multi, &running)
      reap()
      for endpoint in endpoints.values { endpoint.tick() }
      // A transfer just started wants curl's attention before any waiting.
      if endpoints.values.contains(where: { $0.hasStarted() }) { continue }
      for endpoint in endpoints.values { mailbox.publish(endpoint.state, origin: endpoint.origin) }
      _ = unsafe curl_multi_poll(multi, nil, 0, pollTimeout, nil)
    }
  }

  private func accept(_ call: Call) {
    guard !call.ticket.isCancelled else {
      call.finish(
        .failure(
          TransportError(.cancelled, mayHaveBeenSent: false, detail: "cancelled before it was sent")
        ))
      return
    }
    let origin = call.request.url.origin
    let endpoint = endpoints[origin] ?? makeEndpoint(for: call.request.url)
    endpointOf[call.ticket.id] = endpoint
    endpoint.accept(call)
  }

  private func makeEndpoint(for url: HTTPURL) -> Endpoint {
    let origin = url.origin
    let endpoint = unsafe Endpoint(url: url, multi: multi, configuration: configuration) {
      [mailbox] in _ = mailbox.post(.firstInLine(origin: origin))
    }
    endpoint.onEnd = { [unowned self] in endpointOf[$0] = nil }
    endpoints[origin] = endpoint
    return endpoint
  }

  /// Answers the transfers that curl calls finished.
  private func reap() {
    var left: Int32 = 0
    while let message = unsafe curl_multi_info_read(multi, &left) {
      guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
      let easy = unsafe message.pointee.easy_handle
      let code = unsafe curl_message_result(message)
      for endpoint in endpoints.values {
        if let slot = unsafe endpoint.slot(of: easy) {
          endpoint.finished(slot, code)
          break
        }
      }
    }
  }

  /// Milliseconds until an endpoint must be looked at; curl's own timers are curl_multi_poll's.
  private var pollTimeout: Int32 {
    let now = ContinuousClock.now
    var timeout: Int64 = 600_000
    for endpoint in endpoints.values {
      if let next = endpoint.nextTimer { timeout = min(timeout, (next - now).milliseconds) }
    }
    return Int32(max(0, timeout))
  }

  private func end() {
    for endpoint in endpoints.values {
      endpoint.end()
      mailbox.publish(endpoint.state, origin: endpoint.origin)
    }
    mailbox.setWaker(nil)
  }
}
