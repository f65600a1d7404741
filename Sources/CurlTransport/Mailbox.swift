import Synchronization

/// What callers and the curl thread share: commands one way, governors' states the other.
final class Mailbox: Sendable {
  enum Command: Sendable {
    case send(Call)
    case cancel(UInt64)
    case firstInLine(origin: String)
    case shutdown
  }

  private struct State {
    var commands: [Command] = []
    /// Parts of tasks that run on the curl thread.
    var jobs: [UnownedJob] = []
    /// What wakes the thread; nil before it runs and after.
    var wakeUp: WakeUp?
    /// Whether the thread looks at commands and jobs once more before it waits.
    var isAwake = true
    var isClosed = false
    var boards: [String: GovernorBoard] = [:]

    /// The sleeping thread, which the caller wakes once it has left the lock: it needs the lock first.
    mutating func sleeper() -> WakeUp? {
      guard !isAwake else { return nil }
      isAwake = true
      return wakeUp
    }
  }

  private let state = Mutex(State())

  /// Adds a command for the curl thread; false after `close`.
  func post(_ command: Command) -> Bool {
    let (isTaken, sleeper) = state.withLock { state -> (Bool, WakeUp?) in
      guard !state.isClosed else { return (false, nil) }
      state.commands.append(command)
      return (true, state.sleeper())
    }
    sleeper?.signal()
    return isTaken
  }

  /// Adds a part of a task; false where the thread does not run.
  func post(_ job: UnownedJob) -> Bool {
    let (isTaken, sleeper) = state.withLock { state -> (Bool, WakeUp?) in
      guard !state.isClosed, state.wakeUp != nil else { return (false, nil) }
      state.jobs.append(job)
      return (true, state.sleeper())
    }
    sleeper?.signal()
    return isTaken
  }

  /// Whether the curl thread may wait: there is nothing to do, and whatever comes wakes it.
  func mayRest() -> Bool {
    state.withLock { state in
      state.isAwake = !state.commands.isEmpty || !state.jobs.isEmpty
      return !state.isAwake
    }
  }

  /// Exchanges the commands that have come for an empty array (curl thread).
  func take(_ commands: inout [Command]) {
    commands.removeAll(keepingCapacity: true)
    state.withLock { state in
      state.isAwake = true
      swap(&state.commands, &commands)
    }
  }

  /// Exchanges the jobs that have come for an empty array (curl thread).
  func take(_ jobs: inout [UnownedJob]) {
    jobs.removeAll(keepingCapacity: true)
    state.withLock { swap(&$0.jobs, &jobs) }
  }

  /// Lets callers wake the thread.
  func open(_ wakeUp: WakeUp) {
    state.withLock { $0.wakeUp = wakeUp }
  }

  /// Refuses whatever comes.
  ///
  /// - Returns: what nobody will fetch any more.
  func close() -> (commands: [Command], jobs: [UnownedJob]) {
    state.withLock { state in
      state.isClosed = true
      state.wakeUp = nil
      defer {
        state.commands = []
        state.jobs = []
      }
      return (state.commands, state.jobs)
    }
  }

  /// Makes the state of an endpoint visible to callers.
  func show(_ board: GovernorBoard, origin: String) {
    state.withLock { $0.boards[origin] = board }
  }

  func governor(origin: String) -> GovernorState? {
    state.withLock { $0.boards[origin] }?.state
  }

  var governors: [GovernorState] { state.withLock { Array($0.boards.values) }.map(\.state) }
}

/// The last published state of one governor.
final class GovernorBoard: Sendable {
  private let published: Mutex<GovernorState>

  init(_ state: GovernorState) { published = Mutex(state) }

  var state: GovernorState {
    get { published.withLock { $0 } }
    set { published.withLock { $0 = newValue } }
  }
}
