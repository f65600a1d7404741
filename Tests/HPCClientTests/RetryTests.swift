import Foundation
import HPCClient
import HTTP
import SigV4
import TestSupport
import Testing

@Suite struct RetryTests {
  private typealias Answer = InMemoryTransport.Answer

  private static let expired =
    #"{"code":"Client.AuthFailureExpired","message":"The signature for this request is expired."}"#
  private static let missing = #"{"code":"GeneralError","message":"Operation not permitted."}"#

  @Test(
    arguments: [
      .json(500, ""), .json(503, ""), .json(502, "<html>"), .json(504, ""), .json(429, ""),
      .none(.reset), .none(.truncated), .none(.totalTimeout), .none(.idleTimeout),
    ] as [InMemoryTransport.Answer])
  func readsAreRepeated(answer: InMemoryTransport.Answer) async throws {
    let fixture = Fixture(answer, answer, answer, .json(200, "[]"))
    #expect(try await fixture.client.listJobs().jobs.isEmpty)
    #expect(fixture.sent.count == 4)
    // Half of 0.4 s, 0.8 s, 1.6 s: full jitter with a die that always shows 0.5.
    #expect(fixture.time.sleeps == [.milliseconds(200), .milliseconds(400), .milliseconds(800)])
  }

  @Test(
    arguments: [
      .json(400, ""), .json(401, ""), .json(403, ""), .json(404, ""), .json(405, ""),
      .json(422, ""),
      .json(200, "?"), .json(301, ""), .none(.tls, sent: false), .none(.protocolViolation),
      .none(.bodyTooLarge(limit: 1)), .none(.cancelled), .none(.closed, sent: false),
    ] as [InMemoryTransport.Answer])
  func otherErrorsAreFinal(answer: InMemoryTransport.Answer) async throws {
    let fixture = Fixture(answer)
    let error = await failure { () throws(HPCError) in try await fixture.client.listJobs() }
    #expect(error != nil)
    #expect(fixture.sent.count == 1)
    #expect(error?.isRetryable == false)
  }

  @Test func deadlinesEndTheRepeating() async throws {
    let fixture = Fixture(.json(500, ""))
    let error = try #require(
      await failure { () throws(HPCError) in try await fixture.client.listJobs() })
    #expect(fixture.time.uptime() <= .seconds(300))
    #expect(fixture.time.uptime() >= .seconds(280))
    #expect(error.isRetryable)
    #expect(error.attempts == fixture.sent.count)
    #expect(error.message.hasSuffix("Tried \(error.attempts) times."))
    let short = Fixture(.json(500, ""))
    _ = await failure { () throws(HPCError) in
      try await short.client.listJobs(CallOptions(retryDeadline: .zero))
    }
    #expect(short.sent.count == 1)
  }

  /// A long pause on the dice must not cut the time short that was given.
  @Test func theLastAttemptStartsAtTheDeadline() async throws {
    let fixture = Fixture(.json(500, ""))
    _ = await failure { () throws(HPCError) in
      try await fixture.client.listJobs(CallOptions(retryDeadline: .seconds(5)))
    }
    #expect(fixture.time.uptime() == .seconds(5))
    // 0.2, 0.4, 0.8, 1.6 s; 3.2 s would be too long.
    #expect(fixture.sent.count == 6)
    #expect(fixture.time.sleeps.last == .seconds(2))
  }

  @Test func maintenanceIsWaitedForLonger() async throws {
    let fixture = Fixture(.json(503, #"{"code":"Server.Maintenance","message":"m"}"#))
    _ = await failure { () throws(HPCError) in try await fixture.client.listJobs() }
    #expect(fixture.time.uptime() > .seconds(3500))
    #expect(fixture.time.uptime() <= .seconds(3600))
  }

  @Test func whoWaitsIsToldOnceAMinute() async throws {
    let fixture = Fixture(.json(500, ""))
    _ = await failure { () throws(HPCError) in try await fixture.client.listJobs() }
    let warnings = fixture.events.all.compactMap {
      if case .warning(let text) = $0 { text } else { nil }
    }
    #expect((3...5).contains(warnings.count), "in five minutes: \(warnings.count)")
    #expect(warnings.allSatisfy { $0.hasPrefix("still trying: GET /jobs was answered 500") })
  }

  @Test func whatTheServiceAsksForIsInTheError() async throws {
    let fixture = Fixture(
      InMemoryTransport { _, _ throws(TransportError) in
        HTTPResponse(status: 503, headers: ["Retry-After": "31536000"])
      })
    let error = await failure { () throws(HPCError) in
      try await fixture.client.listJobs(CallOptions(retryDeadline: .seconds(60)))
    }
    #expect(error?.hint == "The service asks to wait 31536000 s.")
    #expect(fixture.sent.count == 1)
  }

  @Test func aLostAnswerToADeletingSyncSaysThatItMayHaveRun() async throws {
    let fixture = Fixture(.none(.reset))
    let error = await failure { () throws(HPCError) in
      try await fixture.client.startSync(path: "a", delete: true)
    }
    #expect(error?.isAmbiguous == true)
    #expect(error?.message.hasSuffix("The sync may have run. NOT repeated") == true)
    #expect(fixture.sent.count == 1)
  }

  @Test func aWrongAddressShowsSoonAndAKnownOneIsWaitedFor() async throws {
    let fixture = Fixture(.none(.connect, sent: false))
    _ = await failure { () throws(HPCError) in try await fixture.client.listJobs() }
    #expect(fixture.time.uptime() <= .seconds(4))
    let known = Fixture(.json(200, "[]"), .none(.connect, sent: false))
    _ = try await known.client.listJobs()
    _ = await failure { () throws(HPCError) in try await known.client.listJobs() }
    #expect(known.time.uptime() > .seconds(250))
  }

  @Test(
    arguments: [
      ("3", 3.0), ("31536000", 120), ("0", 0.2), ("soon", 0.2), ("-1", 0.2),
      ("Fri, 15 Jan 2027 08:00:07 GMT", 7), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.2),
    ])
  func retryAfterIsHonouredAndBounded(text: String, seconds: Double) async throws {
    let fixture = Fixture(.json(503, "", ["Retry-After": text]), .json(200, "[]"))
    _ = try await fixture.client.listJobs()
    #expect(fixture.time.sleeps == [.seconds(seconds)])
  }

  @Test func aRepeatedCancelThatFindsNothingHasWorked() async throws {
    let fixture = Fixture(.none(.reset), .json(404, Self.missing))
    #expect(try await fixture.client.cancel(JobID(1)) == false)
    for first: InMemoryTransport.Answer in [.json(404, Self.missing)] {
      let fixture = Fixture(first)
      let error = await failure { () throws(HPCError) in try await fixture.client.cancel(JobID(1)) }
      #expect(error?.status == 404)
    }
    // Nobody says that a 429 comes before the work.
    let busy = Fixture(.json(429, ""), .json(404, Self.missing))
    #expect(try await busy.client.cancel(JobID(1)) == false)
    let unsent = Fixture(
      .json(204, ""), .none(.connect, sent: false), .json(404, Self.missing))
    _ = try await unsent.client.cancel(JobID(1))
    let error = await failure { () throws(HPCError) in try await unsent.client.cancel(JobID(1)) }
    #expect(error?.status == 404, "nothing was sent before: the job was never there")
  }

  @Test func syncsAreRepeatedUnlessAnAnswerWithDeleteIsLost() async throws {
    let good = Answer.json(200, #"{"requestid": 3}"#)
    let plain = Fixture(.none(.reset), .json(503, ""), good)
    #expect(try await plain.client.startSync(path: "p") == SyncID(3))
    let deleting = Fixture(.json(503, ""), .none(.connect, sent: false), good)
    #expect(try await deleting.client.startSync(path: "p", delete: true) == SyncID(3))
    for lost: TransportError.Kind in [.reset, .totalTimeout, .truncated] {
      let fixture = Fixture(.none(lost), good)
      let error = await failure { () throws(HPCError) in
        try await fixture.client.startSync(path: "p", delete: true)
      }
      #expect(error?.isAmbiguous == true)
      #expect(fixture.sent.count == 1)
    }
    // A gateway has lost the answer: the service may have worked, or be at it.
    for status in [502, 504] {
      let fixture = Fixture(.json(status, "<html>"), good)
      let error = await failure { () throws(HPCError) in
        try await fixture.client.startSync(path: "p", delete: true)
      }
      #expect(error?.isAmbiguous == true)
      #expect(error?.message.contains("NOT repeated") == true)
      #expect(fixture.sent.count == 1)
    }
  }

  /// A pause that the service asks for is told before it, not after it.
  @Test func aLongPauseIsToldBeforeItBegins() async throws {
    let time = VirtualTime(.manual)
    let fixture = Fixture(
      InMemoryTransport([.json(503, "", ["Retry-After": "30"]), .json(200, "[]")]), time: time)
    let client = fixture.client
    let task = Task { try await client.listJobs(CallOptions(retryDeadline: .seconds(40))) }
    await time.sleepers(1)
    let warnings = fixture.events.all.compactMap {
      if case .warning(let text) = $0 { text } else { nil }
    }
    #expect(
      warnings
        == ["still trying: GET /jobs was answered 503 without a reason. Next try in 30 s."])
    time.advance(by: .seconds(30))
    _ = try await task.value
  }

  @Test func aClockThatManyRequestsFindOutAboutIsToldOnce() async throws {
    let date: HTTPHeaders = ["Date": "Fri, 15 Jan 2027 09:00:00 GMT"]
    let transport = InMemoryTransport { _, number throws(TransportError) in
      number <= 10
        ? HTTPResponse(status: 401, headers: date, body: Array(Self.expired.utf8))
        : HTTPResponse(status: 200, body: Array("[]".utf8))
    }
    let fixture = Fixture(transport)
    let client = fixture.client
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<10 { group.addTask { _ = try? await client.listJobs() } }
    }
    let corrections = fixture.events.all.count {
      if case .clockCorrected = $0 { true } else { false }
    }
    #expect(corrections == 1)
  }

  @Test func expiredSignaturesAreRepeatedOnceOnTheServicesClock() async throws {
    let date: HTTPHeaders = ["Date": "Fri, 15 Jan 2027 09:00:00 GMT"]
    let fixture = Fixture(.json(401, Self.expired, date), .json(200, "[]"), .json(200, "[]"))
    _ = try await fixture.client.listJobs()
    #expect(fixture.client.clockOffset.seconds == 3600)
    #expect(fixture.sent.count == 2)
    let corrections = fixture.events.all.count {
      if case .clockCorrected = $0 { true } else { false }
    }
    #expect(corrections == 1)

    let stubborn = Fixture(.json(401, Self.expired, date))
    let error = await failure { () throws(HPCError) in try await stubborn.client.listJobs() }
    #expect(error?.status == 401)
    #expect(stubborn.sent.count == 2)

    let submission = Fixture(.json(401, Self.expired, date), .json(201, #"{"job_id": 4}"#))
    #expect(try await submission.client.submit(jobfile: "a.sh") == JobID(4))
  }

  @Test(arguments: [nil, "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 15 Jan 9999 09:00:00 GMT", "noon"])
  func senselessDatesCorrectNothing(date: String?) async throws {
    var headers: HTTPHeaders = [:]
    headers["Date"] = date
    let fixture = Fixture(.json(401, Self.expired, headers))
    let error = await failure { () throws(HPCError) in try await fixture.client.listJobs() }
    #expect(error?.code == "Client.AuthFailureExpired")
    #expect(fixture.sent.count == 1)
    #expect(fixture.client.clockOffset.seconds == 0)
    if let date {
      #expect(error?.hint?.contains("service's own clock") == true)
      #expect(error?.hint?.contains(date) == true)
    }
  }

  @Test func everyThirdAnswerA500CostsLittleMore() async throws {
    let transport = InMemoryTransport { _, number throws(TransportError) in
      number % 3 == 0
        ? HTTPResponse(status: 500) : HTTPResponse(status: 200, body: Array("[]".utf8))
    }
    let fixture = Fixture(transport)
    for _ in 0..<300 { _ = try await fixture.client.listJobs() }
    #expect(fixture.sent.count <= 480)
  }

  @Test func aCancelledTaskStopsWaiting() async throws {
    let time = VirtualTime(.manual)
    let fixture = Fixture(InMemoryTransport([.json(500, "")]), time: time)
    let client = fixture.client
    let task = Task { try await client.listJobs() }
    await time.sleepers(1)
    task.cancel()
    let error = await #expect(throws: HPCError.self) { try await task.value }
    #expect(error?.isCancelled == true)
  }
}
