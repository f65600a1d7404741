import Synchronization

/// Something a Lua task waits for outside of Lua.
public struct LuaAwait {
  /// Begins the work; answers how to cancel it.
  let start: (_ id: UInt64, _ inbox: LuaInbox) -> @Sendable () -> Void
  /// Takes the result on the Lua thread.
  let finish: LuaBody

  /// `work` runs as a detached Swift task, on `executor` where there is one; `then` gets its result,
  /// or what it threw, on the Lua thread. `left` is called, before the work is cancelled, where the
  /// Lua task is stopped, be the result there or not: then nobody takes it any more.
  public init<Value: Sendable>(
    on executor: (any TaskExecutor)? = nil, left: @escaping @Sendable () -> Void = {},
    _ work: @escaping @Sendable () async throws -> Value,
    then: @escaping (borrowing LuaCall, Result<Value, any Error>) throws -> LuaReturn
  ) {
    let result = AwaitedResult<Value>()
    start = { id, inbox in
      let task = Task.detached(executorPreference: executor) {
        do { result.set(.success(try await work())) } catch { result.set(.failure(error)) }
        inbox.send(.completed(id))
      }
      return {
        left()
        task.cancel()
      }
    }
    finish = { call in
      guard let value = result.take() else { throw LuaError("an await ended without a result") }
      return try then(call, value)
    }
  }

  /// `begin` starts something that calls `end` once, from any thread, and answers how to cancel it;
  /// no Swift task waits, which thousands of long waits notice.
  public init<Value: Sendable>(
    starting begin:
      @escaping (_ end: @escaping @Sendable (Result<Value, any Error>) -> Void) ->
      @Sendable () -> Void,
    then: @escaping (borrowing LuaCall, Result<Value, any Error>) throws -> LuaReturn
  ) {
    let result = AwaitedResult<Value>()
    start = { id, inbox in
      begin { value in
        result.set(value)
        inbox.send(.completed(id))
      }
    }
    finish = { call in
      guard let value = result.take() else { throw LuaError("an await ended without a result") }
      return try then(call, value)
    }
  }
}

/// Carries a result from the thread where it came about to the Lua thread.
private final class AwaitedResult<Value: Sendable>: Sendable {
  private let value = Mutex<Result<Value, any Error>?>(nil)

  func set(_ result: Result<Value, any Error>) { value.withLock { $0 = result } }
  func take() -> Result<Value, any Error>? { value.withLock { $0.take() } }
}

/// An await under way, on the Lua thread's side.
struct PendingAwait {
  /// The waiting task; nil where the caller blocks in place.
  let task: TaskHandle?
  let cancel: @Sendable () -> Void
  let finish: LuaBody
  var completed = false
}
