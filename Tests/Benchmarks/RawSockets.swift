import Glibc

/// The peer of the transport: ten plain sockets, each sending the same request as soon as the last
/// answer is there. Nothing can use ten connections better.
enum RawSockets {
  /// Sends `count` requests.
  ///
  /// - Returns: the time it took, connecting included.
  static func measure(_ count: Int, port: Int, connections: Int = 10) throws -> Duration {
    let request = Array("GET /jobs HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n".utf8)
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    let start = ContinuousClock.now
    var watched: [pollfd] = []
    defer { for entry in watched { close(entry.fd) } }
    for _ in 0..<connections {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      watched.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
      var address = sockaddr_in.loopback(port: port)
      let length = socklen_t(MemoryLayout<sockaddr_in>.size)
      guard unsafe address.withPointer({ unsafe connect(descriptor, $0, length) }) == 0 else {
        throw UsageError("transport: no connection to port \(port)")
      }
      var on: Int32 = 1
      unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(4))
    }
    var sent = 0
    var answered = 0
    for entry in watched where sent < count {
      _ = unsafe send(entry.fd, request, request.count, Int32(MSG_NOSIGNAL))
      sent += 1
    }
    while answered < count {
      _ = unsafe poll(&watched, nfds_t(watched.count), -1)
      for entry in watched where entry.revents != 0 {
        guard unsafe read(entry.fd, &buffer, buffer.count) > 0 else {
          throw UsageError("transport: the server closed a connection")
        }
        answered += 1
        if sent < count {
          _ = unsafe send(entry.fd, request, request.count, Int32(MSG_NOSIGNAL))
          sent += 1
        }
      }
    }
    return ContinuousClock.now - start
  }
}
