import Glibc

/// A server for measurements: `Benchmarks serve LATENCY` answers every GET on loopback after
/// LATENCY milliseconds with an empty list, prints its port, and ends with its standard input.
///
/// One thread, no parsing beyond the end of a request: it must be faster than what is measured.
struct BenchmarkServer {
  private static let answer = Array(
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]".utf8)

  static func run(_ arguments: [String]) throws {
    guard let latency = arguments.first.flatMap({ Int($0) }) else {
      throw UsageError("serve LATENCY-IN-MILLISECONDS")
    }
    var server = try BenchmarkServer(latency: .milliseconds(latency))
    print(#"{"port": \#(server.port)}"#)
    fflush(nil)
    server.serve()
  }

  private let listener: Int32
  private let port: Int
  private let latency: Duration
  private var connections: [Int32] = []
  /// Answers that are due, the earliest first: all are delayed alike.
  private var due: [(at: ContinuousClock.Instant, descriptor: Int32)] = []
  private var sent = 0

  private init(latency: Duration) throws {
    self.latency = latency
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in.loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isListening = unsafe address.withPointer {
      unsafe bind(listener, $0, length) == 0 && listen(listener, 64) == 0
        && getsockname(listener, $0, &length) == 0
    }
    guard isListening else { throw UsageError("serve: no port (errno \(errno))") }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  private mutating func serve() {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      var watched = [pollfd(fd: 0, events: Int16(POLLIN), revents: 0)]
      watched.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
      for descriptor in connections {
        watched.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
      }
      _ = unsafe poll(&watched, nfds_t(watched.count), timeout)
      if watched[0].revents != 0 { return }
      if watched[1].revents != 0 { acceptOne() }
      for entry in watched.dropFirst(2) where entry.revents != 0 {
        let count = unsafe read(entry.fd, &buffer, buffer.count)
        if count <= 0 {
          connections.removeAll { $0 == entry.fd }
          due.removeAll { $0.descriptor == entry.fd }
          sent = 0
          close(entry.fd)
        } else if buffer[..<count].suffix(4).elementsEqual([13, 10, 13, 10]) {
          if latency == .zero {
            reply(entry.fd)
          } else {
            due.append((.now + latency, entry.fd))
          }
        }
      }
      replyToDue()
    }
  }

  private var timeout: Int32 {
    guard sent < due.count else { return -1 }
    let left = due[sent].at - .now
    return Int32(max(0, (left / .milliseconds(1)).rounded(.up)))
  }

  private mutating func replyToDue() {
    let now = ContinuousClock.now
    while sent < due.count && due[sent].at <= now {
      reply(due[sent].descriptor)
      sent += 1
    }
    if sent > 1000 || sent == due.count {
      due.removeFirst(sent)
      sent = 0
    }
  }

  private func reply(_ descriptor: Int32) {
    _ = unsafe send(descriptor, Self.answer, Self.answer.count, Int32(MSG_NOSIGNAL))
  }

  private mutating func acceptOne() {
    let descriptor = accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    var on: Int32 = 1
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(4))
    connections.append(descriptor)
  }
}

extension sockaddr_in {
  static func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return address
  }

  mutating func withPointer<R>(_ body: (UnsafeMutablePointer<sockaddr>) -> R) -> R {
    unsafe withUnsafeMutablePointer(to: &self) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0) }
    }
  }
}
