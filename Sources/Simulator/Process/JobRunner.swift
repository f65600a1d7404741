import Glibc
import Synchronization

/// The machine at work: one thread that moves the scheduler's clock, starts and ends processes,
/// and tells the scheduler how they ended.
final class JobRunner: Sendable {
  /// What the thread needs to know of the machine.
  struct Machine: Sendable {
    var user: String
    var group: String
    var hostEnvironment: [String: String]
  }

  private struct State: ~Copyable {
    var scheduler: Scheduler
    var isStopping = false
    /// The newest ended jobs, for the state report; scripts are dropped.
    var endedJobs: [Job] = []
    /// Jobs that have left the scheduler while their files are still being written.
    var finishing: [Job] = []
  }

  /// Most ended jobs that are remembered.
  private static let rememberedJobs = 100_000

  let clock: SimulatorClock
  private let home: HomeFolder
  private let machine: Machine
  private let state: Mutex<State>
  private let wakeup: Wakeup
  private let thread = Mutex<WorkerThread?>(nil)

  init(
    settings: Scheduler.Settings, home: HomeFolder, clock: SimulatorClock, machine: Machine,
    drawMishap: @escaping @Sendable (JobRequest) -> Mishap?
  ) throws(FileFailure) {
    self.clock = clock
    self.home = home
    self.machine = machine
    state = Mutex(
      State(
        scheduler: Scheduler(
          settings: settings, firstID: home.firstJobID, drawMishap: drawMishap)))
    wakeup = try Wakeup()
  }

  func start() throws(FileFailure) {
    let worker = try WorkerThread { [self] in run() }
    thread.withLock { $0 = worker }
  }

  /// Ends every job with SIGKILL and waits until its processes are gone.
  func stop() {
    state.withLock { $0.isStopping = true }
    wakeup.signal()
    let worker = thread.withLock { current -> WorkerThread? in
      defer { current = nil }
      return current
    }
    worker?.join()
  }

  /// Calls the scheduler at the machine's present time.
  func schedule<Result, Failure: Error>(
    _ body: (inout Scheduler, SimulatedTime) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    let result: Swift.Result<Result, Failure> = state.withLock { state in
      do throws(Failure) {
        return .success(try body(&state.scheduler, clock.now()))
      } catch {
        return .failure(error)
      }
    }
    wakeup.signal()
    return try result.get()
  }

  /// Jobs that list and detail show.
  func visibleJobs() -> [Job] {
    state.withLock { state in
      state.scheduler.advance(to: clock.now())
      return state.scheduler.visibleJobs
    }
  }

  /// A job that list and detail show.
  func job(_ id: Int) -> Job? {
    state.withLock { state in
      state.scheduler.advance(to: clock.now())
      return state.scheduler.job(id)
    }
  }

  /// Every job that is remembered, ended ones first. One whose files are still being written has not
  /// ended yet.
  func allJobs() -> [Job] {
    state.withLock { state in
      state.scheduler.advance(to: clock.now())
      let live = state.scheduler.visibleJobs
      let visible = Set(live.map(\.id))
      let finishing = (state.finishing + state.scheduler.unreportedEnds).map { job in
        var job = job
        job.state = .finishing
        job.ended = nil
        return job
      }
      return (state.endedJobs + finishing).filter { !visible.contains($0.id) } + live
    }
  }

  // MARK: The thread

  private struct Running {
    var process: JobProcess
    var id: Int
    var execution: Int
    /// What the home remembers it by.
    var mark: String?
  }

  private func run() {
    var running: [Running] = []
    while true {
      let (actions, deadline, isStopping) = state.withLock { state in
        state.scheduler.advance(to: clock.now())
        state.finishing += state.scheduler.unreportedEnds
        return (state.scheduler.takeActions(), state.scheduler.nextDeadline, state.isStopping)
      }
      for action in actions { perform(action, &running, isStopping: isStopping) }
      if isStopping { break }
      if actions.isEmpty { wait(for: &running, until: deadline) }
    }
    for job in running {
      job.process.signal(SIGKILL)
      _ = end(job)
    }
  }

  private func perform(_ action: Scheduler.Action, _ running: inout [Running], isStopping: Bool) {
    switch action {
    case .start(let job, let execution):
      guard !isStopping else { return }
      do throws(JobProcess.StartFailure) {
        let process = try startProcess(of: job, execution: execution)
        running.append(
          Running(
            process: process, id: job.id, execution: execution,
            mark: home.leftovers.remember(process.id)))
      } catch {
        report(
          job.id, execution, .notStarted(pjmCode: error.pjmCode, reason: error.reason))
      }
    case .signal(let id, let execution, let number):
      for job in running where job.id == id && job.execution == execution {
        job.process.signal(number)
      }
    case .ended(let job): finish(job)
    }
  }

  private func startProcess(
    of job: Job, execution: Int
  ) throws(JobProcess.StartFailure) -> JobProcess {
    let script = spooledScript(job.id)
    do {
      // The folder is made again: someone may have emptied the home.
      try LocalFiles.makeFolder(home.spool, mode: 0o700)
      try LocalFiles.replace(script, with: job.request.script, mode: 0o700)
    } catch {
      throw JobProcess.StartFailure(pjmCode: PJMCode.scriptStart, reason: "SPOOL ERROR")
    }
    return try JobProcess(
      command: ScriptInterpreter.command(for: job.request.script) + [script],
      files: JobFiles(job: job, workFolder: home.path),
      environment: JobEnvironment(
        job: job, home: home.path, user: machine.user, host: machine.hostEnvironment),
      workFolder: home.path, execution: execution)
  }

  private func spooledScript(_ id: Int) -> String { "\(home.spool)/\(id)" }

  private func finish(_ job: Job) {
    _ = unsafe unlink(spooledScript(job.id))
    if let file = JobFiles(job: job, workFolder: home.path).statistics {
      let text = StatisticsFile.text(job, user: machine.user, group: machine.group)
      // A statistics file that cannot be written is as good as none: PJM has nobody to tell either.
      try? LocalFiles.replace(file, with: Array(text.utf8))
    }
    var remembered = job
    remembered.request.script = []
    state.withLock { state in
      state.finishing.removeAll { $0.id == remembered.id }
      state.endedJobs.append(remembered)
      if state.endedJobs.count > Self.rememberedJobs + 1_000 {
        state.endedJobs.removeFirst(state.endedJobs.count - Self.rememberedJobs)
      }
    }
  }

  private func end(_ job: Running) -> ProcessEnd {
    defer { home.leftovers.forget(job.mark) }
    return job.process.reap()
  }

  private func report(_ id: Int, _ execution: Int, _ end: ProcessEnd) {
    state.withLock {
      $0.scheduler.processEnded(id: id, execution: execution, end, at: clock.now())
    }
  }

  /// Waits for a call, a process or the deadline, and reports the processes that ended.
  private func wait(for running: inout [Running], until deadline: SimulatedTime?) {
    var polled = [pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)]
    for job in running {
      polled.append(pollfd(fd: job.process.descriptor, events: Int16(POLLIN), revents: 0))
    }
    let timeout = deadline.map { pollMilliseconds(clock.realDelay(until: $0)) } ?? -1
    guard unsafe poll(&polled, nfds_t(polled.count), timeout) > 0 else { return }
    if polled[0].revents != 0 { wakeup.clear() }
    var left: [Running] = []
    for (index, job) in running.enumerated() {
      if polled[index + 1].revents == 0 {
        left.append(job)
      } else {
        report(job.id, job.execution, end(job))
      }
    }
    running = left
  }
}
