import CCurl
import Glibc

/// The sockets that curl waits for, and what wakes the thread: one `poll`.
///
/// With `curl_multi_socket_action` a round costs the sockets that are ready; `curl_multi_perform`
/// polls the socket of every transfer in every round. Belongs to the curl thread.
final class SocketWatch {
  /// A descriptor that has something, in curl's terms.
  struct Ready {
    let descriptor: Int32
    /// `CURL_CSELECT_IN`, `_OUT`, `_ERR`.
    let events: Int32
  }

  let wakeUp: WakeUp
  private var watched: [pollfd]

  init(_ wakeUp: WakeUp) {
    self.wakeUp = wakeUp
    watched = [pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)]
  }

  /// What curl says by its socket callback: `CURL_POLL_IN`, `_OUT`, `_INOUT`, `_REMOVE`.
  func watch(_ descriptor: Int32, _ what: Int32) {
    let index = watched.dropFirst().firstIndex { $0.fd == descriptor }
    guard what != CURL_POLL_REMOVE else {
      if let index { watched.remove(at: index) }
      return
    }
    var events: Int32 = 0
    if what & CURL_POLL_IN != 0 { events |= POLLIN }
    if what & CURL_POLL_OUT != 0 { events |= POLLOUT }
    let entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    if let index { watched[index] = entry } else { watched.append(entry) }
  }

  /// Waits until a socket is ready, somebody wakes the thread, or the time in milliseconds is over.
  func wait(_ timeout: Int32, into ready: inout [Ready]) {
    ready.removeAll(keepingCapacity: true)
    guard unsafe poll(&watched, nfds_t(watched.count), timeout) > 0 else { return }
    if watched[0].revents != 0 { wakeUp.clear() }
    for entry in watched.dropFirst() where entry.revents != 0 {
      let got = Int32(entry.revents)
      var events: Int32 = 0
      if got & (POLLIN | POLLHUP) != 0 { events |= CURL_CSELECT_IN }
      if got & POLLOUT != 0 { events |= CURL_CSELECT_OUT }
      if got & (POLLERR | POLLNVAL) != 0 { events |= CURL_CSELECT_ERR }
      ready.append(Ready(descriptor: entry.fd, events: events))
    }
    // A descriptor that is closed without curl's saying so would make every wait end at once.
    watched.removeAll { Int32($0.revents) & POLLNVAL != 0 }
  }
}

/// A pipe by which any thread wakes the curl thread; open as long as somebody may use it.
final class WakeUp: Sendable {
  /// Readable once there was a signal.
  let descriptor: Int32
  private let end: Int32

  /// nil where no descriptor is left.
  init?() {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { return nil }
    (descriptor, end) = (ends[0], ends[1])
  }

  deinit {
    close(descriptor)
    close(end)
  }

  func signal() { _ = unsafe write(end, "w", 1) }

  /// Forgets what was signalled (curl thread).
  func clear() {
    var buffer: (UInt64, UInt64) = (0, 0)
    while unsafe read(descriptor, &buffer, 16) == 16 {}
  }
}
