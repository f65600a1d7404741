public import Sweeps
import Synchronization

/// Shows how far a run is, on stderr.
public struct ProgressOutput: Sendable {
  /// Whether a line can be written over.
  public var isTerminal: Bool
  /// Cells of a line.
  public var width: @Sendable () -> Int
  /// Shows a line in place of the one before; nil takes it away. On a terminal only.
  public var show: @Sendable (String?) -> Void

  public init(
    isTerminal: Bool, width: @escaping @Sendable () -> Int,
    show: @escaping @Sendable (String?) -> Void
  ) {
    self.isTerminal = isTerminal
    self.width = width
    self.show = show
  }
}

/// What `s:run()` means in this program: `hpc sweep plan FILE.lua` plans, `hpc sweep step FILE.lua`
/// steps (design §6).
public enum SweepMode: String, Sendable {
  case run, plan, step
}

/// How a program ends whose script raises nothing: the last run or step of a sweep decides.
public final class ProgramOutcome: Sendable {
  private let value = Atomic<Int32>(0)

  public init() {}

  /// Exit status.
  public var status: Int32 {
    get { value.load(ordering: .relaxed) }
    set { value.store(newValue, ordering: .relaxed) }
  }
}

/// The runs of sweeps in this process that were told to detach, which a program on its way out lets
/// settle.
public final class RunningSweeps: Sendable {
  private struct State {
    var last = 0
    /// Runs under way that were told to detach, by token.
    var detaching: [Int: SweepSession] = [:]
    /// Runs under way, by token.
    var running: [Int: SweepSession] = [:]
    var callers: [LuaCaller] = []
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  public init() {}

  /// Names of those that were told to detach and have not ended yet.
  public var detaching: [String] {
    state.withLock { Set($0.detaching.values.map(\.name)).sorted() }
  }

  /// Those that were told to detach and have not ended yet.
  public var detachingSessions: [SweepSession] {
    state.withLock { state in
      var sessions: [SweepSession] = []
      for session in state.detaching.values where !sessions.contains(where: { $0 === session }) {
        sessions.append(session)
      }
      return sessions.sorted { $0.name < $1.name }
    }
  }

  /// Names of those under way.
  public var underWay: [String] {
    state.withLock { Set($0.running.values.map(\.name)).sorted() }
  }

  /// Runs a sweep; what cancels it has `detach` called.
  func running<Value: Sendable>(
    _ session: SweepSession, detach: @escaping @Sendable () async -> Void,
    _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    let token = state.withLock { state in
      state.last += 1
      state.running[state.last] = session
      return state.last
    }
    defer { end(token) }
    return try await withTaskCancellationHandler {
      try await body()
    } onCancel: {
      state.withLock { state in
        if state.running[token] != nil { state.detaching[token] = session }
      }
      Task.detached { await detach() }
    }
  }

  private func end(_ token: Int) {
    let waiting = state.withLock { state in
      state.running[token] = nil
      state.detaching[token] = nil
      guard state.detaching.isEmpty else { return [CheckedContinuation<Void, Never>]() }
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Returns when none is detaching any more.
  public func detached() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if !state.detaching.isEmpty { state.waiting.append(continuation) }
        return state.detaching.isEmpty
      }
      if isOver { continuation.resume() }
    }
  }

  /// True while the loop does not turn, so that no function of Lua is called.
  public func pauseFunctions(_ isPaused: Bool) {
    for caller in state.withLock({ $0.callers }) { caller.isPaused = isPaused }
  }

  func add(_ caller: LuaCaller) { state.withLock { $0.callers.append(caller) } }
}
