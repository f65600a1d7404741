import Foundation
import HPCClient
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite struct SubmissionTests {
  /// 2027-01-15T17:00:00+09:00, where the virtual clock starts.
  private static let now = "2027-01-15T17:00:00"

  private func submit(_ fixture: Fixture, _ jobfile: String = "dir/a.sh") async -> HPCError? {
    await failure { () throws(HPCError) in try await fixture.client.submit(jobfile: jobfile) }
  }

  /// Whatever may have been accepted is never posted again, and says so.
  @Test(
    arguments: [
      .json(400, #"{"code":"GeneralError","message":"Operation failed."}"#), .json(500, ""),
      .json(503, #"{"code":"Server.Maintenance","message":"m"}"#), .json(502, "<html>"),
      .json(201, "{}"), .json(200, ""), .json(302, "", ["Location": "/elsewhere"]), .json(429, ""),
      .none(.totalTimeout), .none(.reset), .none(.truncated), .none(.other(code: 16)),
      .none(.bodyTooLarge(limit: 1)),
    ] as [InMemoryTransport.Answer])
  func ambiguousOutcomesAreNotRepeated(answer: InMemoryTransport.Answer) async throws {
    let list = listJSON([(7, "a.sh", "QUE", Self.now)])
    let fixture = Fixture(answer, .json(200, list))
    let error = try #require(await submit(fixture))
    #expect(fixture.sent == ["POST /jobs", "GET /jobs"])
    #expect(error.isAmbiguous)
    #expect(!error.isRetryable)
    #expect(error.candidates.map(\.id) == [JobID(7)])
    #expect(error.submission?.jobfile == "dir/a.sh")
    #expect("\(error)".contains("hpc.jobs.settle(err)"))
    #expect("\(error)".contains(#"Candidates: 7 "a.sh" QUE."#))
  }

  @Test(
    arguments: [
      .json(400, #"{"code":"GeneralError","message":"Invalid Request Body."}"#),
      .json(
        401, #"{"code":"Client.AuthFailurePermission","message":"Authentication API abended."}"#),
      .json(403, ""), .json(404, #"{"code":"Client.URLNotFound","message":"A"}"#), .json(405, ""),
      .json(422, #"{"detail":[]}"#),
    ] as [InMemoryTransport.Answer])
  func refusalsAreDefinite(answer: InMemoryTransport.Answer) async throws {
    let fixture = Fixture(answer)
    let error = try #require(await submit(fixture))
    #expect(fixture.sent == ["POST /jobs"])
    #expect(!error.isAmbiguous)
    #expect(error.submission == nil)
  }

  @Test func nothingSentIsRepeated() async throws {
    let fixture = Fixture(
      .none(.connect, sent: false), .none(.reset, sent: false), .json(201, #"{"job_id": 8}"#))
    #expect(try await fixture.client.submit(jobfile: "a.sh") == JobID(8))
    #expect(fixture.sent.count == 3)
  }

  @Test(arguments: [
    ("jobs/run.sh", #"hpc.push("jobs/run.sh", "jobs/run.sh") first, or hpc.run"#),
    (
      "./jobs//run.sh",
      #"hpc.push("./jobs//run.sh", "jobs/run.sh") first and hpc.jobs.submit("jobs/run.sh"), or"#
    ),
    (
      "/data/me/run.sh",
      #"hpc.push("/data/me/run.sh", "jobs/run.sh") first and hpc.jobs.submit("jobs/run.sh"), or"#
    ),
    ("../run.sh", #"hpc.push("../run.sh", "jobs/run.sh") first and hpc.jobs.submit("jobs/"#),
  ])
  func aScriptThatLiesHereIsToldWhereItCanGo(jobfile: String, advice: String) async throws {
    let failed = #"{"code":"GeneralError","message":"Operation failed."}"#
    let fixture = Fixture(.json(400, failed), .json(200, "[]"), localFiles: [jobfile])
    let error = try #require(await submit(fixture, jobfile))
    #expect(error.hint?.contains(advice) == true, "\(error)")
  }

  @Test func theModelMessages() async throws {
    let many = listJSON((1...100).map { ($0, "other", "QUE", "2027-01-01T00:00:00") })
    let failed = #"{"code":"GeneralError","message":"Operation failed."}"#
    let here = try #require(
      await submit(Fixture(.json(400, failed), .json(200, "[]"), localFiles: ["run.sh"]), "run.sh"))
    #expect(
      "\(here)".hasPrefix(
        #"the machine refused "run.sh" (400 Operation failed.). The list shows no candidate yet. "#
          + #"jobfile is a path in your home there, and run.sh exists here: "#
          + #"hpc.push("run.sh", "run.sh") first, or hpc.run{script = "run.sh"} does both."#))
    #expect(here.isAmbiguous)

    let full = try #require(await submit(Fixture(.json(400, failed), .json(200, many)), "a.sh"))
    #expect(
      "\(full)"
        == #""a.sh" was not accepted: 400 Operation failed. The service gives no reason; "#
        + "you have 100 accepted jobs, and 100 is a usual limit. The list shows no candidate yet. "
        + "The job may exist all the same: hpc.jobs.settle(err) looks.")

    let list = listJSON([(6_291_502, "a.sh", "QUE", Self.now)])
    let lost = try #require(await submit(Fixture(.none(.totalTimeout), .json(200, list)), "a.sh"))
    #expect(
      "\(lost)"
        == #"no reply to the submission of "a.sh" in 300 s: the job may exist. NOT sent again. "#
        + #"Candidates: 6291502 "a.sh" QUE. hpc.jobs.settle(err) looks again; "#
        + "hpc.run settles this by itself.")
  }

  @Test func candidatesAreNewUnknownAndNamedOnesFirst() async throws {
    let list = listJSON([
      (1, "a.sh", "RUN", "2027-01-15T16:00:00"), (2, "other", "QUE", Self.now),
      (3, "a.sh", "QUE", Self.now), (4, "a.sh", "QUE", "-"), (5, "mine", "QUE", Self.now),
      (6, "b", "QUE", "-"),
    ])
    let fixture = Fixture(.json(201, #"{"job_id": 5}"#), .none(.reset), .json(200, list))
    _ = try await fixture.client.submit(jobfile: "first.sh")
    let error = try #require(await submit(fixture))
    #expect(error.candidates.compactMap(\.id?.number) == [3, 4, 2])
  }

  @Test func aListThatCannotBeReadLeavesTheErrorAsItIs() async throws {
    let fixture = Fixture(.none(.reset), .json(403, ""))
    let error = try #require(await submit(fixture))
    #expect(error.isAmbiguous)
    #expect(error.candidates.isEmpty)
    #expect(!error.message.contains("andidate"))
  }

  @Test func settlingLooksUntilSomethingShows() async throws {
    let list = listJSON([(7, "a.sh", "QUE", Self.now)])
    let fixture = Fixture(.json(200, "[]"), .json(200, list))
    let found = try await fixture.client.settle(
      SubmissionAttempt(jobfile: "a.sh", sentAt: 1_800_000_000))
    #expect(found.candidates.map(\.id) == [JobID(7)])
    #expect(fixture.time.uptime() == .seconds(10))
  }

  @Test func settlingEndsAfterTwoGoodLists() async throws {
    let fixture = Fixture(.json(200, "[]"))
    let nothing = try await fixture.client.settle(SubmissionAttempt(jobfile: "a.sh", sentAt: 0))
    #expect(nothing.isAbsent)
    #expect(fixture.sent.count == 2)
  }

  @Test func asuddenlyEmptyListProvesNothing() async throws {
    let two = listJSON([
      (1, "x", "RUN", "2020-01-01T00:00:00"), (2, "y", "RUN", "2020-01-01T00:00:00"),
    ])
    let fixture = Fixture(.json(200, two), .json(200, "[]"))
    let attempt = SubmissionAttempt(jobfile: "a.sh", sentAt: 1_800_000_000)
    let nothing = try await fixture.client.settle(attempt, timeout: .seconds(60))
    #expect(nothing.goodLists == 1)
    #expect(!nothing.isAbsent)
    #expect(try await fixture.client.settle(attempt).isAbsent, "after two minutes it counts")
  }

  @Test func aCancelledSubmissionStillWaitsForItsAnswer() async throws {
    let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
    let (gates, gate) = AsyncStream.makeStream(of: Void.self)
    let transport = InMemoryTransport { _, _ throws(TransportError) in
      arrived.yield()
      for await _ in gates { break }
      return HTTPResponse(status: 201, body: Array(#"{"job_id": 9}"#.utf8))
    }
    let fixture = Fixture(transport, time: VirtualTime(.manual))
    let client = fixture.client
    let task = Task { try await client.submit(jobfile: "a.sh") }
    for await _ in arrivals { break }
    task.cancel()
    gate.yield()
    #expect(try await task.value == JobID(9))
  }

  /// The transport gives these their grace; others, and what was not sent, have none.
  @Test func submissionsAndSyncsAreWaitedForAfterACancellation() async throws {
    let fixture = Fixture(
      .json(201, #"{"job_id": 9}"#), .json(200, #"{"requestid": 9}"#), .json(200, "[]"))
    _ = try await fixture.client.submit(jobfile: "a.sh")
    _ = try await fixture.client.startSync(path: "a")
    _ = try? await fixture.client.listJobs()
    #expect(
      fixture.transport.requests.map(\.timeouts.afterCancellation) == [
        .seconds(5), .seconds(5), nil,
      ])
  }

  @Test(arguments: [true, false])
  func aCancelledSubmissionSaysWhetherItMayRun(wasSent: Bool) async throws {
    let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
    let transport = InMemoryTransport { _, _ throws(TransportError) in
      arrived.yield()
      try? await Task.sleep(for: .seconds(3600))
      throw TransportError(.cancelled, mayHaveBeenSent: wasSent, detail: "cancelled")
    }
    let fixture = Fixture(transport)
    let client = fixture.client
    let task = Task { try await client.submit(jobfile: "a.sh") }
    for await _ in arrivals { break }
    task.cancel()
    let error = await #expect(throws: HPCError.self) { try await task.value }
    #expect(error?.isAmbiguous == wasSent)
    #expect(error?.isCancelled == true)
    #expect(fixture.sent == ["POST /jobs"])
    if !wasSent {
      #expect(error?.message == #"the submission of "a.sh" was cancelled before it was sent"#)
    }
  }

  @Test func aCancelledSubmissionInBackoffIsNotSentAgain() async throws {
    let time = VirtualTime(.manual)
    let transport = InMemoryTransport([.none(.connect, sent: false), .json(201, #"{"job_id": 9}"#)])
    let fixture = Fixture(transport, time: time)
    let client = fixture.client
    let task = Task { try await client.submit(jobfile: "a.sh") }
    await time.sleepers(1)
    task.cancel()
    let error = await #expect(throws: HPCError.self) { try await task.value }
    #expect(error?.isAmbiguous == false)
    #expect(fixture.sent.count == 1)
  }

  /// What other calls have seen of an outage counts for settling too.
  @Test func anEmptyListAfterOneThatAnotherCallSawProvesNothing() async throws {
    let two = listJSON([
      (1, "x", "RUN", "2020-01-01T00:00:00"), (2, "y", "RUN", "2020-01-01T00:00:00"),
    ])
    let attempt = SubmissionAttempt(jobfile: "a.sh", sentAt: 1_800_000_000)
    for isRaw in [true, false] {
      let fixture = Fixture(.json(200, two), .json(200, "[]"))
      let other = HPCClient(fixture.client.configuration, transport: fixture.transport)
      if isRaw { _ = try await other.listJobsRaw() } else { _ = try await other.listJobs() }
      let nothing = try await fixture.client.settle(attempt, timeout: .seconds(60))
      #expect(!nothing.isAbsent)
      #expect(nothing.goodLists == 0)
    }
  }

  /// The first failure may come as late as the end.
  @Test func settlingKeepsItsTimeWhereAnswersNeverCome() async throws {
    let time = VirtualTime()
    let transport = InMemoryTransport { request, _ throws(TransportError) in
      try? await time.sleep(for: request.timeouts.total ?? .seconds(120))
      throw TransportError(.totalTimeout, mayHaveBeenSent: true, detail: "as scripted")
    }
    let fixture = Fixture(transport, time: time)
    let attempt = SubmissionAttempt(jobfile: "a.sh", sentAt: 1_800_000_000)
    let unknown = try await fixture.client.settle(attempt, timeout: .seconds(30))
    #expect(!unknown.isAbsent && unknown.candidates.isEmpty)
    #expect(time.uptime() <= .seconds(30))
    #expect(fixture.sent.count == 1)
  }

  @Test func settlingKeepsItsTimeWhateverTheServiceDoes() async throws {
    let attempt = SubmissionAttempt(jobfile: "a.sh", sentAt: 1_800_000_000)
    let failing = Fixture(.json(500, ""))
    let unknown = try await failing.client.settle(attempt, timeout: .seconds(30))
    #expect(!unknown.isAbsent && unknown.candidates.isEmpty)
    #expect(failing.time.uptime() <= .seconds(30))
    #expect(failing.transport.requests.allSatisfy { ($0.timeouts.total ?? .zero) <= .seconds(30) })
    let refusing = Fixture(.json(403, ""))
    let error = await failure { () throws(HPCError) in try await refusing.client.settle(attempt) }
    #expect(error?.status == 403)
  }
}
