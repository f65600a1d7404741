import Glibc

/// What is asked of file descriptors again and again.
package enum Descriptor {
  /// Whether reading would return at once, the end of the input included.
  package static func isReadable(_ descriptor: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&entry, 1, 0) > 0
  }

  /// Reads once.
  ///
  /// - Returns: the bytes; none at the end of the input and when the descriptor is broken.
  package static func read(_ descriptor: Int32, atMost count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, size in
      var result = -1
      repeat {
        result = unsafe Glibc.read(descriptor, buffer.baseAddress, count)
      } while result < 0 && (errno == EINTR || (errno == EAGAIN && waitForInput(descriptor)))
      size = max(0, result)
    }
  }

  /// Writes everything.
  ///
  /// - Returns: false when the descriptor takes no more.
  @discardableResult
  package static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
    let bytes = Array(bytes)
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), bytes.count - done)
      }
      if count < 0 {
        // Another program may have left the terminal non-blocking.
        if errno == EINTR { continue }
        if errno == EAGAIN, waitForOutput(descriptor) { continue }
        return false
      }
      done += count
    }
    return true
  }

  private static func waitForInput(_ descriptor: Int32) -> Bool { wait(descriptor, POLLIN) }

  private static func waitForOutput(_ descriptor: Int32) -> Bool { wait(descriptor, POLLOUT) }

  private static func wait(_ descriptor: Int32, _ events: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return unsafe poll(&entry, 1, -1) >= 0 || errno == EINTR
  }
}
