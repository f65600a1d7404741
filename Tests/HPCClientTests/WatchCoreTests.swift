@testable import HPCClient
import JSON
import Testing

@Suite struct WatchCoreTests {
  /// A core with a clock that moves by an interval per list.
  private struct World {
    var core = WatchCore(clockRate: 1)
    var now = Duration.zero
    var actions: [WatchCore.Action] = []

    mutating func add(
      _ waiter: Int, _ jobs: [Int64], known: Bool = true, interval: Duration? = nil,
      changes: Bool = false
    ) {
      actions += core.add(
        waiter, jobs: jobs.map { JobID($0) },
        seen: { known ? JobRecord(id: $0, status: "", observedAt: 0) : nil }, interval: interval,
        wantsChanges: changes, at: now, date: 0)
    }

    /// A list after so many seconds.
    mutating func list(_ jobs: [(Int64, String)], good: Bool = true, after seconds: Int = 10) {
      now += .seconds(seconds)
      core.requested(at: now)
      let date = now / .seconds(1)
      let records = jobs.map { WatchCoreTests.record($0.0, $0.1, at: date) }
      actions += core.listed(
        JobList(jobs: records, requestedAt: date, observedAt: date), isGood: good,
        requestedAt: now)
    }

    mutating func same(good: Bool = true) {
      now += .seconds(10)
      core.requested(at: now)
      actions += core.unchanged(isGood: good, requestedAt: now, date: now / .seconds(1))
    }

    mutating func detail(_ id: Int64, _ detail: WatchCore.Detail) {
      actions += core.detailed(JobID(id), detail, date: now / .seconds(1))
    }

    mutating func taken() -> [WatchCore.Action] {
      defer { actions = [] }
      return actions
    }
  }

  private static func record(_ id: Int64, _ status: String, at date: Double) -> JobRecord {
    JobRecord(
      fields: [
        .init(key: "job_id", value: .string("\(id)")), .init(key: "status", value: .string(status)),
        .init(key: "Fugaku:ec", value: "0"),
      ], observedAt: date)
  }

  @Test func aTerminalStatusEndsTheWait() {
    var world = World()
    world.add(1, [5], changes: true)
    world.list([(5, "RUN")])
    world.list([(5, "RUN")])
    world.list([(5, "EXT")])
    let told = world.taken().compactMap { action -> String? in
      switch action {
      case .tell(1, let observation): observation.state.description
      case .finish(1): "finish"
      default: nil
      }
    }
    #expect(told == ["running", "done", "finish"])
    let observation = world.core.remove(1)[JobID(5)]
    #expect(observation?.state == .done)
    #expect(observation?.evidence == .list)
  }

  @Test func goneNeedsTwoGoodListsAndADetailThatIsNotFound() {
    var world = World()
    world.add(1, [5])
    world.list([(5, "RUN")])
    world.list([])
    #expect(world.taken() == [])
    world.same()
    #expect(world.taken() == [.askDetail(JobID(5))])
    world.same()
    #expect(world.taken() == [], "one detail at a time")
    world.detail(5, .notFound)
    #expect(world.taken() == [.finish(1)])
    let observation = world.core.remove(1)[JobID(5)]
    #expect(observation?.state == .gone)
    #expect(observation?.evidence == .gone)
    #expect(observation?.record?.status == "RUN")
  }

  @Test func listsThatProveNothingCountForNothing() {
    var world = World()
    world.add(1, [5])
    world.list([(5, "RUN")])
    world.list([], good: false)
    world.same(good: false)
    world.same(good: false)
    world.core.failed()
    #expect(world.taken() == [])
    world.same()
    world.list([(5, "RUN")])
    world.list([])
    #expect(world.taken() == [], "it was there again: counting starts anew")
  }

  @Test func twoListsTooCloseTogetherAreOne() {
    var world = World()
    world.add(1, [5])
    world.add(2, [6], interval: .seconds(1))
    world.list([(5, "RUN"), (6, "RUN")])
    world.list([], after: 1)
    world.list([], after: 1)
    #expect(world.taken() == [.askDetail(JobID(6))])
    world.list([], after: 9)
    #expect(world.taken() == [.askDetail(JobID(5))])
  }

  @Test func aListRequestedBeforeTheWaitProvesNoAbsence() {
    var world = World()
    world.now = .seconds(100)
    world.add(1, [5])
    for second in [90, 100, 105] {
      world.actions += world.core.listed(
        JobList(jobs: [], requestedAt: 0, observedAt: 0), isGood: true,
        requestedAt: .seconds(second))
    }
    #expect(world.taken() == [])
    world.actions += world.core.listed(
      JobList(jobs: [], requestedAt: 0, observedAt: 0), isGood: true, requestedAt: .seconds(111))
    #expect(world.taken() == [.askDetail(JobID(5))])
  }

  @Test func aDetailThatShowsTheJobStartsAnew() {
    var world = World()
    world.add(1, [5], changes: true)
    world.list([])
    world.same()
    #expect(world.taken() == [.askDetail(JobID(5))])
    world.detail(5, .job(Self.record(5, "RUN", at: 1)))
    #expect(world.taken().count == 1)
    #expect(world.core.needsWholeList)
    world.list([])
    #expect(world.taken() == [])
    world.same()
    #expect(world.taken() == [.askDetail(JobID(5))])
    world.detail(5, .inconclusive)
    world.same()
    #expect(world.taken() == [.askDetail(JobID(5))], "asked again after the next good list")
    world.detail(5, .job(Self.record(5, "EXT", at: 1)))
    #expect(world.taken().last == .finish(1))
  }

  @Test func aLateNotFoundDoesNotBeatANewerList() {
    var world = World()
    world.add(1, [5])
    world.list([])
    world.same()
    _ = world.taken()
    world.list([(5, "RUN")])
    world.detail(5, .notFound)
    #expect(world.taken() == [])
  }

  @Test func numbersThatNeverWereAreNotKnown() {
    var world = World()
    world.add(1, [5], known: false)
    world.add(2, [6], known: true)
    world.list([])
    world.same()
    world.detail(5, .notFound)
    world.detail(6, .notFound)
    #expect(world.core.remove(1)[JobID(5)]?.wasKnown == false)
    #expect(world.core.remove(2)[JobID(6)]?.wasKnown == true)
  }

  @Test func oneJobMayHaveManyWaitersAndOneWaiterManyJobs() {
    var world = World()
    world.add(1, [5, 6, 5])
    world.add(2, [5])
    world.list([(5, "CCL"), (6, "RUN")])
    #expect(world.taken() == [.finish(2)])
    _ = world.core.remove(2)
    world.list([(6, "RJT")])
    #expect(world.taken() == [.finish(1)])
    let jobs = world.core.remove(1)
    #expect(jobs.mapValues(\.state) == [JobID(5): .cancelled, JobID(6): .rejected])
    #expect(world.core.isIdle)
    world.add(3, [5])
    #expect(world.taken() == [], "what nobody waits for is forgotten")
  }

  @Test func whatIsSeenAgainUnchangedIsAsFreshAsTheList() {
    var world = World()
    world.add(1, [5])
    world.list([(5, "RUN")])
    world.same()
    #expect(world.core.remove(1)[JobID(5)]?.observedAt == 20)
  }

  @Test func pollingBacksOffWhileNothingChanges() {
    var world = World()
    world.add(1, [5])
    #expect(world.core.schedule.due == .zero)
    world.list([(5, "RUN")])
    #expect(world.core.schedule.interval == .seconds(10))
    var intervals: [Duration] = []
    for _ in 0..<7 {
      world.same()
      intervals.append(world.core.schedule.interval)
    }
    #expect(intervals.first == .seconds(15))
    #expect(intervals.last == .seconds(60))
    world.list([(5, "RNO")])
    #expect(world.core.schedule.interval == .seconds(10))
  }

  @Test func anIntervalThatWasAskedForIsKept() {
    var world = World()
    world.add(1, [5], interval: .seconds(2))
    for _ in 0..<9 { world.same() }
    #expect(world.core.schedule.interval == .seconds(2))
    world.add(2, [5], interval: .seconds(1))
    #expect(world.core.schedule.interval == .seconds(1))
    _ = world.core.remove(2)
    #expect(world.core.schedule.interval == .seconds(2))
    _ = world.core.remove(1)
    world.add(3, [5], interval: .seconds(40))
    #expect(world.core.schedule.interval == .seconds(10), "longer ones do not slow others down")
  }

  @Test func aFastMachineIsPolledFaster() {
    #expect(WatchCore(clockRate: 10).schedule.interval == .seconds(1))
    #expect(WatchCore(clockRate: 1e5).schedule.interval == .milliseconds(50))
  }
}
