// What happens when Lua calls a Swift function: the body runs, and its answer becomes a code for C.

import CLuaShim

/// What C is to do with a call once the Swift frame is gone; else a number of results.
enum AnswerCode {
  static let raise = Int32(LRT_RAISE)
  static let raiseHere = Int32(LRT_RAISE_HERE)
  static let argument = Int32(LRT_ARGUMENT)
  static let type = Int32(LRT_TYPE)
  static let await = Int32(LRT_AWAIT)
  static let call = Int32(LRT_CALL)
  static let exit = Int32(LRT_EXIT)
}

extension LuaState {
  /// Runs the body of a Swift function on the stack of its caller.
  // Not inlined: the optimiser of Swift 6.3.1 crashes on the borrowed LuaCall otherwise.
  @inline(never)
  func perform(_ body: LuaBody, on stack: LuaStack) -> Int32 {
    let outer = self.stack
    self.stack = stack
    defer { self.stack = outer }
    let count = stack.top
    do {
      let answer = try body(LuaCall(state: self, count: Int(count)))
      stack.top = count
      return try code(for: answer)
    } catch {
      stack.top = count
      return code(raising: error)
    }
  }

  /// An await has its result, and its task goes on.
  func resume(await id: UInt64, on stack: LuaStack) -> Int32 {
    guard let pending = awaits.removeValue(forKey: id) else {
      return perform({ _ in throw LuaError("an await went lost") }, on: stack)
    }
    return perform(pending.finish, on: stack)
  }

  /// All to-be-closed variables have been closed after ``LuaReturn/exit(_:)``.
  func leave() {
    guard let leaving else { return }
    stack = machine.mainStack
    leaving.before()
    machine.close()
    leaving.end()
  }

  func cancel(await id: UInt64) { awaits.removeValue(forKey: id)?.cancel() }

  private func code(for answer: LuaReturn) throws -> Int32 {
    switch answer {
    case .values(let values):
      if values.isEmpty { return 0 }
      if values.count == 1, pushScalar(values[0]) { return 1 }
      let before = stack.top
      try push(values)
      return stack.top - before
    case .call(let function, let arguments):
      try push([.reference(function)] + arguments)
      machine.setDetail(UInt64(arguments.count))
      return AnswerCode.call
    case .exit(let exit):
      leaving = exit
      return AnswerCode.exit
    case .await(let waiting):
      switch machine.awaitMode(on: stack) {
      case .yield:
        guard let task = machine.current else { throw LuaError("no task is running") }
        let id = begin(waiting, for: task)
        machine.setDetail(id)
        return AnswerCode.await
      case .block: return try code(for: waitInPlace(for: waiting))
      case .refuse: throw LuaError("cannot be called in a finalizer")
      case .stopped: throw stopError()
      }
    }
  }

  private func pushScalar(_ value: LuaValue) -> Bool {
    switch value {
    case .nil: stack.pushNil()
    case .boolean(let value): stack.push(value)
    case .integer(let value): stack.push(value)
    case .number(let value): stack.push(value)
    case .reference(let reference): stack.push(reference)
    default: return false
    }
    return true
  }

  private func code(raising error: any Error) -> Int32 {
    let error = error as? LuaError ?? describeError(error)
    do {
      try push([error.value])
    } catch {
      stack.pushNil()
      return AnswerCode.raise
    }
    switch error.form {
    case .value: return AnswerCode.raise
    case .message: return AnswerCode.raiseHere
    case .argument(let position):
      machine.setDetail(UInt64(position))
      return AnswerCode.argument
    case .type(let position):
      machine.setDetail(UInt64(position))
      return AnswerCode.type
    }
  }

  func stopError() -> LuaError {
    balanced {
      machine.pushStopMessage(on: stack)
      return takeError()
    }
  }

  /// Starts the work of an await.
  func begin(_ waiting: LuaAwait, for task: TaskHandle?) -> UInt64 {
    let id = nextID()
    let cancel = waiting.start { [inbox] in inbox.send(.completed(id)) }
    awaits[id] = PendingAwait(task: task, cancel: cancel, finish: waiting.finish)
    return id
  }

  /// Waits where Lua cannot yield: nothing else of Lua runs meanwhile.
  private func waitInPlace(for waiting: LuaAwait) throws -> LuaReturn {
    let id = begin(waiting, for: nil)
    while awaits[id]?.completed != true {
      if machine.mustStop {
        cancel(await: id)
        throw stopError()
      }
      sleepInPlace(until: UInt64.max)
    }
    guard let pending = awaits.removeValue(forKey: id) else { throw LuaError("an await went lost") }
    return try pending.finish(LuaCall(state: self, count: Int(stack.top)))
  }

  /// Sleeps where Lua cannot yield; false when interrupted.
  func block(until: UInt64) -> Bool {
    while lrt_now() < until {
      if machine.mustStop { return false }
      sleepInPlace(until: until)
    }
    return true
  }

  /// Waits for one message. Awaits of other tasks that end are noted, and those tasks run later;
  /// posted messages wait, since their handlers may run Lua.
  private func sleepInPlace(until: UInt64) {
    if inbox.isEmpty { poll(watching: false, until: until) }
    for message in inbox.take() {
      if case .completed(let id) = message {
        completed(await: id)
      } else {
        deferred.append(message)
      }
    }
  }

  /// The result of an await is there.
  func completed(await id: UInt64) {
    guard let pending = awaits[id] else { return }
    if let task = pending.task {
      machine.wake(task, await: id)
    } else {
      awaits[id]?.completed = true
    }
  }
}
