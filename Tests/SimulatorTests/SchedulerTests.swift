import Testing

@testable import Simulator

@Suite struct SchedulerTests {
  /// A scheduler at a clock that stands where the test puts it.
  struct Bench {
    var scheduler: Scheduler
    var now = SimulatedTime(seconds: 1_000_000)
    var actions: [Scheduler.Action] = []

    init(_ change: (inout Scheduler.Settings) -> Void = { _ in }) {
      var settings = Scheduler.Settings()
      settings.nodes = 10
      change(&settings)
      scheduler = Scheduler(settings: settings, firstID: 100)
    }

    mutating func submit(_ script: String = "") throws -> Int {
      let directives = try JobDirectives(parsing: Array(script.utf8))
      let id = try scheduler.submit(
        JobRequest(name: "job", directives: directives, script: []), at: now)
      actions += scheduler.takeActions()
      return id
    }

    mutating func pass(_ duration: Duration) {
      now = now + duration
      scheduler.advance(to: now)
      actions += scheduler.takeActions()
    }

    /// Long enough for a job that has its nodes to run.
    mutating func toRunning() { pass(.seconds(1)) }

    mutating func end(_ id: Int, _ end: ProcessEnd = .exited(code: 0)) {
      scheduler.processEnded(
        id: id, execution: scheduler.job(id)?.starts ?? 0, end, at: now)
      actions += scheduler.takeActions()
    }

    func state(_ id: Int) -> JobState? { scheduler.job(id)?.state }

    var signals: [Int32] {
      actions.compactMap { if case .signal(_, _, let number) = $0 { number } else { nil } }
    }
    var starts: [Int] {
      actions.compactMap { if case .start(let job, _) = $0 { job.id } else { nil } }
    }
    func ended(_ id: Int) -> Job? {
      actions.compactMap { if case .ended(let job) = $0, job.id == id { job } else { nil } }.first
    }
  }

  @Test func `a job goes through the states in their order and vanishes`() throws {
    var bench = Bench()
    let id = try bench.submit()
    var states: [JobState] = []
    func note() { if let state = bench.state(id), states.last != state { states.append(state) } }
    note()
    for _ in 0..<200 where bench.state(id) != .running {
      bench.pass(.milliseconds(20))
      note()
    }
    #expect(bench.starts == [id])
    bench.end(id, .exited(code: 7))
    for _ in 0..<200 where bench.state(id) != nil {
      note()
      bench.pass(.milliseconds(20))
    }
    #expect(
      states == [.accepting, .queued, .reserving, .prologue, .running, .epilogue, .finishing]
        || states == [.accepting, .reserving, .prologue, .running, .epilogue, .finishing])
    let job = try #require(bench.ended(id))
    #expect(job.state == .ended)
    #expect(job.lastState == .finishing)
    #expect(job.exitCode == 7)
    #expect(job.pjmCode == 0)
    #expect(bench.scheduler.visibleJobs.isEmpty)
    #expect(bench.scheduler.acceptedCount == 0)
  }

  @Test func `an ended job lingers as long as is asked`() throws {
    var bench = Bench { $0.lingering = .seconds(10) }
    let id = try bench.submit()
    bench.toRunning()
    bench.end(id)
    bench.pass(.seconds(5))
    #expect(bench.state(id) == .ended)
    #expect(bench.scheduler.acceptedCount == 0)
    bench.pass(.seconds(6))
    #expect(bench.state(id) == nil)
  }

  @Test func `the queue has a limit`() throws {
    var bench = Bench { $0.queueLimit = 2 }
    let first = try bench.submit()
    _ = try bench.submit()
    #expect(throws: Scheduler.Refusal.queueFull) { try bench.submit() }
    try bench.scheduler.cancel(first, at: bench.now)
    _ = try bench.submit()
  }

  @Test(arguments: ["#PJM -L node=11", "#PJM -L elapse=73:00:00"])
  func `limits of the resource group are kept`(script: String) {
    var bench = Bench()
    #expect(throws: Scheduler.Refusal.self) { try bench.submit(script) }
    #expect(bench.scheduler.visibleJobs.isEmpty)
  }

  @Test func `jobs wait for nodes, and a later one that delays nobody goes first`() throws {
    var bench = Bench()
    let long = try bench.submit("#PJM -L node=6,elapse=100")
    bench.toRunning()
    let wide = try bench.submit("#PJM -L node=8,elapse=100")
    let tooLong = try bench.submit("#PJM -L node=4,elapse=500")
    let short = try bench.submit("#PJM -L node=4,elapse=50")
    bench.toRunning()
    #expect(bench.state(long) == .running)
    #expect(bench.state(wide) == .queued)
    #expect(bench.state(tooLong) == .queued)
    #expect(bench.state(short) == .running)
    bench.end(long)
    bench.end(short)
    bench.pass(.seconds(2))
    #expect(bench.state(wide) == .running)
    #expect(bench.state(tooLong) == .queued)
    bench.end(wide)
    bench.pass(.seconds(2))
    #expect(bench.state(tooLong) == .running)
  }

  @Test func `the elapse limit ends a job with code 11`() throws {
    var bench = Bench()
    let id = try bench.submit("#PJM -L elapse=30")
    bench.toRunning()
    bench.pass(.seconds(29))
    #expect(bench.signals.isEmpty)
    bench.pass(.seconds(1))
    #expect(bench.signals == [24])
    bench.pass(.seconds(3))
    #expect(bench.signals == [24, 9])
    bench.end(id, .signalled(9))
    bench.pass(.seconds(1))
    let job = try #require(bench.ended(id))
    #expect(job.state == .ended)
    #expect(job.pjmCode == 11)
    #expect(job.signal == 9)
  }

  @Test func `cancelling a waiting job ends it at once`() throws {
    var bench = Bench()
    let id = try bench.submit()
    try bench.scheduler.cancel(id, at: bench.now)
    bench.pass(.seconds(5))
    #expect(bench.starts.isEmpty)
    #expect(bench.ended(id)?.state == .cancelled)
    #expect(bench.ended(id)?.pjmCode == 1)
    #expect(throws: Scheduler.Refusal.notFound) { try bench.scheduler.cancel(id, at: bench.now) }
  }

  @Test func `cancelling a running job signals it and takes its end`() throws {
    var bench = Bench()
    let id = try bench.submit()
    bench.toRunning()
    try bench.scheduler.cancel(id, at: bench.now)
    #expect(throws: Scheduler.Refusal.ending) { try bench.scheduler.cancel(id, at: bench.now) }
    bench.pass(.zero)
    #expect(bench.signals == [15])
    bench.end(id, .signalled(15))
    bench.pass(.seconds(1))
    let job = try #require(bench.ended(id))
    #expect(job.state == .cancelled)
    #expect(job.pjmCode == 1)
    #expect(job.signal == 15)
  }

  @Test func `a node failure starts a job again`() throws {
    var bench = Bench()
    let id = try bench.submit()
    bench.toRunning()
    bench.scheduler.restart(id, at: bench.now)
    bench.pass(.zero)
    #expect(bench.signals == [9])
    bench.end(id, .signalled(9))
    #expect(bench.state(id) != .running)
    bench.toRunning()
    #expect(bench.starts == [id, id])
    #expect(bench.scheduler.job(id)?.starts == 2)
    // What the first execution still reports is not taken for the second.
    bench.scheduler.processEnded(id: id, execution: 1, .exited(code: 9), at: bench.now)
    #expect(bench.state(id) == .running)
    bench.end(id)
    bench.pass(.seconds(1))
    #expect(bench.ended(id)?.exitCode == 0)
    #expect(bench.ended(id)?.pjmCode == 0)
  }

  @Test func `a node failure ends a job that must not be started again`() throws {
    var bench = Bench()
    let id = try bench.submit("#PJM --norestart")
    bench.toRunning()
    bench.scheduler.restart(id, at: bench.now)
    bench.end(id, .signalled(9))
    bench.pass(.seconds(1))
    #expect(bench.starts == [id])
    #expect(bench.ended(id)?.pjmCode == 20)
  }

  @Test func `a held job waits for its release`() throws {
    var bench = Bench()
    let id = try bench.submit()
    bench.scheduler.hold(id, until: bench.now + .seconds(60), at: bench.now)
    bench.pass(.seconds(59))
    #expect(bench.state(id) == .held)
    #expect(bench.scheduler.job(id)?.pjmCode == 4)
    bench.pass(.seconds(2))
    #expect(bench.state(id) == .running)
    bench.scheduler.hold(id, until: nil, at: bench.now)
    bench.end(id, .signalled(9))
    bench.pass(.seconds(600))
    #expect(bench.state(id) == .held)
    try bench.scheduler.cancel(id, at: bench.now)
    bench.pass(.zero)
    #expect(bench.ended(id)?.state == .cancelled)
  }

  @Test func `a script that does not start says why`() throws {
    var bench = Bench()
    let id = try bench.submit()
    bench.toRunning()
    bench.end(id, .notStarted(pjmCode: 21, reason: "SCRIPT START FAILED"))
    bench.pass(.seconds(1))
    #expect(bench.ended(id)?.pjmCode == 21)
  }

  /// Random calls in random order: nodes are never oversold, ids never repeat, every job ends.
  @Test(arguments: 0..<20)
  func `any history keeps the machine's limits`(seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    var bench = Bench { $0.queueLimit = 30 }
    var submitted: [Int] = []
    for _ in 0..<400 {
      switch Int.random(in: 0..<8, using: &generator) {
      case 0...2:
        let nodes = Int.random(in: 1...10, using: &generator)
        let elapse = Int.random(in: 1...60, using: &generator)
        if let id = try? bench.submit("#PJM -L node=\(nodes),elapse=\(elapse)") {
          submitted.append(id)
        }
      case 3:
        if let id = submitted.randomElement(using: &generator) {
          try? bench.scheduler.cancel(id, at: bench.now)
        }
      case 4:
        if let id = submitted.randomElement(using: &generator) {
          bench.scheduler.restart(id, at: bench.now)
        }
      case 5:
        if let id = submitted.randomElement(using: &generator) { bench.end(id) }
      default: bench.pass(.milliseconds(Int.random(in: 0...5_000, using: &generator)))
      }
      let used = bench.scheduler.visibleJobs.filter(\.state.holdsNodes)
        .reduce(0) { $0 + $1.request.directives.nodes }
      #expect(used <= 10)
    }
    for _ in 0..<2_000 where bench.scheduler.acceptedCount > 0 {
      for job in bench.scheduler.visibleJobs where job.state == .running { bench.end(job.id) }
      bench.pass(.seconds(1))
    }
    #expect(bench.scheduler.acceptedCount == 0)
    #expect(Set(submitted).count == submitted.count)
    #expect(submitted.allSatisfy { bench.ended($0) != nil })
  }
}

/// Numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
