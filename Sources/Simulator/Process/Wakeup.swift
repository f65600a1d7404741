import CMicrohttpd
import Glibc

/// Wakes threads that wait on descriptors.
struct Wakeup: ~Copyable, Sendable {
  let descriptor: Int32

  init() throws(FileFailure) {
    descriptor = hpc_eventfd()
    guard descriptor >= 0 else { throw FileFailure(call: "eventfd", path: "", code: errno) }
  }

  deinit { _ = close(descriptor) }

  /// Makes the descriptor readable.
  func signal() {
    var count: UInt64 = 1
    _ = unsafe write(descriptor, &count, 8)
  }

  /// Makes it unreadable again.
  func clear() {
    var count: UInt64 = 0
    _ = unsafe read(descriptor, &count, 8)
  }

  /// Waits until the descriptor is readable, without clearing it.
  ///
  /// - Returns: false where the time ran out first.
  func wait(_ timeout: Duration) -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + timeout
    while true {
      let rest = clock.now.duration(to: end)
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if unsafe poll(&polled, 1, pollMilliseconds(rest)) > 0 { return true }
      if rest <= .zero { return false }
    }
  }
}

/// A duration as poll wants it: rounded up, at most a day.
func pollMilliseconds(_ duration: Duration) -> Int32 {
  guard duration > .zero else { return 0 }
  return Int32(min(86_400_000, (duration / .milliseconds(1)).rounded(.up)))
}
