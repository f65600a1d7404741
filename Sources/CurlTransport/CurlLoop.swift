import CCurl
import HTTP

/// The thread around libcurl: fetches commands, lets curl work, carries out what governors decide.
///
/// Everything here belongs to that one thread.
@safe final class CurlLoop {
  private let mailbox: Mailbox
  private let executor: LoopExecutor
  private let configuration: CurlTransport.Configuration
  private let multi: UnsafeMutableRawPointer
  private let watch: SocketWatch
  private var endpoints: [Endpoint] = []

  /// `curl_global_init` once in the process, at the first request of any transport.
  private static let globalCode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  /// Works until a shutdown is asked for.
  static func run(
    mailbox: Mailbox, executor: LoopExecutor, wakeUp: WakeUp,
    configuration: CurlTransport.Configuration
  ) {
    if let loop = CurlLoop(
      mailbox: mailbox, executor: executor, wakeUp: wakeUp, configuration: configuration)
    {
      // Endpoints take their handles out of the loop's.
      withExtendedLifetime(loop) {
        loop.work()
        for endpoint in loop.endpoints { endpoint.end() }
      }
    }
    let left = mailbox.close()
    for case .send(let call) in left.commands { call.finish(.failure(.closed)) }
    for job in left.jobs { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
  }

  private init?(
    mailbox: Mailbox, executor: LoopExecutor, wakeUp: WakeUp,
    configuration: CurlTransport.Configuration
  ) {
    guard Self.globalCode == CURLE_OK, let multi = unsafe curl_multi_init() else { return nil }
    self.mailbox = mailbox
    self.executor = executor
    self.configuration = configuration
    watch = SocketWatch(wakeUp)
    unsafe self.multi = multi
    // Each slot's own cache holds one connection.
    _ = unsafe curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 1)
    _ = unsafe curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    // Unretained: this object owns both the watch and the multi handle that calls it.
    let context = unsafe Unmanaged.passUnretained(watch).toOpaque()
    _ = unsafe curl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
    _ = unsafe curl_multi_set_socket_function(multi) { _, socket, what, context, _ in
      guard let context = unsafe context else { return 0 }
      unsafe Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue().watch(socket, what)
      return 0
    }
    mailbox.open(wakeUp)
  }

  deinit { _ = unsafe curl_multi_cleanup(multi) }

  private func work() {
    var commands: [Mailbox.Command] = []
    var jobs: [UnownedJob] = []
    var ready: [SocketWatch.Ready] = []
    while true {
      watch.wait(mailbox.mayRest() ? timeout : 0, into: &ready)
      for socket in ready { act(socket.descriptor, socket.events) }
      act(CURL_SOCKET_TIMEOUT, 0)
      // What these send is among the commands of this round.
      run(&jobs)
      mailbox.take(&commands)
      var isOver = false
      for command in commands {
        switch command {
        case .send(let call) where isOver: call.finish(.failure(.closed))
        case .send(let call): accept(call)
        case .cancel(let id): _ = endpoints.contains { $0.cancel(id) }
        case .firstInLine(let origin): endpoints.first { $0.origin == origin }?.isFirstInLine()
        case .shutdown: isOver = true
        }
      }
      if isOver { return }
      for endpoint in endpoints { endpoint.tick() }
      // A transfer just started waits for nothing but curl's attention.
      while endpoints.contains(where: { $0.hasStarted() }) { act(CURL_SOCKET_TIMEOUT, 0) }
      for endpoint in endpoints { endpoint.answer() }
      run(&jobs)
    }
  }

  /// Runs the parts of tasks that have come.
  private func run(_ jobs: inout [UnownedJob]) {
    mailbox.take(&jobs)
    for job in jobs { unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor()) }
  }

  /// Lets curl work on a socket, or on what its timers say, and takes what has ended.
  private func act(_ socket: Int32, _ events: Int32) {
    var running: Int32 = 0
    _ = unsafe curl_multi_socket_action(multi, socket, events, &running)
    var left: Int32 = 0
    while let message = unsafe curl_multi_info_read(multi, &left) {
      guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
      let easy = unsafe message.pointee.easy_handle
      let code = unsafe curl_message_result(message)
      _ = endpoints.contains { unsafe $0.finished(easy, code) }
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
    let url = call.request.url
    let endpoint = endpoints.first { $0.serves(url) } ?? makeEndpoint(for: url)
    endpoint.accept(call)
  }

  private func makeEndpoint(for url: HTTPURL) -> Endpoint {
    let origin = url.origin
    let endpoint = unsafe Endpoint(url: url, multi: multi, configuration: configuration) {
      [mailbox] in _ = mailbox.post(.firstInLine(origin: origin))
    }
    endpoints.append(endpoint)
    mailbox.show(endpoint.board, origin: origin)
    return endpoint
  }

  /// Milliseconds until curl or an endpoint must be looked at.
  private var timeout: Int32 {
    var timeout = 600_000
    _ = unsafe curl_multi_timeout(multi, &timeout)
    if timeout < 0 { timeout = 600_000 }
    let now = Moment.now
    for endpoint in endpoints {
      if let next = endpoint.nextTimer(at: now) {
        timeout = min(timeout, Int((next - now).milliseconds))
      }
    }
    return Int32(clamping: timeout)
  }
}
