/// The job manager as a value: calls and moments in, actions out. It knows no process, no file and
/// no clock.
struct Scheduler: Sendable {
  /// Sizes and times of the machine; durations are of its own clock.
  struct Settings: Sendable, Hashable {
    var nodes = 384
    /// Most jobs that may be accepted and not ended.
    var queueLimit = 100
    /// "small 1–384 nodes, 72 h".
    var longestElapse: Duration = .seconds(72 * 3_600)
    var accepting: Duration = .milliseconds(100)
    var reserving: Duration = .milliseconds(300)
    var prologue: Duration = .milliseconds(300)
    var epilogue: Duration = .milliseconds(200)
    var finishing: Duration = .milliseconds(100)
    /// From the first signal to SIGKILL.
    var grace: Duration = .seconds(3)
    /// How long a terminal state stays in list and detail; upstream shows one by luck only.
    var lingering: Duration = .zero
  }

  /// What the shell around has to do.
  enum Action: Sendable {
    /// Start the script; `execution` counts from 1.
    case start(Job, execution: Int)
    /// Send a signal to the whole process group of an execution.
    case signal(id: Int, execution: Int, signal: Int32)
    /// The job reached a terminal state: write its statistics.
    case ended(Job)
  }

  /// Why pjsub or pjdel say no, by PJM's message number.
  enum Refusal: Error, Sendable, Hashable {
    /// 0072: too many accepted jobs.
    case queueFull
    /// 0054, 0057: outside the limits of the resource group.
    case limit(String)
    /// 0112: no such job, or it ended.
    case notFound
    /// 0113, 0119: it is ending already.
    case ending
  }

  private struct Timer: Sendable, Comparable {
    var at: SimulatedTime
    var id: Int
    var step: Int
    var isMishap = false

    static func < (a: Timer, b: Timer) -> Bool { a.at < b.at }
  }

  private struct LateRequest: Sendable, Comparable {
    var at: SimulatedTime
    var request: JobRequest

    static func < (a: LateRequest, b: LateRequest) -> Bool { a.at < b.at }
    static func == (a: LateRequest, b: LateRequest) -> Bool { a.at == b.at }
  }

  var settings: Settings
  private(set) var nextID: Int
  private let drawMishap: @Sendable (JobRequest) -> Mishap?
  private var jobs: [Int: Job] = [:]
  /// Ids in the order of acceptance, ended ones swept out now and then.
  private var order: [Int] = []
  private var queue: [Int] = []
  private var timers = Heap<Timer>()
  private var late = Heap<LateRequest>()
  private var busyNodes = 0
  private var liveCount = 0
  private var actions: [Action] = []

  /// - Parameters:
  ///   - settings: sizes and times.
  ///   - firstID: of the first job.
  ///   - drawMishap: asked once for every accepted job.
  init(
    settings: Settings, firstID: Int,
    drawMishap: @escaping @Sendable (JobRequest) -> Mishap? = { _ in nil }
  ) {
    self.settings = settings
    self.drawMishap = drawMishap
    nextID = firstID
  }

  // MARK: Calls

  /// pjsub: the new job's id.
  mutating func submit(
    _ request: JobRequest, at now: SimulatedTime
  ) throws(Refusal) -> Int {
    advance(to: now)
    return try accept(request, at: now)
  }

  /// pjsub takes its time: the job is accepted at a later moment, if that can be then.
  mutating func submitLate(
    _ request: JobRequest, after delay: Duration, at now: SimulatedTime
  ) {
    late.insert(LateRequest(at: now + delay, request: request))
  }

  private mutating func accept(
    _ request: JobRequest, at now: SimulatedTime
  ) throws(Refusal) -> Int {
    guard liveCount < settings.queueLimit else { throw .queueFull }
    guard request.directives.nodes <= settings.nodes else {
      throw .limit("node=\(request.directives.nodes) is above \(settings.nodes)")
    }
    guard request.directives.elapse <= settings.longestElapse else {
      throw .limit("elapse is above \(pjmDuration(settings.longestElapse))")
    }
    let id = nextID
    nextID += 1
    jobs[id] = Job(id: id, request: request, accepted: now, mishap: drawMishap(request))
    order.append(id)
    liveCount += 1
    setTimer(id, at: now + settings.accepting)
    return id
  }

  /// pjdel.
  mutating func cancel(_ id: Int, at now: SimulatedTime) throws(Refusal) {
    advance(to: now)
    guard let job = jobs[id], !job.state.isTerminal else { throw .notFound }
    guard job.ending == nil else { throw .ending }
    switch job.state {
    case .accepting, .queued, .held, .error, .reserving, .prologue:
      end(id, .cancelled, at: now) {
        $0.pjmCode = PJMCode.deleted
        $0.reason = "USER CANCEL"
      }
    case .running: stop(id, .cancel, signal: 15, at: now)
    default: throw .ending
    }
  }

  /// The process of an execution ended; a late report of an earlier execution changes nothing.
  mutating func processEnded(id: Int, execution: Int, _ end: ProcessEnd, at now: SimulatedTime) {
    advance(to: now)
    guard let job = jobs[id], job.state == .running, job.starts == execution else { return }
    switch job.ending {
    case .restart where job.request.directives.mayRestart: requeue(id, at: now)
    case .hold(let until): hold(id, until: until, at: now)
    default:
      change(id) { $0.record(end) }
      move(id, to: .epilogue, for: settings.epilogue, at: now)
    }
  }

  // MARK: Mishaps

  /// A node went down: the job is started again, or ends where it must not be.
  mutating func restart(_ id: Int, at now: SimulatedTime) {
    advance(to: now)
    if let job = jobs[id], job.state == .running, job.ending == nil {
      stop(id, .restart, signal: 9, at: now)
    }
  }

  /// Something killed the job's processes.
  mutating func kill(_ id: Int, at now: SimulatedTime) {
    advance(to: now)
    if let job = jobs[id], job.state == .running, job.ending == nil {
      stop(id, .kill, signal: 9, at: now)
    }
  }

  /// pjhold; released at `until`, never where that is nil.
  mutating func hold(_ id: Int, until: SimulatedTime?, at now: SimulatedTime) {
    advance(to: now)
    guard let job = jobs[id], !job.state.isTerminal else { return }
    switch job.state {
    case .accepting, .queued, .reserving, .prologue: enterHold(id, until: until, at: now)
    case .running where job.ending == nil: stop(id, .hold(until: until), signal: 9, at: now)
    case .running: enterHold(id, until: until, at: now)
    default: break
    }
  }

  // MARK: Looks

  /// Jobs that list and detail show, by id.
  var visibleJobs: [Job] { order.compactMap { jobs[$0] } }

  /// A job that list and detail show.
  func job(_ id: Int) -> Job? { jobs[id] }

  /// Jobs that count against the limit.
  var acceptedCount: Int { liveCount }

  /// When ``advance(to:)`` has something to do next.
  var nextDeadline: SimulatedTime? {
    switch (timers.first?.at, late.first?.at) {
    case (let timer?, let late?): min(timer, late)
    case (let timer, let late): timer ?? late
    }
  }

  /// Jobs whose end nobody has been told of yet.
  var unreportedEnds: [Job] {
    actions.compactMap { if case .ended(let job) = $0 { job } else { nil } }
  }

  /// Hands over what is to be done, in order.
  mutating func takeActions() -> [Action] {
    defer { actions.removeAll(keepingCapacity: true) }
    return actions
  }

  // MARK: Time

  /// Lets everything happen that is due.
  mutating func advance(to now: SimulatedTime) {
    while let next = nextDeadline, next <= now {
      if let request = late.first, request.at == next {
        late.removeFirst()
        // Refused then: as if it had never been sent.
        _ = try? accept(request.request, at: next)
      } else if let timer = timers.first {
        timers.removeFirst()
        guard let job = jobs[timer.id], job.step == timer.step else { continue }
        if timer.isMishap { strike(job, at: next) } else { fire(job, at: next) }
      }
    }
  }

  private mutating func fire(_ job: Job, at now: SimulatedTime) {
    switch job.state {
    case .accepting, .held:
      change(job.id) {
        $0.enter(.queued)
        $0.reason = "-"
        $0.pjmCode = PJMCode.ok
      }
      queue.append(job.id)
      dispatch(at: now)
    case .reserving:
      var duration = settings.prologue
      if job.starts == 0, case .slow(let delay) = job.mishap { duration += delay }
      move(job.id, to: .prologue, for: duration, at: now)
    case .prologue:
      change(job.id) {
        $0.enter(.running)
        $0.started = now
        $0.starts += 1
      }
      guard let running = jobs[job.id] else { return }
      setTimer(job.id, at: now + running.request.directives.elapse)
      if running.starts == 1, let delay = running.mishap?.delay {
        timers.insert(
          Timer(at: now + delay, id: job.id, step: running.step, isMishap: true))
      }
      actions.append(.start(running, execution: running.starts))
    case .running:
      if job.ending == nil {
        stop(job.id, .elapseLimit, signal: 24, at: now)
      } else {
        actions.append(.signal(id: job.id, execution: job.starts, signal: 9))
      }
    case .epilogue: move(job.id, to: .finishing, for: settings.finishing, at: now)
    case .finishing:
      end(job.id, job.ending == .cancel ? .cancelled : .ended, at: now) { _ in }
    case .ended, .cancelled, .rejected: forget(job.id)
    case .queued, .error: break
    }
  }

  private mutating func strike(_ job: Job, at now: SimulatedTime) {
    guard job.state == .running, job.ending == nil else { return }
    switch job.mishap {
    case .restart: stop(job.id, .restart, signal: 9, at: now)
    case .kill: stop(job.id, .kill, signal: 9, at: now)
    case .hold: stop(job.id, .hold(until: nil), signal: 9, at: now)
    case .slow, nil: break
    }
  }

  // MARK: Steps

  private mutating func change(_ id: Int, _ body: (inout Job) -> Void) {
    guard var job = jobs[id] else { return }
    body(&job)
    jobs[id] = job
  }

  private mutating func setTimer(_ id: Int, at moment: SimulatedTime) {
    guard let step = jobs[id]?.step else { return }
    timers.insert(Timer(at: moment, id: id, step: step))
  }

  private mutating func move(
    _ id: Int, to state: JobState, for duration: Duration, at now: SimulatedTime
  ) {
    change(id) { $0.enter(state) }
    setTimer(id, at: now + duration)
  }

  /// Signals a running job; what follows when its processes are gone is `ending`'s to say.
  private mutating func stop(_ id: Int, _ ending: Job.Ending, signal: Int32, at now: SimulatedTime)
  {
    guard let job = jobs[id] else { return }
    change(id) {
      $0.ending = ending
      $0.step += 1
    }
    actions.append(.signal(id: id, execution: job.starts, signal: signal))
    if signal != 9 { setTimer(id, at: now + settings.grace) }
  }

  private mutating func requeue(_ id: Int, at now: SimulatedTime) {
    releaseNodes(of: id)
    change(id) {
      $0.enter(.queued)
      $0.ending = nil
      $0.started = nil
      $0.reserved = nil
    }
    queue.append(id)
    dispatch(at: now)
  }

  private mutating func enterHold(_ id: Int, until: SimulatedTime?, at now: SimulatedTime) {
    releaseNodes(of: id)
    queue.removeAll { $0 == id }
    change(id) {
      $0.enter(.held)
      $0.ending = nil
      $0.started = nil
      $0.reserved = nil
      $0.pjmCode = PJMCode.held
      $0.reason = "USER HOLD"
    }
    if let until { setTimer(id, at: until) }
    dispatch(at: now)
  }

  private mutating func end(
    _ id: Int, _ state: JobState, at now: SimulatedTime, _ body: (inout Job) -> Void
  ) {
    releaseNodes(of: id)
    if jobs[id]?.state == .queued { queue.removeAll { $0 == id } }
    change(id) {
      $0.enter(state)
      $0.ended = now
      body(&$0)
    }
    if let job = jobs[id] { actions.append(.ended(job)) }
    liveCount -= 1
    if settings.lingering > .zero {
      setTimer(id, at: now + settings.lingering)
    } else {
      forget(id)
    }
    dispatch(at: now)
  }

  private mutating func forget(_ id: Int) {
    jobs[id] = nil
    if order.count > 2 * jobs.count + 64 { order.removeAll { jobs[$0] == nil } }
  }

  private mutating func releaseNodes(of id: Int) {
    guard let job = jobs[id], job.state.holdsNodes else { return }
    busyNodes -= job.request.directives.nodes
  }

  // MARK: Nodes

  /// How many waiting jobs behind one that does not fit are looked at.
  private static let backfillDepth = 100

  /// Starts jobs in their order; where the first does not fit, later ones that do not delay it
  /// (EASY backfilling).
  private mutating func dispatch(at now: SimulatedTime) {
    var taken = 0
    while taken < queue.count, fits(queue[taken]) {
      reserve(queue[taken], at: now)
      taken += 1
    }
    queue.removeFirst(taken)
    guard let head = queue.first, queue.count > 1, busyNodes < settings.nodes else { return }
    var (shadow, spare) = reservation(for: head, at: now)
    for id in queue.dropFirst().prefix(Self.backfillDepth) where fits(id) {
      guard let directives = jobs[id]?.request.directives else { continue }
      let endsBefore = now + (directives.elapse + overhead) <= shadow
      guard endsBefore || directives.nodes <= spare else { continue }
      if !endsBefore { spare -= directives.nodes }
      reserve(id, at: now)
      queue.removeAll { $0 == id }
    }
  }

  private var overhead: Duration {
    settings.reserving + settings.prologue + settings.epilogue + settings.finishing
  }

  private func fits(_ id: Int) -> Bool {
    guard let job = jobs[id] else { return false }
    return job.request.directives.nodes <= settings.nodes - busyNodes
  }

  private mutating func reserve(_ id: Int, at now: SimulatedTime) {
    busyNodes += jobs[id]?.request.directives.nodes ?? 0
    change(id) { $0.reserved = now }
    move(id, to: .reserving, for: settings.reserving, at: now)
  }

  /// When a waiting job can start if all that run use their whole time, and how many nodes are
  /// free besides it then.
  private func reservation(
    for id: Int, at now: SimulatedTime
  ) -> (start: SimulatedTime, spare: Int) {
    let wanted = jobs[id]?.request.directives.nodes ?? 0
    var free = settings.nodes - busyNodes
    let ends = jobs.values.filter(\.state.holdsNodes).map { job in
      (
        at: (job.started ?? now) + (job.request.directives.elapse + overhead),
        nodes: job.request.directives.nodes
      )
    }
    for end in ends.sorted(by: { $0.at < $1.at }) {
      free += end.nodes
      if free >= wanted { return (end.at, free - wanted) }
    }
    return (now, 0)
  }
}

extension Job {
  /// Takes over how its process ended.
  fileprivate mutating func record(_ end: ProcessEnd) {
    switch end {
    case .exited(let code): exitCode = code
    case .signalled(let number):
      signal = number
      exitCode = 128 + number
    case .notStarted(let code, let why):
      pjmCode = code
      reason = why
    }
    switch ending {
    case .cancel:
      pjmCode = PJMCode.deleted
      reason = "USER CANCEL"
    case .elapseLimit:
      pjmCode = PJMCode.elapseLimit
      reason = "ELAPSE LIMIT EXCEEDED"
    case .restart:
      pjmCode = PJMCode.nodeDown
      reason = "NODE DOWN"
    default: break
    }
  }
}
