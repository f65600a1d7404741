import CCurl
import Glibc
import Synchronization

/// A thread that no signal is delivered to: SIGINT and SIGTERM are the main thread's business.
final class LoopThread: Sendable {
  /// nil once it has ended and was joined.
  private let thread: Mutex<pthread_t?>

  /// Starts a thread.
  ///
  /// - Returns: nil where the system has no room for another one.
  init?(_ run: @escaping @Sendable () -> Void) {
    var blocked = sigset_t()
    unsafe sigfillset(&blocked)
    // Faults of the thread itself must not be held back.
    for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] {
      unsafe sigdelset(&blocked, fault)
    }
    var before = sigset_t()
    unsafe pthread_sigmask(SIG_SETMASK, &blocked, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }

    let box = unsafe Unmanaged.passRetained(Body(run: run))
    var started = pthread_t()
    let code = unsafe pthread_create(
      &started, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    guard code == 0 else {
      unsafe box.release()
      return nil
    }
    thread = Mutex(started)
  }

  deinit {
    thread.withLock { thread in
      if let thread { _ = pthread_detach(thread) }
    }
  }

  /// Waits for the thread's end, at most for `limit`: to the end of what libraries do when a thread
  /// of theirs ends, which must not meet what they do when the process exits.
  func waitForEnd(within limit: Duration) {
    var deadline = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &deadline)
    let (seconds, attoseconds) = limit.components
    let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
    deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
    deadline.tv_nsec = nanoseconds % 1_000_000_000
    let until = deadline
    thread.withLock { thread in
      guard let running = thread else { return }
      var until = until
      if unsafe pthread_timedjoin_np(running, nil, &until) == 0 { thread = nil }
    }
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
