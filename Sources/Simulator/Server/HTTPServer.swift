import CMicrohttpd
import Glibc
import HTTP

/// An HTTP/1.1 server on one address: libmicrohttpd with a thread a connection, so that answers may
/// take their time.
@safe final class HTTPServer {
  /// Sizes of a server.
  struct Limits: Sendable {
    /// Threads at most; further connections wait unaccepted.
    var connections = 128
    /// Bytes of memory a connection has for heads and for what it reads at once.
    var memory = 64 << 10
    /// Seconds after which a silent connection is closed.
    var idleSeconds = 75
  }

  /// The port that it listens on.
  let port: Int
  private let daemon: OpaquePointer
  private let context: Unmanaged<Context>

  /// Begins to listen.
  ///
  /// - Parameters:
  ///   - service: answers.
  ///   - address: in digits.
  ///   - port: 0 lets the kernel choose.
  ///   - gate: counts the connections.
  ///   - limits: sizes.
  ///   - date: the text of `Date` headers.
  /// - Throws: where the address cannot be had.
  init(
    service: any ServerService, address: String, port: Int, gate: ConnectionGate,
    limits: Limits = Limits(), date: @escaping @Sendable () -> String
  ) throws(FileFailure) {
    let (socket, port) = try ListeningSocket.open(address: address, port: port)
    self.port = port
    unsafe context = Unmanaged.passRetained(Context(service: service, gate: gate, date: date))
    let pointer = unsafe context.toOpaque()
    var options = unsafe [
      Self.option(.LISTEN_SOCKET, Int(socket)),
      Self.option(.CONNECTION_LIMIT, limits.connections),
      Self.option(.CONNECTION_MEMORY_LIMIT, limits.memory),
      Self.option(.CONNECTION_TIMEOUT, limits.idleSeconds),
      Self.option(.THREAD_STACK_SIZE, 1 << 20),
      Self.option(.URI_LOG_CALLBACK, unsafeBitCast(requestLine, to: Int.self), pointer),
      Self.option(
        .NOTIFY_CONNECTION, unsafeBitCast(connectionChanged, to: Int.self), pointer),
      Self.option(.NOTIFY_COMPLETED, unsafeBitCast(requestEnded, to: Int.self), pointer),
      Self.option(.END, 0),
    ]
    let flags =
      MHD_USE_THREAD_PER_CONNECTION.rawValue | MHD_USE_INTERNAL_POLLING_THREAD.rawValue
      | MHD_USE_POLL.rawValue | MHD_USE_SUPPRESS_DATE_NO_CLOCK.rawValue
    let daemon = unsafe blockingSignals {
      unsafe hpc_mhd_start(UInt32(flags), access, pointer, &options)
    }
    guard let daemon = unsafe daemon else {
      let code = errno
      close(socket)
      unsafe context.release()
      throw FileFailure(call: "listen", path: "\(address):\(port)", code: code)
    }
    unsafe self.daemon = daemon
  }

  /// Closes every connection and waits for the threads.
  deinit {
    unsafe MHD_stop_daemon(daemon)
    unsafe context.release()
  }

  private static func option(
    _ option: MHD_OPTION, _ value: Int, _ pointer: UnsafeMutableRawPointer? = nil
  ) -> MHD_OptionItem {
    unsafe MHD_OptionItem(option: option, value: value, ptr_value: pointer)
  }
}

/// What the callbacks of a server share.
private final class Context: Sendable {
  let service: any ServerService
  let gate: ConnectionGate
  let date: @Sendable () -> String

  init(service: any ServerService, gate: ConnectionGate, date: @escaping @Sendable () -> String) {
    self.service = service
    self.gate = gate
    self.date = date
  }
}

/// One request; made when its first line is read, released when it is over. Used by the thread of
/// its connection.
private final class Request {
  /// Path and query as sent: what libmicrohttpd hands out later is decoded.
  let target: String
  var exchange: (any ServerExchange)?

  init(target: String) { self.target = target }
}

// MARK: Callbacks

private let requestLine:
  @convention(c) (
    UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?
  ) -> UnsafeMutableRawPointer? = { _, target, _ in
    let text = unsafe target.map { unsafe String(cString: $0) } ?? ""
    return unsafe Unmanaged.passRetained(Request(target: text)).toOpaque()
  }

private let requestEnded:
  @convention(c) (
    UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    MHD_RequestTerminationCode
  ) -> Void = { _, _, slot, _ in
    guard let request = unsafe slot?.pointee else { return }
    unsafe Unmanaged<Request>.fromOpaque(request).release()
    unsafe slot?.pointee = nil
  }

private let connectionChanged:
  @convention(c) (
    UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    MHD_ConnectionNotificationCode
  ) -> Void = { context, connection, slot, event in
    guard let context = unsafe context else { return }
    if event == .CONNECTION_NOTIFY_STARTED {
      let gate = unsafe Unmanaged<Context>.fromOpaque(context).takeUnretainedValue().gate
      let opened = unsafe gate.opened(socket: socket(of: connection))
      unsafe slot?.pointee = Unmanaged.passRetained(opened).toOpaque()
    } else if let record = unsafe slot?.pointee {
      unsafe Unmanaged<ServerConnection>.fromOpaque(record).takeRetainedValue().closed()
      unsafe slot?.pointee = nil
    }
  }

private let access: MHD_AccessHandlerCallback = {
  context, connection, _, method, _, data, size, slot in
  guard let context = unsafe context, let connection = unsafe connection, let size = unsafe size,
    let slot = unsafe slot?.pointee
  else { return .NO }
  let server = unsafe Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
  let request = unsafe Unmanaged<Request>.fromOpaque(slot).takeUnretainedValue()
  guard let exchange = request.exchange else {
    guard let record = unsafe hpc_mhd_info(connection, .CONNECTION_INFO_SOCKET_CONTEXT),
      let opened = unsafe record.pointee.socket_context
    else { return .NO }
    let head = ServerRequest(
      method: unsafe method.map { unsafe String(cString: $0) } ?? "", target: request.target,
      headers: unsafe headers(of: connection))
    request.exchange = server.service.begin(
      head, on: unsafe Unmanaged<ServerConnection>.fromOpaque(opened).takeUnretainedValue())
    return .YES
  }
  if unsafe size.pointee > 0 {
    unsafe exchange.receive(UnsafeRawBufferPointer(start: data, count: size.pointee))
    unsafe size.pointee = 0
    return .YES
  }
  return unsafe send(exchange.finish(), to: connection, date: server.date())
}

private func socket(of connection: OpaquePointer?) -> Int32 {
  guard let information = unsafe hpc_mhd_info(connection, .CONNECTION_INFO_CONNECTION_FD) else {
    return -1
  }
  return unsafe information.pointee.connect_fd
}

private func headers(of connection: OpaquePointer) -> HTTPHeaders {
  var headers = HTTPHeaders()
  unsafe withUnsafeMutablePointer(to: &headers) { collected in
    _ = unsafe MHD_get_connection_values(
      connection, .HEADER_KIND,
      { collected, _, name, value in
        guard let name = unsafe name else { return .YES }
        let text = unsafe value.map { unsafe String(cString: $0) } ?? ""
        unsafe collected?.assumingMemoryBound(to: HTTPHeaders.self).pointee
          .add(String(cString: name), text)
        return .YES
      }, collected)
  }
  return headers
}

// MARK: Answers

private func send(_ reply: ServerReply, to connection: OpaquePointer, date: String) -> MHD_Result {
  switch reply.delivery {
  case .dropped, .reset:
    if case .file(let descriptor, _, _) = reply.body { close(descriptor) }
    if reply.delivery == .reset {
      var linger = linger(l_onoff: 1, l_linger: 0)
      unsafe setsockopt(
        socket(of: connection), SOL_SOCKET, SO_LINGER, &linger,
        socklen_t(MemoryLayout<linger>.size))
    }
    return .NO
  case .whole, .last, .truncated: break
  }
  guard let response = unsafe response(for: reply) else { return .NO }
  defer { unsafe MHD_destroy_response(response) }
  if reply.headers["Date"] == nil { unsafe MHD_add_response_header(response, "Date", date) }
  for field in reply.headers.fields {
    unsafe MHD_add_response_header(response, field.name, field.value)
  }
  if reply.delivery == .last { unsafe MHD_add_response_header(response, "Connection", "close") }
  return unsafe MHD_queue_response(connection, UInt32(reply.status), response)
}

private func response(for reply: ServerReply) -> OpaquePointer? {
  if reply.delivery == .truncated { return unsafe truncatedResponse(for: reply.body) }
  switch reply.body {
  case .bytes(let bytes):
    var bytes = bytes
    return unsafe bytes.withUnsafeMutableBytes {
      unsafe MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
    }
  case .file(let descriptor, let offset, let length):
    return unsafe MHD_create_response_from_fd_at_offset64(length, descriptor, offset)
  }
}

/// Announces a whole body and breaks off in the middle of it.
private func truncatedResponse(for body: ServerReply.Body) -> OpaquePointer? {
  let half = TruncatedBody(body)
  let reader: MHD_ContentReaderCallback = { source, position, buffer, size in
    guard let source = unsafe source, let buffer = unsafe buffer else { return -2 }
    let body = unsafe Unmanaged<TruncatedBody>.fromOpaque(source).takeUnretainedValue()
    return unsafe body.read(at: position, into: buffer, size)
  }
  let release: MHD_ContentReaderFreeCallback = { source in
    guard let source = unsafe source else { return }
    unsafe Unmanaged<TruncatedBody>.fromOpaque(source).release()
  }
  return unsafe MHD_create_response_from_callback(
    half.announced, 64 << 10, reader, Unmanaged.passRetained(half).toOpaque(), release)
}

/// The first half of a body.
private final class TruncatedBody: Sendable {
  private let body: ServerReply.Body
  /// The length that the head tells.
  let announced: UInt64
  private let length: UInt64

  init(_ body: ServerReply.Body) {
    self.body = body
    let whole: UInt64 =
      switch body {
      case .bytes(let bytes): UInt64(bytes.count)
      case .file(_, _, let length): length
      }
    announced = max(whole, 1)
    length = whole / 2
  }

  deinit { if case .file(let descriptor, _, _) = body { _ = close(descriptor) } }

  /// -2 ends the connection.
  func read(at position: UInt64, into buffer: UnsafeMutablePointer<CChar>, _ size: Int) -> Int {
    guard position < length else { return -2 }
    let count = Int(min(UInt64(size), length - position))
    switch body {
    case .bytes(let bytes):
      for (index, byte) in bytes[Int(position)...].prefix(count).enumerated() {
        unsafe buffer[index] = CChar(bitPattern: byte)
      }
      return count
    case .file(let descriptor, let offset, _):
      let got = unsafe pread(descriptor, buffer, count, Int(offset + position))
      return got > 0 ? got : -2
    }
  }
}
