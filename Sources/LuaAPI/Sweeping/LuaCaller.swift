import LuaRuntime
import Synchronization

/// Calls Lua functions from anywhere; each call runs as a task of the Lua loop (design §2).
final class LuaCaller: Sendable {
  /// Work for the Lua thread.
  private struct Request: Sendable {
    let run: @Sendable (LuaState) -> Void
  }

  private struct Pending {
    var isPaused = false
    var last: UInt64 = 0
    var calls: [UInt64: @Sendable () -> Void] = [:]
  }

  private let port: LuaPort<Request>
  private let pending = Mutex(Pending())

  /// - Parameter state: whose loop runs the calls; must be the current thread's.
  init(_ state: LuaState) {
    port = state.port(of: Request.self) { state, request in request.run(state) }
  }

  /// Calls a function and waits for its results.
  ///
  /// - Parameters:
  ///   - function: a function of Lua.
  ///   - arguments: makes the arguments, on the Lua thread.
  ///   - read: takes the results, on the Lua thread.
  /// - Returns: what `read` made of them.
  /// - Throws: the function's error; `CancellationError` when the caller is cancelled or Lua ends.
  func call<Value: Sendable>(
    _ function: LuaReference, arguments: @escaping @Sendable (LuaState) throws -> [LuaValue],
    read: @escaping @Sendable (LuaState, [LuaValue]) throws -> Value
  ) async throws -> Value {
    let answer = Answer<Value>()
    let id = try begin { answer.resolve(.failure(CancellationError())) }
    defer { pending.withLock { _ = $0.calls.removeValue(forKey: id) } }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        guard answer.wait(continuation) else { return }
        port.post(
          Request { state in
            do {
              try state.spawn(function, try arguments(state)) { [unowned state] result in
                answer.resolve(Result { try read(state, try result.get()) })
              }
            } catch {
              answer.resolve(.failure(error))
            }
          })
      }
    } onCancel: {
      answer.resolve(.failure(CancellationError()))
    }
  }

  /// While the loop does not turn nobody would answer: calls are cancelled, those under way too.
  var isPaused: Bool {
    get { pending.withLock { $0.isPaused } }
    set {
      let calls = pending.withLock { pending in
        pending.isPaused = newValue
        guard newValue else { return [UInt64: @Sendable () -> Void]() }
        defer { pending.calls = [:] }
        return pending.calls
      }
      for end in calls.values { end() }
    }
  }

  private func begin(_ end: @escaping @Sendable () -> Void) throws -> UInt64 {
    let id = pending.withLock { pending -> UInt64? in
      guard !pending.isPaused else { return nil }
      pending.last += 1
      pending.calls[pending.last] = end
      return pending.last
    }
    guard let id else { throw CancellationError() }
    return id
  }
}

/// A result that is given once and waited for once.
private final class Answer<Value: Sendable>: Sendable {
  private enum State {
    case new
    case waiting(CheckedContinuation<Value, any Error>)
    case resolved(Result<Value, any Error>)
    case over
  }

  private let state = Mutex(State.new)

  /// Waits with a continuation; false when there was a result, which it got.
  func wait(_ continuation: CheckedContinuation<Value, any Error>) -> Bool {
    let early = state.withLock { state -> Result<Value, any Error>? in
      if case .resolved(let result) = state {
        state = .over
        return result
      }
      state = .waiting(continuation)
      return nil
    }
    guard let early else { return true }
    continuation.resume(with: early)
    return false
  }

  func resolve(_ result: Result<Value, any Error>) {
    let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
      switch state {
      case .new:
        state = .resolved(result)
        return nil
      case .waiting(let continuation):
        state = .over
        return continuation
      case .resolved, .over: return nil
      }
    }
    continuation?.resume(with: result)
  }
}
