import CLua
import CLuaShim

/// Owner of a state in C: opens it, closes it, and hands its callbacks on to the ``LuaState``.
@safe final class LuaMachine {
  let runtime: OpaquePointer

  init(ignoresEnvironment: Bool) throws {
    var callbacks = LuaMachine.callbacks
    guard let runtime = unsafe lrt_open(&callbacks, ignoresEnvironment) else {
      throw LuaError("not enough memory for a Lua state")
    }
    unsafe self.runtime = runtime
  }

  deinit { close() }

  /// Runs what finalizers are left. Called outside of `deinit`, the process must end before that.
  func close() { unsafe lrt_close(runtime) }

  func connect(to state: LuaState, inbox: LuaInbox) {
    unsafe lrt_set_context(
      runtime, Unmanaged.passUnretained(state).toOpaque(), inbox.descriptor)
  }

  var mainStack: LuaStack { unsafe LuaStack(lrt_main(runtime)) }

  // MARK: Values

  func build(_ program: ValueProgram, on stack: LuaStack) -> (status: Int32, count: Int32) {
    var count: Int32 = 0
    let status = unsafe program.bytes.withUnsafeBufferPointer { bytes in
      unsafe lrt_build(
        runtime, stack.state, bytes.baseAddress, bytes.count, program.usesStack, &count)
    }
    return (status, count)
  }

  /// Calls the function below the arguments; on failure error value and traceback are on top.
  func call(arguments: Int32, on stack: LuaStack) -> (status: Int32, results: Int32) {
    var results: Int32 = 0
    let status = unsafe lrt_call(runtime, stack.state, arguments, &results)
    return (status, results)
  }

  // MARK: Answers of Swift functions

  func setDetail(_ detail: UInt64) { unsafe lrt_set_detail(runtime, detail) }

  func setErrorType(_ key: Int32) { unsafe lrt_set_error_type(runtime, key) }

  func awaitMode(on stack: LuaStack) -> AwaitMode {
    AwaitMode(rawValue: unsafe lrt_await_mode(runtime, stack.state)) ?? .refuse
  }

  /// Whether the running task, or a call from outside of tasks, has been interrupted or cancelled.
  var mustStop: Bool { unsafe lrt_must_stop(runtime) }

  func pushStopMessage(on stack: LuaStack) { unsafe lrt_push_stop_message(runtime, stack.state) }

  // MARK: Tasks

  var current: TaskHandle? { unsafe lrt_current(runtime).map { unsafe TaskHandle($0) } }
  var foreground: TaskHandle? { unsafe lrt_foreground(runtime).map { unsafe TaskHandle($0) } }
  var alive: Int { Int(unsafe lrt_alive(runtime)) }
  var hasReady: Bool { unsafe lrt_ready(runtime) }
  var nextTimer: UInt64 { unsafe lrt_next_timer(runtime) }
  var waitingOutside: Int { Int(unsafe lrt_waiting_outside(runtime)) }

  /// Spawns the function below the arguments; its task is left on top.
  func spawn(arguments: Int32, as role: TaskRole, token: UInt64, on stack: LuaStack) -> Int32 {
    var task: OpaquePointer?
    let flags = role.flags | (token != 0 ? LRT_NOTIFY : 0)
    return unsafe lrt_spawn(runtime, stack.state, arguments, Int32(flags), token, &task)
  }

  /// Runs ready tasks for a while; true when any ran.
  func step(nanoseconds: UInt64) -> Bool { unsafe lrt_step(runtime, nanoseconds) }
  func wake(_ task: TaskHandle, await: UInt64) { unsafe lrt_wake(runtime, task.task, `await`) }
  func stop(_ task: TaskHandle, _ reason: StopReason) {
    unsafe lrt_stop(runtime, task.task, reason.rawValue)
  }
  func stopAll(_ reason: StopReason) { unsafe lrt_stop_all(runtime, reason.rawValue) }

  /// Stops the task whose userdata lies at an index; false if there is none.
  func stopTask(at index: Int32, on stack: LuaStack, _ reason: StopReason) -> Bool {
    guard let task = unsafe lrt_to_task(runtime, stack.state, index) else { return false }
    unsafe lrt_stop(runtime, task, reason.rawValue)
    return true
  }

  func state(ofTaskAt index: Int32, on stack: LuaStack) -> LuaTaskState? {
    guard let task = unsafe lrt_to_task(runtime, stack.state, index) else { return nil }
    return LuaTaskState(rawValue: unsafe lrt_task_state(task).rawValue)
  }

  /// Pushes what an ended task left on the main stack: its results, or error value, text (nil unless
  /// the foreground failed) and traceback.
  func outcome(of task: TaskHandle) -> (status: Int32, count: Int32) {
    var count: Int32 = 0
    let status = unsafe lrt_task_outcome(runtime, task.task, &count)
    return (status, count)
  }

  var hasFailures: Bool { unsafe lrt_has_failures(runtime) }
  func report(all: Bool) { unsafe lrt_report(runtime, all) }
  func collectGarbage() { unsafe lrt_collect(runtime) }

  // MARK: Interrupts

  func catchSignals() { unsafe lrt_catch_signals(runtime) }
  func releaseSignals() { unsafe lrt_release_signals(runtime) }
  func leaveSignals() { unsafe lrt_leave_signals(runtime) }
  func forgetLastSignal() { lrt_forget_last_signal() }
  func interrupt(signal: Int32) { unsafe lrt_interrupt(runtime, signal) }
  @discardableResult
  func takeInterrupt() -> Bool { unsafe lrt_take_interrupt(runtime) }
  func takenInterrupt() -> Int32 { unsafe lrt_taken_interrupt(runtime) }
  var isInterrupted: Bool { unsafe lrt_is_interrupted(runtime) }
  func interruptsEverything(_ everything: Bool) {
    unsafe lrt_interrupts_everything(runtime, everything)
  }

  // MARK: Callbacks

  private static let callbacks = unsafe lrt_callbacks(
    call: { context, stack, function in
      guard let context = unsafe context, let stack = unsafe stack, let function = unsafe function
      else { return AnswerCode.raise }
      let state = unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
      let box = unsafe Unmanaged<FunctionBox>.fromOpaque(function).takeUnretainedValue()
      return unsafe state.perform(box.body, on: LuaStack(stack))
    },
    resume: { context, stack, id in
      guard let context = unsafe context, let stack = unsafe stack else { return AnswerCode.raise }
      let state = unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
      return unsafe state.resume(await: id, on: LuaStack(stack))
    },
    cancel: { context, id in
      guard let context = unsafe context else { return }
      unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue().cancel(await: id)
    },
    block: { context, stack, until in
      guard let context = unsafe context else { return false }
      return unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
        .block(until: until)
    },
    ended: { context, task, token in
      guard let context = unsafe context, let task = unsafe task else { return }
      unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
        .ended(TaskHandle(task), token: token)
    },
    failed: { context, stack in
      guard let context = unsafe context, let stack = unsafe stack else { return }
      unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
        .failed(on: LuaStack(stack))
    },
    dropped: { context, stack in
      guard let context = unsafe context, let stack = unsafe stack else { return }
      unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
        .dropped(on: LuaStack(stack))
    },
    idle_interrupt: { context, signal in
      guard let context = unsafe context else { return }
      unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
        .idleInterrupt?(signal)
    },
    release: { object in
      guard let object = unsafe object else { return }
      unsafe Unmanaged<AnyObject>.fromOpaque(object).release()
    },
    leave: { context in
      guard let context = unsafe context else { return }
      unsafe Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue().leave()
    })
}

/// How an await may be carried out where its caller stands.
enum AwaitMode: Int32 {
  case yield, block, refuse, stopped
}

/// What a task is to the loop.
enum TaskRole {
  case background, foreground, program

  fileprivate var flags: Int {
    switch self {
    case .background: 0
    case .foreground: LRT_FOREGROUND
    case .program: LRT_FOREGROUND | LRT_PROGRAM
    }
  }
}

/// Why a task is stopped.
enum StopReason: Int32 {
  case cancel = 1
  case interrupt, deadlock
}

/// A task that has not ended.
@safe struct TaskHandle {
  fileprivate let task: OpaquePointer

  fileprivate init(_ task: OpaquePointer) { unsafe self.task = task }

  var state: LuaTaskState {
    LuaTaskState(rawValue: unsafe lrt_task_state(task).rawValue) ?? .running
  }

  static func == (one: TaskHandle, other: TaskHandle) -> Bool { unsafe one.task == other.task }

  /// Why it was stopped; nil: it was not.
  var stopReason: StopReason? { StopReason(rawValue: unsafe lrt_task_stop(task)) }
}

/// What a task does.
public enum LuaTaskState: UInt32, Sendable {
  case ready, running, waiting, done, failed, cancelled

  /// Whether it has ended.
  public var isEnd: Bool { rawValue >= LuaTaskState.done.rawValue }
}
