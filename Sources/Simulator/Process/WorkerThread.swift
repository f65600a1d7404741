import CMicrohttpd
import Glibc

/// One thread that takes none of the host's signals.
final class WorkerThread: Sendable {
  private let thread: pthread_t

  /// Starts a thread.
  init(_ body: @escaping @Sendable () -> Void) throws(FileFailure) {
    let box = unsafe Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let code = blockingSignals {
      unsafe pthread_create(
        &thread, nil,
        { argument in
          guard let argument = unsafe argument else { return nil }
          unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
          return nil
        }, unsafe box.toOpaque())
    }
    guard code == 0 else {
      unsafe box.release()
      throw FileFailure(call: "pthread_create", path: "", code: code)
    }
    self.thread = thread
  }

  /// Waits for its end; call it once.
  func join() {
    pthread_join(thread, nil)
  }

  private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

/// Runs a body with every signal blocked, so that threads it makes start so.
func blockingSignals<Result>(_ body: () -> Result) -> Result {
  var all = sigset_t()
  var before = sigset_t()
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
  defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
  return body()
}
