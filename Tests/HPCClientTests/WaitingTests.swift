import HPCClient
import HTTP
import JSON
import Synchronization
import TestSupport
import Testing

/// The poller over a transport in memory and a clock that tests move.
@Suite(.timeLimit(.minutes(5))) struct WaitingTests {
  /// A service whose list tests set.
  private final class Service: Sendable {
    private let state = Mutex<(list: String, detail: (Int, String), failure: Int?)>(
      ("[]", (404, #"{"code":"GeneralError","message":"Operation not permitted."}"#), nil))

    func list(_ jobs: [(Int, String)]) {
      let text = listJSON(jobs.map { ($0.0, "a.sh", $0.1, "2027-01-15T17:00:00") })
      state.withLock { $0.list = text }
    }

    func fail(_ status: Int?) {
      state.withLock { $0.failure = status }
    }

    func raw(_ text: String) {
      state.withLock { $0.list = text }
    }

    func answer(_ request: HTTPRequest) -> HTTPResponse {
      let state = state.withLock { $0 }
      if let status = state.failure { return HTTPResponse(status: status) }
      return request.url.path == "/jobs"
        ? HTTPResponse(status: 200, body: Array(state.list.utf8))
        : HTTPResponse(status: state.detail.0, body: Array(state.detail.1.utf8))
    }
  }

  private let service = Service()
  private let time = VirtualTime(.manual)
  private let fixture: Fixture

  init() {
    let service = service
    fixture = Fixture(
      InMemoryTransport { request, _ throws(TransportError) in service.answer(request) },
      time: time)
  }

  private func wait(
    _ ids: [Int64], _ options: WaitOptions = WaitOptions()
  ) -> Task<WaitResult, any Error> {
    let client = fixture.client
    return Task { try await client.wait(for: ids.map { JobID($0) }, options) }
  }

  /// Lets the poller take its next list.
  private func next(_ seconds: Int = 10, sleepers: Int = 1) async {
    await time.sleepers(sleepers)
    time.advance(by: .seconds(seconds))
  }

  @Test func waitsForTheEndAndTellsChanges() async throws {
    let states = Mutex<[String]>([])
    service.list([(5, "QUE")])
    let task = wait(
      [5],
      WaitOptions(onChange: { change in states.withLock { $0.append(change.state.description) } }))
    await time.sleepers(1)
    service.list([(5, "RUN")])
    await next()
    await time.sleepers(1)
    service.list([(5, "EXT")])
    await next()
    let result = try await task.value
    #expect(result.jobs.map(\.state) == [.done])
    #expect(!result.isTimeout)
    #expect(states.withLock { $0 } == ["queued", "running", "done"])
  }

  @Test func aJobThatLeavesIsGoneAfterTwoListsAndItsDetail() async throws {
    service.list([(5, "RUN"), (6, "RUN")])
    let task = wait([5])
    await time.sleepers(1)
    service.list([(6, "RUN")])
    await next()
    await next()
    let job = try #require(try await task.value.jobs.first)
    #expect(job.state == .gone)
    #expect(job.text.contains("(last seen RUN)"))
    #expect(job.text.hasPrefix("job 5 left the list at "))
    #expect(fixture.sent == ["GET /jobs", "GET /jobs", "GET /jobs", "GET /jobs/5"])
  }

  @Test func outagesGarbageAndSuddenSilenceEndNothing() async throws {
    service.list([(5, "RUN"), (6, "RUN")])
    let task = wait([5, 6], WaitOptions(interval: .seconds(10)))
    await time.sleepers(1)
    for text in ["[]", "<html>", "[]", #"[{"no": "id"}]"#, "[1]", "", "[]"] {
      service.raw(text)
      await next()
    }
    await time.sleepers(1)
    service.list([(5, "EXT"), (6, "CCL")])
    await next()
    let result = try await task.value
    #expect(result.jobs.map(\.state) == [.done, .cancelled])
    #expect(!fixture.sent.contains("GET /jobs/5"))
  }

  @Test func aFailingServiceIsWaitedForAndReportedOnce() async throws {
    service.list([(5, "RUN")])
    let task = wait([5], WaitOptions(interval: .seconds(10)))
    await time.sleepers(1)
    service.fail(500)
    for _ in 0..<20 { await next() }
    await time.sleepers(1)
    service.fail(nil)
    service.list([(5, "EXT")])
    await next(20)
    #expect(try await task.value.jobs.map(\.state) == [.done])
    let warnings = fixture.events.all.count { if case .warning = $0 { true } else { false } }
    #expect(warnings == 2, "gone and back")
  }

  @Test func aServiceThatRefusesFromTheStartEndsTheWaitAtOnce() async throws {
    service.fail(403)
    let error = await #expect(throws: HPCError.self) { try await wait([5]).value }
    #expect(error?.status == 403)
    #expect(error?.hint != nil)
    #expect(fixture.sent.count == 1)
  }

  @Test func aServiceThatRefusesLaterEndsTheWaitAfterThreeTimes() async throws {
    service.list([(5, "RUN")])
    let task = wait([5], WaitOptions(interval: .seconds(10)))
    await time.sleepers(1)
    service.fail(403)
    for _ in 0..<3 { await next() }
    let error = await #expect(throws: HPCError.self) { try await task.value }
    #expect(error?.status == 403)
    #expect(fixture.sent.count == 4)
  }

  /// What no status tells of, a certificate that is not trusted for a while: said, and polled on.
  @Test func troubleOnThisSideIsToldAndWaitedFor() async throws {
    let isBroken = Mutex(false)
    let service = service
    let fixture = Fixture(
      InMemoryTransport { request, _ throws(TransportError) in
        if isBroken.withLock({ $0 }) {
          throw TransportError(.tls, mayHaveBeenSent: false, detail: "as scripted")
        }
        return service.answer(request)
      }, time: time)
    service.list([(5, "RUN")])
    let client = fixture.client
    let task = Task { try await client.wait(for: JobID(5), WaitOptions(interval: .seconds(10))) }
    await time.sleepers(1)
    isBroken.withLock { $0 = true }
    for _ in 0..<5 { await next() }
    await time.sleepers(1)
    isBroken.withLock { $0 = false }
    service.list([(5, "EXT")])
    await next()
    #expect(try await task.value.jobs.map(\.state) == [.done])
    let warnings = fixture.events.all.count { if case .warning = $0 { true } else { false } }
    #expect(warnings == 2, "gone and back")
  }

  /// A list that another call saw makes a sudden silence one.
  @Test func silenceAfterAListOfAnotherCallEndsNothing() async throws {
    service.list([(5, "RUN"), (6, "RUN")])
    _ = try await fixture.client.listJobsRaw()
    service.list([])
    let task = wait([5], WaitOptions(interval: .seconds(10)))
    for _ in 0..<11 { await next() }
    await time.sleepers(1)
    #expect(!fixture.sent.contains("GET /jobs/5"))
    for _ in 0..<2 { await next() }
    #expect(try await task.value.jobs.map(\.state) == [.gone])
  }

  @Test func whatAnyCallHasSeenOfAJobIsRemembered() async throws {
    service.list([(5, "RUN"), (6, "RUN"), (7, "QUE"), (8, "EXT")])
    _ = try await fixture.client.listJobsRaw()
    service.list([(6, "RUN")])
    let client = fixture.client
    let task = Task { try await client.wait(for: JobID(5)) }
    await next()
    let job = try #require(try await task.value.jobs.first)
    #expect(job.state == .gone)
    #expect(job.text.contains("(last seen RUN)"))
    // An end that was seen stays one, and asks for nothing.
    let before = fixture.sent.count
    #expect(try await client.wait(for: JobID(8)).jobs.map(\.state) == [.done])
    #expect(fixture.sent.count == before)
  }

  @Test func whatTheCallerHasSeenOfAJobCounts() async throws {
    let seen = JobRecord(id: JobID(5), status: "HLD", observedAt: 0)
    let task = wait([5], WaitOptions(seen: [JobID(5): seen]))
    await next()
    #expect(try await task.value.jobs.first?.text.contains("(last seen HLD)") == true)
  }

  @Test func noTimeAtAllLooksOnce() async throws {
    service.list([(5, "RUN")])
    let first = try await wait([5], WaitOptions(timeout: .zero)).value
    #expect(first.isTimeout)
    #expect(first.jobs.map(\.state) == [.running])
    #expect(fixture.sent == ["GET /jobs"])
    // Beside a wait whose next list is not due yet.
    let other = wait([5])
    await time.sleepers(1)
    let sent = fixture.sent.count
    #expect(try await wait([5], WaitOptions(timeout: .zero)).value.isTimeout)
    #expect(fixture.sent.count == sent + 1)
    other.cancel()
    service.fail(500)
    let isOver = Mutex(false)
    let client = fixture.client
    let nothing = Task {
      defer { isOver.withLock { $0 = true } }
      return try await client.wait(for: [JobID(5)], WaitOptions(timeout: .zero))
    }
    while !isOver.withLock({ $0 }) {
      try Task.checkCancellation()
      time.advance(by: .seconds(1))
      await Task.yield()
    }
    #expect(try await nothing.value.isTimeout)
  }

  @Test func noTimeAtAllHasAnEndWhereNoAnswerComes() async throws {
    let time = time
    let silent = Fixture(
      InMemoryTransport { _, _ throws(TransportError) in
        try? await time.sleep(for: .seconds(120))
        throw TransportError(.totalTimeout, mayHaveBeenSent: true, detail: "as scripted")
      }, time: time)
    let client = silent.client
    let task = Task { try await client.wait(for: [JobID(5)], WaitOptions(timeout: .zero)) }
    await next(20, sleepers: 2)
    #expect(try await task.value.isTimeout)
    #expect(silent.sent == ["GET /jobs"])
  }

  @Test(arguments: ["<html>", "{}", #"[{"no": "id"}]"#, "[null]"])
  func anAddressThatNeverAnsweredWithAListEndsTheWait(body: String) async throws {
    service.raw(body)
    let task = wait([5])
    await next(60)
    await next(60)
    let error = await #expect(throws: HPCError.self) { try await task.value }
    #expect(error?.code == "BadAnswer")
    let warnings = fixture.events.all.count { if case .warning = $0 { true } else { false } }
    #expect(warnings == 1)
  }

  @Test func anAddressWithoutAServiceEndsTheWait() async throws {
    let fixture = Fixture(.none(.connect, sent: false))
    let error = await failure { () throws(HPCError) in try await fixture.client.wait(for: JobID(1))
    }
    #expect(error?.code == "NoConnection")
  }

  @Test func aNumberThatNeverWasIsAnError() async throws {
    let client = fixture.client
    let task = Task { try await client.wait(for: JobID(77)) }
    await next()
    let error = await #expect(throws: HPCError.self) { try await task.value }
    #expect(error?.code == "NoSuchJob")
    #expect(error?.message == "no such job 77, or it ended before it was first seen")
  }

  @Test func timeoutsTellWhatIsKnown() async throws {
    service.list([(5, "RUN")])
    let task = wait([5, 6], WaitOptions(timeout: .seconds(5)))
    await next(5, sleepers: 2)
    let result = try await task.value
    #expect(result.isTimeout)
    #expect(result.jobs.map(\.state) == [.running, .unknown("")])
    #expect(result.jobs.map(\.evidence) == [.list, .none])
  }

  @Test func aWaitThatEndsBeforeItsFirstListTellsWhatWasSeenBefore() async throws {
    service.list([(5, "RUN")])
    let first = wait([5], WaitOptions(timeout: .seconds(3)))
    await next(3, sleepers: 2)
    _ = try await first.value
    let second = wait([5, 6], WaitOptions(timeout: .seconds(3)))
    await next(3, sleepers: 2)
    let result = try await second.value
    #expect(fixture.sent == ["GET /jobs"])
    #expect(result.jobs.map(\.state) == [.running, .unknown("")])
    #expect(result.jobs.map(\.evidence) == [.earlier, .none])
    #expect(result.jobs.map(\.observedAt) == [1_800_000_000, 1_800_000_003])
  }

  @Test func aCancelledWaitEndsAtOnceAndThePollingWithIt() async throws {
    let task = wait([5])
    await time.sleepers(1)
    task.cancel()
    let error = await #expect(throws: HPCError.self) { try await task.value }
    #expect(error?.isCancelled == true)
    while time.sleeperCount > 0 { await Task.yield() }
    #expect(fixture.sent.count == 1)
  }

  @Test func aWaitWithoutATaskEndsOnceAndCanBeCancelled() async throws {
    service.list([(5, "RUN"), (6, "RUN")])
    let ends = Mutex<[String]>([])
    func note(_ name: String) -> @Sendable (Result<WaitResult, HPCError>) -> Void {
      { result in
        let text =
          switch result {
          case .success(let result): "\(name) \(result.jobs.map(\.state.description))"
          case .failure(let error): "\(name) \(error.code)"
          }
        ends.withLock { $0.append(text) }
      }
    }
    let client = fixture.client
    _ = try client.startWait(for: [], end: note("none"))
    let cancelFirst = try client.startWait(for: [JobID(5)], end: note("first"))
    let cancelSecond = try client.startWait(for: [JobID(6)], end: note("second"))
    await time.sleepers(1)
    cancelFirst()
    cancelFirst()
    service.list([(5, "EXT"), (6, "EXT")])
    await next()
    while ends.withLock({ $0.count }) < 3 { await Task.yield() }
    cancelSecond()
    #expect(ends.withLock { $0 } == ["none []", "first Cancelled", #"second ["done"]"#])
  }

  @Test func allWaitersShareOneListPerInterval() async throws {
    let count = 500
    service.list((1...count).map { ($0, "RUN") })
    let told = Mutex(0)
    let options = WaitOptions(
      interval: .seconds(10), onChange: { _ in told.withLock { $0 += 1 } })
    let tasks = (1...count).map { wait([Int64($0)], options) }
    // Everybody is there once everybody has been told.
    while told.withLock({ $0 }) < count { await next() }
    await time.sleepers(1)
    let before = fixture.sent.count
    service.list((1...count).map { ($0, "EXT") })
    await next()
    for task in tasks { #expect(try await task.value.jobs.map(\.state) == [.done]) }
    #expect(fixture.sent.count == before + 1)
  }

  @Test func aSecondClientOfTheSameEndpointSharesThePoller() async throws {
    service.list([(5, "RUN"), (6, "RUN")])
    let other = HPCClient(fixture.client.configuration, transport: fixture.transport)
    let first = wait([5])
    await time.sleepers(1)
    let second = Task { try await other.wait(for: JobID(6)) }
    await next()
    await time.sleepers(1)
    service.list([(5, "EXT"), (6, "EXT")])
    await next()
    _ = try await first.value
    _ = try await second.value
    #expect(fixture.sent.count == 3)
  }

  @Test func senselessTimesAreRefused() async throws {
    for options in [WaitOptions(interval: .seconds(-1)), WaitOptions(timeout: .seconds(-1))] {
      let client = fixture.client
      let error = await failure { () throws(HPCError) in
        try await client.wait(for: JobID(1), options)
      }
      #expect(error?.code == "InvalidArgument")
    }
    let nothing = try await fixture.client.wait(for: [])
    #expect(nothing.jobs.isEmpty)
    #expect(fixture.sent.isEmpty)
  }
}
