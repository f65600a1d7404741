import HPCClient

/// One run of a sweep: the machine, what its effects come to, its journal and its timers.
///
/// Everything passes through ``receive(_:)`` one event at a time; effects run beside it and answer
/// with an event each.
actor SweepEngine {
  /// What a run needs.
  struct Setup: Sendable {
    var machine: SweepMachine
    /// Point number p at index p - 1.
    var points: [PointDefinition]
    /// Nil for a journal without a definition: nothing new is submitted.
    var blueprint: SweepBlueprint?
    var shell: SweepShell
    var stage: InputStage
    var keeper: JournalKeeper
    /// `NAME.out`
    var folder: String
    var board: ProgressBoard
    var news: @Sendable (SweepNews) -> Void
  }

  /// How it ended.
  enum End: Sendable {
    case outcome(SweepOutcome)
    case failed(SweepError)
    /// A test killed it.
    case died
  }

  var machine: SweepMachine
  var points: [PointDefinition]
  let setup: Setup
  private let start: Duration
  private(set) var end: End?
  private var isOver = false
  private var endWaiters: [CheckedContinuation<End, Never>] = []
  private var pointWaiters: [Int: [CheckedContinuation<Void, Never>]] = [:]
  private var tasks: [Int: Task<Void, Never>] = [:]
  private var keptTasks: [Int: Task<Void, Never>] = [:]
  private var lastTask = 0
  private var wakeTask: Task<Void, Never>?
  private var wakeAt: Duration?
  private var madeLogs: LogCollector?
  /// Records of the bucket that were read whole, of attempts that are open.
  var claims: [RecordName: ClaimRecord] = [:]
  var exits: [RecordName: ExitRecord] = [:]
  /// Exit records that came after their attempts were settled, and were told.
  var toldExits: Set<RecordName> = []
  /// Points that this run has settled.
  private(set) var settled: Set<Int> = []
  private(set) var anomalies: [String] = []
  private(set) var lastTrouble: String?
  private var toldTrouble: (text: String, at: Duration)?
  private var pace = Pace()
  private var nextProgress: Duration = .zero

  init(_ setup: Setup) {
    self.setup = setup
    machine = setup.machine
    points = setup.points
    start = setup.shell.time.uptime()
  }

  /// False once nothing that comes from outside is heard any more.
  var takesOrders: Bool { !isOver && !machine.isFinished }
  var now: Duration { setup.shell.time.uptime() - start }
  var root: String { machine.record.root?.path ?? "" }

  var logs: LogCollector {
    if let madeLogs { return madeLogs }
    let made = LogCollector(shell: setup.shell, root: root)
    madeLogs = made
    return made
  }

  // MARK: From outside

  /// Begins, and waits for the end.
  func run() async -> End {
    receive(.start)
    return await wait()
  }

  /// Waits for the end.
  func wait() async -> End {
    if let end { return end }
    return await withCheckedContinuation { endWaiters.append($0) }
  }

  /// Runs a point, which the journal knows, and waits until it is settled or the run is over.
  func want(_ point: PointDefinition) async {
    add(point)
    receive(.want([point.number]))
    guard end == nil, !isOver, machine.record.points[point.number - 1].verdict == nil else {
      return
    }
    await withCheckedContinuation { pointWaiters[point.number, default: []].append($0) }
  }

  func add(_ point: PointDefinition) {
    while points.count < point.number {
      points.append(PointDefinition(number: points.count + 1, name: "", parameters: Parameters([])))
    }
    points[point.number - 1] = point
  }

  /// The end of the process, for tests: nothing is done any more, and nothing is made durable.
  func kill() {
    finish(.died)
  }

  // MARK: Events

  func receive(_ event: SweepEvent) {
    guard !isOver else { return }
    for action in machine.handle(event, now: now) {
      switch action {
      case .commit(let rows): commit(rows)
      case .perform(let effect): perform(effect)
      }
    }
    guard !isOver else { return }
    scheduleWake()
    if now >= nextProgress { showProgress() }
  }

  private func commit(_ rows: JournalCommit) {
    let keeper = setup.keeper
    lastTask += 1
    let id = lastTask
    keptTasks[id] = Task {
      defer { self.keptTasks[id] = nil }
      do {
        try await keeper.apply(rows)
      } catch is JournalKeeper.Died {
        return finish(.died)
      } catch let error as JournalError {
        return finish(.failed(SweepError(error)))
      } catch {
        return finish(.failed(SweepError(.journal, "\(error)")))
      }
      receive(.committed)
      await announce(rows)
    }
  }

  /// Verdicts are told once they are durable.
  private func announce(_ rows: JournalCommit) async {
    var numbers: [Int] = []
    for (number, point) in rows.points.sorted(by: { $0.key < $1.key }) {
      guard point.verdict != nil else {
        settled.remove(number)
        continue
      }
      if settled.insert(number).inserted { numbers.append(number) }
    }
    guard !numbers.isEmpty else { return }
    let told = try? await setup.keeper.rows(of: Set(numbers), all: true, folder: setup.folder)
    for row in told ?? [] { setup.news(.settled(row)) }
    for number in numbers {
      for waiter in pointWaiters.removeValue(forKey: number) ?? [] { waiter.resume() }
    }
  }

  // MARK: Effects under way

  /// Starts what an effect comes to; its event is taken in at its end.
  func begin(
    isKept: Bool = false, _ work: @escaping @Sendable () async -> SweepEvent
  ) {
    lastTask += 1
    let id = lastTask
    let task = Task {
      let event = await work()
      self.tasks[id] = nil
      self.keptTasks[id] = nil
      self.receive(event)
    }
    if isKept { keptTasks[id] = task } else { tasks[id] = task }
  }

  private func scheduleWake() {
    guard let wake = machine.nextWake else { return }
    if let wakeAt, wakeAt <= wake { return }
    wakeTask?.cancel()
    wakeAt = wake
    let delay = max(wake - now, .zero)
    let time = setup.shell.time
    wakeTask = Task {
      guard (try? await time.sleep(for: delay)) != nil else { return }
      guard self.wakeAt == wake else { return }
      self.wakeAt = nil
      self.receive(.wake)
    }
  }

  /// Ends the run; called once it is certain that nothing more is to be made durable.
  func finish(_ end: End) {
    guard !isOver else { return }
    isOver = true
    wakeTask?.cancel()
    for task in tasks.values { task.cancel() }
    tasks = [:]
    showProgress()
    let kept = Array(keptTasks.values)
    Task {
      if case .died = end {} else { for task in kept { await task.value } }
      await setup.keeper.close()
      self.end = end
      var progress = setup.board.progress
      progress.isRunning = false
      setup.board.progress = progress
      for waiter in endWaiters { waiter.resume(returning: end) }
      endWaiters = []
      for waiter in pointWaiters.values.joined() { waiter.resume() }
      pointWaiters = [:]
    }
  }

  // MARK: Telling

  func report(_ anomaly: Anomaly) {
    switch anomaly {
    case .lateExit(let name):
      let text =
        "an exit record \(name.execution) of attempt \(name.attempt), which was closed without it: "
        + "it is kept in \(root)/out/exit, and changes nothing"
      anomalies.append(text)
      setup.news(.note(text))
    }
  }

  func heard(_ trouble: SweepShell.Trouble) {
    guard !isOver else { return }
    lastTrouble = trouble.message
    if trouble.isFinal { return receive(.denied(trouble.message)) }
    // Many requests fail at a time, and go on failing: one line of them, and a while later the next.
    if let told = toldTrouble,
      now - told.at < .seconds(told.text == trouble.message ? 600 : 10)
    {
      return
    }
    toldTrouble = (trouble.message, now)
    setup.news(.note(trouble.message))
  }

  private func showProgress() {
    var progress = SweepProgress()
    progress.counts = machine.counts
    progress.settled = settled.count
    progress.elapsed = now
    let use = machine.nodeSeconds
    progress.nodeHoursUsed = use.used / 3600
    progress.nodeHoursUnderWay = use.underWay / 3600
    progress.isRunning = true
    pace.note(settled: settled.count, at: now)
    let open = [PointState.new, .waiting, .submitted, .running].reduce(0) {
      $0 + (progress.counts[$1] ?? 0)
    }
    (progress.pointsPerHour, progress.remaining) = pace.estimate(open: open)
    setup.board.progress = progress
    // A look costs a microsecond for every few points.
    nextProgress = now + max(.milliseconds(250), .microseconds(points.count * 20))
  }
}
