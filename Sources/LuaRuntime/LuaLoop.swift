import CLuaShim

/// How a run ended.
public enum LuaOutcome {
  /// The main chunk returned.
  case returned([LuaValue])
  /// It raised an error.
  case failed(LuaError)
  /// A signal (its number) stopped it.
  case interrupted(signal: Int32)
}

/// A file descriptor that the loop watches.
struct Watch {
  let descriptor: Int32
  let read: Bool
  let write: Bool
  let ready: (LuaState) -> Void
}

/// Names a watch for ``LuaState/unwatch(_:)``.
public struct LuaWatch: Sendable, Hashable {
  let id: UInt64
}

extension LuaState {
  /// Longest time that tasks run before descriptors and messages are looked at again, so that keys
  /// echo under load.
  private static let batch: UInt64 = 1_000_000

  // MARK: Running

  /// Runs a program: functions that `next` answers, one after the other in one main task, until it
  /// answers none and all tasks have ended, or until one fails, as stock lua runs what its command
  /// line names. SIGINT and SIGTERM, if caught, stop everything.
  ///
  /// - Parameters:
  ///   - next: given the results of the function before; answers a function (or whatever is called
  ///     instead) and its arguments, or nothing. It may load code, but await nothing.
  ///   - leavesTasks: whether other tasks go on after it, and signals are for the main task alone.
  ///   - mainFailed: told of the error as soon as the main task has failed by itself, while others
  ///     may go on.
  public func run(
    program next: @escaping ([LuaValue]) throws -> [LuaValue], leavesTasks: Bool = false,
    mainFailed: @escaping (LuaError) -> Void = { _ in }
  ) throws -> LuaOutcome {
    let results = Int(LRT_PROGRAM_RESULTS)
    let program = try function("program") { .values(try next(try $0.values(from: results))) }
    machine.interruptsEverything(!leavesTasks)
    defer {
      machine.interruptsEverything(false)
      if leavesTasks { machine.forgetLastSignal() }
    }
    let outcome = try runMain(program, [], as: .program, failed: mainFailed) {
      $0 || !leavesTasks && machine.alive > 0
    }
    if !leavesTasks { reportFailures(all: true) }
    return outcome
  }

  /// Runs a program of one function.
  public func run(_ function: LuaReference, arguments: [LuaValue] = []) throws -> LuaOutcome {
    var call = [.reference(function)] + arguments
    return try run(program: { _ in
      defer { call = [] }
      return call
    })
  }

  /// Runs a function as the foreground task and answers when it ends; background tasks go on. SIGINT
  /// and SIGTERM, if caught, stop only the foreground.
  public func runForeground(_ function: LuaReference, arguments: [LuaValue] = []) throws
    -> LuaOutcome
  {
    // Once the foreground has ended, its Ctrl-C has done its work: the next one is a first one.
    defer { machine.forgetLastSignal() }
    return try runMain(function, arguments, as: .foreground) { $0 }
  }

  /// Runs the loop (background tasks, messages, watched descriptors) until `condition` holds, which
  /// is looked at after every turn. Failed tasks are reported at once: no program is there to join
  /// them.
  public func wait(until condition: () -> Bool) {
    while !condition() {
      turn(deadlocks: false)
      reportFailures(all: true)
    }
  }

  /// Delivers a SIGINT or SIGTERM that has come and that nobody has looked at, as a turn of the loop
  /// would.
  public func takeInterrupt() { _ = machine.takeInterrupt() }

  /// Starts a Lua function as a background task; `then` gets its results or its error, on this
  /// thread. Without `then` an error is reported like that of any task nobody joins. Answers the
  /// Task as Lua sees it.
  @discardableResult
  public func spawn(
    _ function: LuaReference, _ arguments: [LuaValue] = [],
    then: ((Result<[LuaValue], LuaError>) -> Void)? = nil
  ) throws -> LuaReference {
    try start(function, arguments, as: .background, then: then)
  }

  /// Cancels a task, as its method `cancel` does; false if the reference is none.
  @discardableResult
  public func cancel(_ task: LuaReference) -> Bool {
    with(task) { machine.stopTask(at: $0, on: stack, .cancel) }
  }

  /// Whether the foreground task runs now, and not another one or Swift.
  public var isForegroundRunning: Bool {
    guard let current = machine.current, let foreground = machine.foreground else { return false }
    return current == foreground
  }

  /// Cancels all tasks.
  public func cancelAll() { machine.stopAll(.cancel) }

  /// What a task does; nil if the reference is none.
  public func taskState(_ task: LuaReference) -> LuaTaskState? {
    with(task) { machine.state(ofTaskAt: $0, on: stack) }
  }

  /// How many tasks have not ended.
  public var aliveTasks: Int { machine.alive }

  // MARK: From outside

  /// Watches a descriptor while the loop waits; `ready` runs on this thread outside of Lua.
  public func watch(
    _ descriptor: Int32, read: Bool = true, write: Bool = false,
    _ ready: @escaping (LuaState) -> Void
  ) -> LuaWatch {
    let id = nextID()
    watches[id] = Watch(descriptor: descriptor, read: read, write: write, ready: ready)
    return LuaWatch(id: id)
  }

  /// Ends a watch.
  public func unwatch(_ watch: LuaWatch) { watches[watch.id] = nil }

  /// A port through which any thread sends messages; `handler` gets them on the Lua thread, outside
  /// of Lua, in the loop, and may ``spawn(_:_:then:)``. Dropping the port ends it.
  public func port<Message: Sendable>(
    of type: Message.Type, handler: @escaping (LuaState, Message) -> Void
  ) -> LuaPort<Message> {
    let id = nextID()
    ports[id] = { state, message in
      if let message = message as? Message { handler(state, message) }
    }
    return LuaPort(id: id, inbox: inbox)
  }

  /// Runs Swift work to its end on this thread, outside of Lua, without turning the loop; nil after
  /// `timeout` or when interrupted. For what must be waited for on the way out.
  public func block<Value: Sendable>(
    timeout: Duration, _ work: @escaping @Sendable () async -> Value
  ) -> Value? {
    var answer: Value?
    let waiting = LuaAwait(work) { _, result in
      answer = try result.get()
      return .nothing
    }
    let id = begin(waiting, for: nil)
    let (seconds, attoseconds) = timeout.components
    let until =
      lrt_now() + UInt64(max(0, seconds)) * 1_000_000_000
      + UInt64(max(0, attoseconds / 1_000_000_000))
    while awaits[id]?.completed != true, lrt_now() < until {
      if !waitForMessage(until: until) { break }
    }
    if awaits[id]?.completed == true {
      _ = try? awaits[id]?.finish(LuaCall(state: self, count: 0))
    }
    cancel(await: id)
    return answer
  }

  // MARK: Interrupts

  /// Routes SIGINT and SIGTERM here, to this thread. The first stops Lua and cancels awaits, a
  /// second within a second ends the process with 130, whatever runs.
  public func catchSignals() { machine.catchSignals() }

  /// Gives the signals back.
  public func releaseSignals() { machine.releaseSignals() }

  /// In place of giving them back, for a program that is about to end: signals stop nothing any
  /// more, but a second one still ends the process with 130 at once, as the first does after ten
  /// seconds. So a program that is interrupted twice ends with 130 wherever the second one meets it.
  public func leaveSignals() { machine.leaveSignals() }

  /// What a first signal does.
  public func interrupt(signal: Int32 = 2) { machine.interrupt(signal: signal) }

  // MARK: Inside

  private func runMain(
    _ function: LuaReference, _ arguments: [LuaValue], as role: TaskRole,
    failed: @escaping (LuaError) -> Void = { _ in },
    while goesOn: (_ mainRuns: Bool) -> Bool
  ) throws -> LuaOutcome {
    _ = machine.takenInterrupt()
    var result: Result<[LuaValue], LuaError>?
    try start(function, arguments, as: role) { [machine] in
      result = $0
      if case .failure(let error) = $0, !machine.isInterrupted { failed(error) }
    }
    while goesOn(result == nil) {
      turn(deadlocks: true)
      reportFailures(all: false)
    }
    let signal = machine.takenInterrupt()
    if signal != 0 { return .interrupted(signal: signal) }
    switch result {
    case .success(let values): return .returned(values)
    case .failure(let error): return .failed(error)
    case nil: return .returned([])
    }
  }

  @discardableResult
  private func start(
    _ function: LuaReference, _ arguments: [LuaValue], as role: TaskRole,
    then: ((Result<[LuaValue], LuaError>) -> Void)?
  ) throws -> LuaReference {
    try balanced {
      try push([.reference(function)] + arguments)
      let token = then == nil ? 0 : nextID()
      if let then { endings[token] = then }
      do {
        try check(
          machine.spawn(
            arguments: Int32(arguments.count), as: role, token: token, on: stack))
        return try popReference()
      } catch {
        endings[token] = nil
        throw error
      }
    }
  }

  /// A task that somebody in Swift follows has ended.
  func ended(_ task: TaskHandle, token: UInt64) {
    guard let then = endings.removeValue(forKey: token) else { return }
    let outer = stack
    stack = machine.mainStack
    defer { stack = outer }
    let result: Result<[LuaValue], LuaError> = balanced {
      let top = stack.top
      let (status, _) = machine.outcome(of: task)
      if status != 0 { return .failure(takeError()) }
      switch task.state {
      case .done: return Result { try read(from: top + 1) }.mapError(asLuaError)
      case .failed: return .failure(takeErrorAndTraceback(hasText: true))
      default:
        return .failure(
          LuaError(
            task.stopReason == .cancel ? "the task was cancelled" : "the task was interrupted"))
      }
    }
    then(result)
  }

  func failed(on stack: LuaStack) {
    let outer = self.stack
    self.stack = stack
    defer { self.stack = outer }
    balanced {
      stack.pushCopy(of: -2)
      stack.pushCopy(of: -2)
      taskFailed?(takeErrorAndTraceback())
    }
  }

  func dropped(on stack: LuaStack) {
    guard let resultsDropped else { return }
    let outer = self.stack
    self.stack = stack
    defer { self.stack = outer }
    balanced {
      stack.pushCopy(of: -1)
      if let results = try? popReference() { resultsDropped(results) }
    }
  }

  private func asLuaError(_ error: any Error) -> LuaError {
    error as? LuaError ?? describeError(error)
  }

  /// One turn: messages, ready tasks, then waiting, unless something has happened that the caller of
  /// the loop may be waiting for.
  private func turn(deadlocks: Bool) {
    // What an interrupt changed the caller of the loop must see before the loop sleeps.
    let interrupted = machine.takeInterrupt()
    let busy = handleMessages() || interrupted
    let ran = !pausesTasks && machine.step(nanoseconds: Self.batch)
    releaseReferences()
    let mayStep = !pausesTasks && machine.hasReady
    let idle = !busy && !ran && inbox.isEmpty && deferred.isEmpty && !mayStep
    if idle, deadlocks, isDeadlocked {
      if let foreground = machine.foreground {
        machine.stop(foreground, .deadlock)
      } else {
        machine.stopAll(.deadlock)
      }
      return
    }
    // Between batches that follow each other at once, descriptors can wait as long as within one.
    if !idle, lrt_now() < lastPoll + Self.batch { return }
    willWait?()
    poll(watching: true, until: !idle ? 0 : pausesTasks ? UInt64.max : machine.nextTimer)
    lastPoll = lrt_now()
  }

  /// Every task waits for another one, so that none can go on.
  private var isDeadlocked: Bool {
    machine.alive > 0 && machine.nextTimer == UInt64.max && machine.waitingOutside == 0
  }

  private func handleMessages() -> Bool {
    let messages = deferred + inbox.take()
    deferred = []
    for message in messages {
      switch message {
      case .completed(let id): completed(await: id)
      case .posted(let port, let message): ports[port]?(self, message)
      case .closed(let port): ports[port] = nil
      }
    }
    return !messages.isEmpty
  }

  /// Waits for one round of messages without running anything of Lua; false when interrupted.
  private func waitForMessage(until: UInt64) -> Bool {
    if inbox.isEmpty { poll(watching: false, until: until) }
    for message in inbox.take() {
      if case .completed(let id) = message {
        completed(await: id)
      } else {
        deferred.append(message)
      }
    }
    machine.takeInterrupt()
    return machine.takenInterrupt() == 0
  }

  /// Sleeps until a message, a watched descriptor, a signal, or `until` (monotonic nanoseconds).
  func poll(watching: Bool, until: UInt64) {
    var entries = [lrt_poll_entry(fd: inbox.descriptor, read: true, write: false, ready: false)]
    let watched = watching ? watches.sorted { $0.key < $1.key } : []
    for (_, watch) in watched {
      entries.append(
        lrt_poll_entry(
          fd: watch.descriptor, read: watch.read, write: watch.write, ready: false))
    }
    let end = inbox.mayRest() ? until : 0
    let ready = unsafe entries.withUnsafeMutableBufferPointer { entries in
      unsafe lrt_poll(entries.baseAddress, entries.count, end)
    }
    guard ready > 0 else { return }
    if entries[0].ready { lrt_eventfd_clear(inbox.descriptor) }
    for (entry, (id, watch)) in zip(entries.dropFirst(), watched)
    where entry.ready && watches[id] != nil {
      watch.ready(self)
    }
  }

  /// Tells of all failed tasks that nobody has joined: the program ends.
  public func reportFailures() { machine.report(all: true) }

  /// Tells of failed tasks that nobody can join any more. Which those are only the collector knows:
  /// it is asked once for every new failure.
  private func reportFailures(all: Bool) {
    guard machine.hasFailures else {
      collectedFailures = false
      return
    }
    if !all, !collectedFailures, !machine.hasReady {
      collectedFailures = true
      machine.collectGarbage()
    }
    machine.report(all: all)
  }
}
