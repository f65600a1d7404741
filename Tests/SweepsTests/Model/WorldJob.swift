import Sweeps

/// One job of the service, and its executions as steps in time.
final class WorldJob {
  enum State {
    case queued, running, held, ended
  }

  let world: World
  let id: Int64
  let name: String
  let attempts: [AttemptName]
  let limit: Int
  var state = State.queued
  var end = JobEnd()
  /// Until when the list still shows it with a terminal state.
  var shownUntil = 0.0
  /// Counts executions; steps of an earlier one do nothing any more.
  private var generation = 0
  private var pid = 0
  private var current: AttemptName?
  private var execution: ExecutionID?
  private var ownsLock = false
  private var isTerminating = false

  init(world: World, id: Int64, name: String) {
    self.world = world
    self.id = id
    self.name = name
    attempts = world.scripts[name]?.attempts ?? []
    limit = world.scripts[name]?.limit ?? 0
    let wait = world.chance(world.faults.slowStart) ? world.between(60, 1500) : world.between(1, 40)
    world.clock.after(wait) { self.begin() }
    if world.chance(world.faults.held) {
      state = .held
      world.clock.after(world.between(100, 2000)) { if self.state == .held { self.queueAgain() } }
    }
  }

  var text: String {
    switch state {
    case .queued: "QUE"
    case .running: "RUN"
    case .held: "HLD"
    case .ended: end.state ?? "EXT"
    }
  }

  private func queueAgain() {
    state = .queued
    world.clock.after(world.between(1, 20)) { self.begin() }
  }

  private func begin() {
    guard state == .queued else { return }
    state = .running
    execute()
    world.clock.after(Double(limit) + world.between(0, 5)) { self.limitReached() }
    if world.chance(world.faults.restarted) {
      world.clock.after(world.between(0, 90)) { self.restart() }
    }
    if world.chance(world.faults.killed) {
      world.clock.after(world.between(0, 90)) { self.kill(JobEnd(state: "EXT")) }
    }
    if world.chance(world.faults.terminated) {
      world.clock.after(world.between(0, 60)) { self.terminate(JobEnd(state: "CCL", pjmCode: 1)) }
    }
    if world.chance(world.faults.nodeDown) {
      world.clock.after(world.between(0, 60)) { self.kill(JobEnd(state: "EXT", pjmCode: 20)) }
    }
  }

  private func execute() {
    generation += 1
    world.nextPID += 1
    pid = world.nextPID
    isTerminating = false
    let mine = generation
    then(mine, 0.1, 2) {
      guard self.world.home.hasRoot else { return self.finish(97) }
      self.attempt(0, mine)
    }
  }

  /// A step, later, unless the execution is gone by then.
  private func then(
    _ generation: Int, _ low: Double, _ high: Double, _ body: @escaping () -> Void
  ) {
    let isSlow = world.chance(world.faults.slowSteps * 0.2)
    world.clock.after(world.between(low, isSlow ? high * 60 : high)) {
      if self.generation == generation, self.state == .running { body() }
    }
  }

  // MARK: The wrapper's steps

  private func attempt(_ index: Int, _ mine: Int) {
    guard index < attempts.count, !isTerminating else { return finish(0) }
    let id = attempts[index]
    current = id
    ownsLock = false
    guard let execution = ExecutionID("\(self.id).\(pid).\(Int(world.epoch))") else { return }
    self.execution = execution
    let name = RecordName(attempt: id, execution: execution)
    if world.jobRules.claimsBeforeLock {
      then(mine, 0.1, 2) {
        guard self.claim(name) else { return self.finish(97) }
        self.then(mine, 0.1, 2) { self.lock(index, name, mine) }
      }
    } else {
      then(mine, 0.1, 2) { self.lock(index, name, mine) }
    }
  }

  private func claim(_ name: RecordName) -> Bool {
    guard world.home.hasOut else { return false }
    world.home.claims[name] = ClaimRecord(time: Int64(world.epoch), job: id, limit: limit)
    return true
  }

  private func lock(_ index: Int, _ name: RecordName, _ mine: Int) {
    guard !isTerminating else { return finish(143) }
    guard world.home.hasLocks, !world.home.locks.contains(name.attempt) else {
      then(mine, 0.1, 2) {
        if self.world.home.hasOut { self.world.home.refusals.insert(name) }
        self.attempt(index + 1, mine)
      }
      return
    }
    world.home.locks.insert(name.attempt)
    ownsLock = true
    if world.jobRules.claimsBeforeLock {
      guard world.home.claims[name] != nil else { return finish(97) }
      then(mine, 0.1, 1) { self.run(index, name, mine) }
    } else {
      then(mine, 0.1, 30) {
        guard self.claim(name) else { return self.finish(97) }
        self.run(index, name, mine)
      }
    }
  }

  private func run(_ index: Int, _ name: RecordName, _ mine: Int) {
    let id = name.attempt
    world.programStarts(id)
    let start = Int64(world.epoch)
    let duration =
      world.chance(world.faults.tooLong) ? Double(limit) * 2 : world.between(1, 120)
    world.clock.after(duration) {
      guard self.generation == mine, self.state == .running, self.world.running.contains(id) else {
        return
      }
      let code = self.world.code(of: id)
      self.world.programEnds(id, code: code)
      self.then(mine, 0.1, 2) {
        let data = self.world.data(of: id)
        var files: [OutputFile] = []
        if code == 0, self.world.home.hasOut {
          self.world.home.files[id] = data
          files = [OutputFile(name: data, size: Int64(data.utf8.count), sha256: "")]
        }
        self.then(mine, 0.1, 2) {
          self.record(
            name,
            ExitRecord(code: code, start: start, end: Int64(self.world.epoch), files: files))
          self.attempt(index + 1, mine)
        }
      }
    }
  }

  private func record(_ name: RecordName, _ exit: ExitRecord) {
    if world.home.hasOut, world.home.exits[name] == nil { world.home.exits[name] = exit }
    ownsLock = false
  }

  // MARK: Ends

  private func finish(_ code: Int) {
    end = JobEnd(state: "EXT", exitCode: code, pjmCode: 0, elapsed: nil)
    close()
  }

  private func close() {
    state = .ended
    generation += 1
    shownUntil = world.clock.now + (world.chance(0.5) ? world.between(0, 30) : 0)
  }

  private func stopProgram() {
    if let current, ownsLock, world.running.contains(current) {
      world.programEnds(current, code: nil)
    }
  }

  /// SIGKILL: nothing is written.
  func kill(_ end: JobEnd) {
    guard state == .running else { return }
    stopProgram()
    self.end = end
    close()
  }

  /// SIGTERM: the trap writes what it may; a while later SIGKILL.
  func terminate(_ end: JobEnd) {
    guard state == .running, !isTerminating else { return }
    isTerminating = true
    let wasRunning = current.map { world.running.contains($0) && ownsLock } ?? false
    stopProgram()
    let mine = generation
    if let current, let execution,
      ownsLock && wasRunning || !ownsLock && !world.jobRules.trapNeedsLock
    {
      let name = RecordName(attempt: current, execution: execution)
      let time = Int64(world.epoch)
      then(mine, 0.1, 3) {
        self.record(name, ExitRecord(code: 143, signal: 15, start: time, end: time))
      }
    }
    world.clock.after(world.between(3, 8)) {
      if self.state == .running, self.generation == mine { self.kill(end) }
    }
  }

  private func limitReached() {
    let end = JobEnd(state: "EXT", pjmCode: 11)
    if world.chance(0.5) { terminate(end) } else { kill(end) }
  }

  /// The scheduler starts it anew, after a node failed.
  private func restart() {
    guard state == .running else { return }
    stopProgram()
    generation += 1
    let mine = generation
    world.clock.after(world.between(1, 60)) {
      if self.generation == mine, self.state == .running { self.execute() }
    }
  }

  /// pjdel.
  func delete() {
    switch state {
    case .queued, .held:
      end = JobEnd(state: "CCL", pjmCode: 1)
      close()
    case .running:
      terminate(JobEnd(state: "CCL", pjmCode: 1))
    case .ended:
      break
    }
  }
}
