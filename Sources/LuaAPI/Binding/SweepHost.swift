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

/// The runs of sweeps in this process, which a program on its way out lets settle.
public final class RunningSweeps: Sendable {
  private struct State {
    var open: [String: Int] = [:]
    var callers: [LuaCaller] = []
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  public init() {}

  /// Whether none is under way.
  public var isEmpty: Bool { state.withLock { $0.open.isEmpty } }

  /// Names of those under way.
  public var names: [String] { state.withLock { $0.open.keys.sorted() } }

  /// Runs a sweep and counts it meanwhile.
  func counting<Value: Sendable>(
    _ name: String, _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    state.withLock { $0.open[name, default: 0] += 1 }
    defer {
      let waiting = state.withLock { state in
        let left = state.open[name, default: 1] - 1
        state.open[name] = left > 0 ? left : nil
        guard state.open.isEmpty else { return [CheckedContinuation<Void, Never>]() }
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in waiting { continuation.resume() }
    }
    return try await body()
  }

  /// Returns when none is under way.
  public func drained() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if !state.open.isEmpty { state.waiting.append(continuation) }
        return state.open.isEmpty
      }
      if isEmpty { continuation.resume() }
    }
  }

  /// True while the loop does not turn, so that no function of Lua is called.
  public func pauseFunctions(_ isPaused: Bool) {
    for caller in state.withLock({ $0.callers }) { caller.isPaused = isPaused }
  }

  func add(_ caller: LuaCaller) { state.withLock { $0.callers.append(caller) } }
}
