/// What pjsub hands to the scheduler.
struct JobRequest: Sendable {
  /// Whole name, as output files carry it; the list cuts it.
  var name: String
  var directives: JobDirectives
  /// The script as it was when it was submitted: later edits do not matter to the job.
  var script: [UInt8]
}

/// What goes wrong with a job, once, at its first execution; counted from its start.
enum Mishap: Sendable, Hashable {
  /// A node goes down: the job is started again, or ends where it must not be.
  case restart(after: Duration)
  /// Something kills its processes.
  case kill(after: Duration)
  /// It is held until it is cancelled.
  case hold(after: Duration)
  /// It starts later.
  case slow(by: Duration)

  /// When it strikes.
  var delay: Duration? {
    switch self {
    case .restart(let delay), .kill(let delay), .hold(let delay): delay
    case .slow: nil
    }
  }
}

/// How a process ended.
enum ProcessEnd: Sendable, Hashable {
  case exited(code: Int)
  case signalled(Int)
  /// It never started; a PJM code says why.
  case notStarted(pjmCode: Int, reason: String)
}

/// One job, from its acceptance to its end.
struct Job: Sendable {
  let id: Int
  var request: JobRequest
  var state = JobState.accepting
  var lastState = JobState.accepting
  let accepted: SimulatedTime
  /// When nodes were reserved for the latest execution.
  var reserved: SimulatedTime?
  /// Start of the latest execution.
  var started: SimulatedTime?
  var ended: SimulatedTime?
  /// How often its script was started.
  var starts = 0
  var exitCode = 0
  var pjmCode = 0
  var signal = 0
  var reason = "-"
  /// What goes wrong with it.
  let mishap: Mishap?
  /// Counts transitions: a timer that was set in an earlier one is void.
  var step = 0
  /// Why its process is being ended from outside.
  var ending: Ending?

  /// What becomes of a job whose process is ended from outside.
  enum Ending: Sendable, Hashable {
    case cancel, elapseLimit, restart, kill, hold(until: SimulatedTime?)
  }

  init(id: Int, request: JobRequest, accepted: SimulatedTime, mishap: Mishap? = nil) {
    self.id = id
    self.request = request
    self.accepted = accepted
    self.mishap = mishap
  }

  /// Elapsed time of the latest execution.
  func elapsed(at now: SimulatedTime) -> Duration {
    guard let started else { return .zero }
    return (ended ?? now) - started
  }

  mutating func enter(_ next: JobState) {
    lastState = state
    state = next
    step += 1
  }
}
