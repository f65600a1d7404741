import Glibc
import HTTP

/// The one thread of a ``ScriptedServer``: poll over the listener and every connection.
///
/// `@unchecked Sendable`: made, then handed to its thread, which alone touches it from there on.
final class ServerLoop: @unchecked Sendable {
  typealias Instant = ContinuousClock.Instant

  private let listener: Int32
  private let wakeUp: Int32
  private var connections: [Int32: ServerConnection] = [:]
  private var accepted = 0

  init(listener: Int32, wakeUp: Int32) {
    self.listener = listener
    self.wakeUp = wakeUp
  }

  func start(for server: ScriptedServer) {
    // The thread must not keep the server alive, or nobody could end it.
    DetachedThread.start { [self, weak server] in run { server } }
  }

  private func run(_ server: () -> ScriptedServer?) {
    var timeout: Int32 = -1
    while true {
      let ready = wait(timeout)
      guard let server = server(), !server.isStopping, ready[wakeUp] == nil else { break }
      serve(ready, server)
      if ready[listener] != nil {
        // Whoever closed before connecting anew must not be counted twice.
        serve(wait(0), server)
        acceptOne(server)
      }
      timeout = runTimers(server)
    }
    for descriptor in connections.keys { close(descriptor) }
    close(listener)
    close(wakeUp)
  }

  /// Events by descriptor.
  private func wait(_ timeout: Int32) -> [Int32: Int32] {
    var watched = [
      pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
    ]
    for connection in connections.values {
      let events = connection.writes ? POLLIN | POLLOUT : POLLIN
      watched.append(pollfd(fd: connection.descriptor, events: Int16(events), revents: 0))
    }
    guard unsafe poll(&watched, nfds_t(watched.count), timeout) > 0 else { return [:] }
    var ready: [Int32: Int32] = [:]
    for entry in watched where entry.revents != 0 { ready[entry.fd] = Int32(entry.revents) }
    return ready
  }

  private func serve(_ ready: [Int32: Int32], _ server: ScriptedServer) {
    for (descriptor, events) in ready {
      guard let connection = connections[descriptor] else { continue }
      if events & (POLLIN | POLLHUP | POLLERR) != 0 { connection.read(server) }
      advance(connection, server)
    }
  }

  private func acceptOne(_ server: ScriptedServer) {
    let descriptor = accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var on: Int32 = 1
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(4))
    connections[descriptor] = ServerConnection(descriptor, number: accepted)
    accepted += 1
    server.update {
      $0.accepted += 1
      $0.open += 1
    }
  }

  /// Milliseconds to the next pause's end.
  private func runTimers(_ server: ScriptedServer) -> Int32 {
    for connection in connections.values where connection.pausedUntil != nil {
      advance(connection, server)
    }
    let now = Instant.now
    let next = connections.values.compactMap(\.pausedUntil).min()
    return next.map { Int32(max(0, min(60_000, ($0 - now) / .milliseconds(1)) + 1)) } ?? -1
  }

  private func advance(_ connection: ServerConnection, _ server: ScriptedServer) {
    switch connection.advance(server) {
    case .reads: connection.writes = false
    case .writes: connection.writes = true
    case .closed(let reset):
      if reset {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
          connection.descriptor, SOL_SOCKET, SO_LINGER, &linger,
          socklen_t(MemoryLayout<Glibc.linger>.size))
      }
      connections[connection.descriptor] = nil
      close(connection.descriptor)
      server.update { $0.open -= 1 }
    }
  }
}
