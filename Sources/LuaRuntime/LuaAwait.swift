public import Synchronization

/// Something a Lua task waits for outside of Lua.
///
/// What depends on the type of the result is inlined: a list of jobs would spend a tenth of its time
/// on the Lua thread looking generic types up.
public struct LuaAwait {
  /// Starts something that calls `end` once, from any thread; answers how to cancel it.
  public typealias Start = (_ end: @escaping @Sendable () -> Void) -> @Sendable () -> Void

  /// Begins the work.
  let start: Start
  /// Takes the result on the Lua thread.
  let finish: LuaBody

  /// - Parameters:
  ///   - start: begins the work.
  ///   - finish: takes its result on the Lua thread.
  public init(start: @escaping Start, finish: @escaping LuaBody) {
    self.start = start
    self.finish = finish
  }

  /// Starts work elsewhere; answers how to cancel it.
  public typealias Starter =
    (_ work: @escaping @Sendable () async -> Void) -> @Sendable () -> Void

  /// Starts a detached Swift task.
  ///
  /// - Parameter executor: where it runs; nil for the global pool.
  public static func task(on executor: (any TaskExecutor)?) -> Starter {
    { work in
      let task = Task.detached(executorPreference: executor) { await work() }
      return { task.cancel() }
    }
  }

  /// `work` runs elsewhere, as `starter` says; `then` gets its result, or what it threw, on the Lua
  /// thread.
  @inlinable
  public init<Value: Sendable>(
    by starter: @escaping Starter = LuaAwait.task(on: nil),
    _ work: @escaping @Sendable () async throws -> Value,
    then: @escaping (borrowing LuaCall, Result<Value, any Error>) throws -> LuaReturn
  ) {
    let result = AwaitedResult<Value>()
    self.init(
      start: { end in
        starter {
          do { result.set(.success(try await work())) } catch { result.set(.failure(error)) }
          end()
        }
      }, finish: { call in try then(call, try result.take()) })
  }

  /// `begin` starts something that calls `end` once, from any thread, and answers how to cancel it;
  /// no Swift task waits, which thousands of long waits notice.
  @inlinable
  public init<Value: Sendable>(
    starting begin:
      @escaping (_ end: @escaping @Sendable (Result<Value, any Error>) -> Void) ->
      @Sendable () -> Void,
    then: @escaping (borrowing LuaCall, Result<Value, any Error>) throws -> LuaReturn
  ) {
    let result = AwaitedResult<Value>()
    self.init(
      start: { end in
        begin { value in
          result.set(value)
          end()
        }
      }, finish: { call in try then(call, try result.take()) })
  }
}

/// Carries a result from the thread where it came about to the Lua thread.
@usableFromInline
final class AwaitedResult<Value: Sendable>: Sendable {
  @usableFromInline let value = Mutex<Result<Value, any Error>?>(nil)

  @inlinable init() {}

  @inlinable func set(_ result: Result<Value, any Error>) { value.withLock { $0 = result } }

  @inlinable func take() throws -> Result<Value, any Error> {
    guard let value = value.withLock({ $0.take() }) else {
      throw LuaError("an await ended without a result")
    }
    return value
  }
}

/// An await under way, on the Lua thread's side.
struct PendingAwait {
  /// The waiting task; nil where the caller blocks in place.
  let task: TaskHandle?
  let cancel: @Sendable () -> Void
  let finish: LuaBody
  var completed = false
}
