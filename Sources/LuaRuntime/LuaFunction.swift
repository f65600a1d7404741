/// A Swift function for Lua. It runs on the thread of the Lua loop and may call back into Lua.
///
/// What it throws becomes an error of Lua: a ``LuaError`` as it says, any other error through
/// ``LuaState/describeError``. It must not capture the ``LuaState`` strongly (use `call.state`):
/// the state owns the function.
public typealias LuaBody = (borrowing LuaCall) throws -> LuaReturn

/// The end of the process from within Lua. First the to-be-closed variables of all tasks are closed,
/// the main one's first; then come `before`, the finalizers, and `end`.
public struct LuaExit {
  let before: () -> Void
  let end: () -> Never

  public init(before: @escaping () -> Void, end: @escaping () -> Never) {
    self.before = before
    self.end = end
  }
}

/// What a Swift function answers.
public enum LuaReturn {
  /// Results.
  case values([LuaValue])
  /// Waits outside of Lua first; see ``LuaAwait``.
  case await(LuaAwait)
  /// Calls a Lua function (which may await) and returns its results.
  case call(LuaReference, [LuaValue])
  /// Ends the process, as `os.exit(status, true)` does: nothing can catch it.
  case exit(LuaExit)

  /// No result.
  public static var nothing: LuaReturn { .values([]) }

  /// One result.
  public static func value(_ value: LuaValue) -> LuaReturn { .values([value]) }

  /// Waits for `work`, which runs elsewhere as `starter` says, then answers with `then`, which runs on
  /// the Lua thread; the arguments of the call are still there. When the Lua task is cancelled or
  /// interrupted, so is the work, and its result is dropped.
  @inlinable
  public static func await<Value: Sendable>(
    by starter: @escaping LuaAwait.Starter = LuaAwait.task(on: nil),
    _ work: @escaping @Sendable () async throws -> Value,
    then: @escaping (borrowing LuaCall, Value) throws -> LuaReturn
  ) -> LuaReturn {
    .await(LuaAwait(by: starter, work) { call, result in try then(call, try result.get()) })
  }
}

/// The body and the name that argument errors show where Lua itself knows none.
final class FunctionBox {
  let name: String
  let body: LuaBody

  init(name: String, body: @escaping LuaBody) {
    self.name = name
    self.body = body
  }
}
