import Glibc

/// A thread for what blocks: tests must not block the cooperative pool.
public enum DetachedThread {
  private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  public static func start(_ run: @escaping @Sendable () -> Void) {
    let box = unsafe Unmanaged.passRetained(Body(run))
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    precondition(code == 0, "the system has no thread left for a test")
    pthread_detach(thread)
  }

  /// Runs blocking work on a thread of its own, so that the cooperative pool stays free.
  public static func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
      start { continuation.resume(returning: Result(catching: body)) }
    }
    return try result.get()
  }
}
