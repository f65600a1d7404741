import Glibc

/// A thread that no signal is delivered to: SIGINT and SIGTERM are the main thread's business.
final class LoopThread: Sendable {
  private let ended: EndMark

  /// Starts a thread.
  ///
  /// - Returns: nil where the system has no room for another one.
  init?(_ run: @escaping @Sendable () -> Void) {
    ended = EndMark()
    var blocked = sigset_t()
    unsafe sigfillset(&blocked)
    // Faults of the thread itself must not be held back.
    for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] {
      unsafe sigdelset(&blocked, fault)
    }
    var before = sigset_t()
    unsafe pthread_sigmask(SIG_SETMASK, &blocked, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }

    let box = unsafe Unmanaged.passRetained(Body(run: run, ended: ended))
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
        body.run()
        body.ended.set()
        return nil
      }, box.toOpaque())
    guard code == 0 else {
      unsafe box.release()
      return nil
    }
    pthread_detach(thread)
  }

  /// Waits for the thread's end, at most for `limit`.
  func waitForEnd(within limit: Duration) { ended.wait(within: limit) }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    let ended: EndMark

    init(run: @escaping @Sendable () -> Void, ended: EndMark) {
      self.run = run
      self.ended = ended
    }
  }
}

/// Set once, waited for with a time limit.
///
/// `@unchecked Sendable`: the semaphore stays at one address from `init` to `deinit`, and POSIX
/// allows `sem_post` and `sem_timedwait` on it from any thread.
@safe private final class EndMark: @unchecked Sendable {
  private let semaphore: UnsafeMutablePointer<sem_t>

  init() {
    unsafe semaphore = .allocate(capacity: 1)
    unsafe semaphore.initialize(to: sem_t())
    unsafe sem_init(semaphore, 0, 0)
  }

  deinit {
    unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  func set() { unsafe sem_post(semaphore) }

  func wait(within limit: Duration) {
    var deadline = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &deadline)
    let (seconds, attoseconds) = limit.components
    let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
    deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
    deadline.tv_nsec = nanoseconds % 1_000_000_000
    while unsafe sem_timedwait(semaphore, &deadline) != 0 && errno == EINTR {}
  }
}
