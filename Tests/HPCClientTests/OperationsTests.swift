import Foundation
import HPCClient
import HTTP
import JSON
import SigV4
import TestSupport
import Testing

@Suite struct OperationsTests {
  @Test func everyOperationSendsExactlyWhatTheReferenceSays() async throws {
    let fixture = Fixture(
      .json(200, "[]"), .json(200, "{}"), .json(201, #"{"job_id": 5}"#), .json(204, ""),
      .json(200, #"{"requestid": 9}"#), .json(200, #"{"status": "waiting"}"#))
    _ = try await fixture.client.listJobs()
    _ = try await fixture.client.job(JobID(5))
    _ = try await fixture.client.submit(jobfile: "a/b.sh", qopt: "-v")
    _ = try await fixture.client.cancel(JobID(5))
    _ = try await fixture.client.startSync(path: "p", direction: .toOnline)
    _ = try await fixture.client.syncStatus(SyncID(9))
    #expect(
      fixture.sent == [
        "GET /jobs", "GET /jobs/5", "POST /jobs", "DELETE /jobs/5", "POST /files/sync",
        "GET /files/sync/9",
      ])
    let requests = fixture.transport.requests
    for request in requests where request.method != .post {
      #expect(request.body == .none)
      #expect(request.headers["Content-Type"] == nil)
    }
    for request in requests where request.method == .post {
      #expect(request.headers["Content-Type"] == "application/json;charset=utf-8")
    }
    #expect(try json(requests[2]) == ["jobfile": "a/b.sh", "qopt": "-v"])
    #expect(try json(requests[4]) == ["path": "p", "direction": "to_online", "delete": false])
    #expect(
      requests.map(\.requestClass) == [
        .ordinary, .ordinary, .submission, .urgent, .ordinary, .ordinary,
      ])
    #expect(requests.map(\.isRepeatable) == [true, true, false, false, true, true])
    #expect(requests.map(\.wantsFreshConnection) == [false, false, true, false, false, false])
    #expect(requests[2].timeouts.total == .seconds(300))
  }

  @Test func requestsCarryASignerThatAVerifierAccepts() async throws {
    let fixture = Fixture(.json(201, #"{"job_id": 5}"#))
    _ = try await fixture.client.submit(jobfile: "a.sh")
    var request = try #require(fixture.transport.requests.first)
    let date = fixture.time.date()
    try #require(request.signer).sign(&request, at: date)
    request.headers.add("Host", request.url.hostHeader)
    let credentials = fixture.client.configuration.credentials
    let verified = try SigV4Verifier(scope: fixture.client.configuration.scope).verify(
      .init(
        method: "POST", path: "/jobs", query: nil, headers: request.headers,
        bodySHA256: request.bodySHA256),
      at: date
    ) { _ in credentials }
    #expect(verified.accessKeyID == "AKIDEXAMPLE")
    #expect(
      request.headers["Authorization"]?.contains("SignedHeaders=content-type;host;x-amz-date")
        == true)
  }

  @Test(
    arguments: [
      (#"{"job_id": 6291500}"#, nil), (#"{"job_id": "6291500"}"#, nil), ("", "/jobs/6291500"),
      ("{}", "https://h/jobs/6291500/"), ("<html>", "/jobs/6291500?x"),
    ] as [(String, String?)])
  func submissionsAreIdentifiedFromBodyOrLocation(body: String, location: String?) async throws {
    var headers: HTTPHeaders = [:]
    headers["location"] = location
    let fixture = Fixture(.json(200, body, headers))
    #expect(try await fixture.client.submit(jobfile: "a.sh") == JobID(6_291_500))
  }

  @Test(
    arguments: [
      (#"{"status": "waiting"}"#, .waiting),
      (#"{"status": "complete", "result": "0"}"#, .complete(result: "0")),
      (#"{"status": "complete", "result": 0}"#, .complete(result: "0")),
      (#"{"status": "complete", "result": "2"}"#, .complete(result: "2")),
      (#"{"status": "error: non such ID"}"#, .error("non such ID")),
      (#"{"status": "error: no such ID"}"#, .error("no such ID")),
      (#"{"status": "paused"}"#, .other("paused")),
    ] as [(String, SyncStatus)])
  func readsSyncStatus(body: String, status: SyncStatus) async throws {
    let fixture = Fixture(.json(200, body))
    let read = try await fixture.client.syncStatus(SyncID(1))
    #expect(read == status)
    // Every field is kept, known or not.
    let more = Fixture(.json(200, body.dropLast() + #", "new": {"a": [1]}}"#))
    let (record, same) = try await more.client.syncRecord(SyncID(1))
    #expect(same == status)
    #expect(record.fields.last == .init(key: "new", value: ["a": [1]]))
    #expect(read.isSuccess == (status == .complete(result: "0")))
  }

  @Test func everyFieldOfASubmissionsAnswerIsKept() async throws {
    let fixture = Fixture(
      .json(201, #"{"new": {"a": [1]}, "id": 3}"#, ["Location": "/jobs/77"]))
    let job = try await fixture.client.submitJob(jobfile: "a.sh")
    #expect(job.id == JobID(77))
    #expect(job.fields == [.init(key: "new", value: ["a": [1]]), .init(key: "id", value: 3)])
    let sync = Fixture(.json(200, #"{"requestid": "5", "new": true}"#))
    let record = try await sync.client.beginSync(path: "a")
    #expect(record.id == SyncID(5))
    #expect(record.status == nil)
    #expect(record.fields.last == .init(key: "new", value: true))
  }

  @Test func waitingForASyncEndsInItsTimeWhateverTheServiceDoes() async throws {
    let outage = InMemoryTransport.Answer.json(503, "")
    let known = Fixture(.json(200, #"{"status": "waiting"}"#), outage)
    let (_, status) = try await known.client.waitForSync(SyncID(1), timeout: .seconds(30))
    #expect(status == .waiting)
    #expect(known.time.uptime() <= .seconds(40))
    let unknown = Fixture(outage)
    let error = await failure { () throws(HPCError) in
      _ = try await unknown.client.waitForSync(SyncID(1), timeout: .seconds(30))
    }
    #expect(error?.status == 503)
    #expect(unknown.time.uptime() <= .seconds(40))
  }

  @Test func aTimeoutOfACallBoundsItsWaitForAConnection() async throws {
    let fixture = Fixture(.json(200, "[]"))
    _ = try await fixture.client.listJobs()
    _ = try await fixture.client.listJobs(CallOptions(timeout: .seconds(7)))
    #expect(fixture.transport.requests.map(\.timeouts.queue) == [nil, .seconds(7)])
    #expect(fixture.transport.requests.map(\.timeouts.total) == [.seconds(120), .seconds(7)])
  }

  @Test(
    arguments: [
      "", "<html></html>", "{}", "\"text\"", "[1]", "[[]]", "[", "null", "[{}",
      String(repeating: "[", count: 20_000) + "]",
      "[\u{1}]", "[{\"a\":\"\u{1b}[31m\"}",
    ])
  func garbageIsOneReadableError(body: String) async throws {
    let fixture = Fixture(.json(200, body))
    let error = try #require(
      await failure { () throws(HPCError) in try await fixture.client.listJobs() })
    #expect(error.code == "BadAnswer")
    #expect(error.message.hasPrefix("GET /jobs was answered 200 with "))
    #expect(error.request == "GET https://api.example/jobs")
    #expect(error.operation == .listJobs)
    #expect(error.attempts == 1)
    #expect((error.body ?? "").utf8.count <= 4096)
  }

  @Test func redirectsAreReportedAndNotFollowed() async throws {
    let fixture = Fixture(.json(307, "", ["Location": "http://api.example/jobs/"]))
    let error = try #require(
      await failure { () throws(HPCError) in try await fixture.client.listJobs() })
    #expect(error.status == 307)
    #expect(error.message == "GET /jobs was answered 307, a redirect to http://api.example/jobs/")
    #expect(fixture.sent.count == 1)
  }

  @Test func arguments() async throws {
    let fixture = Fixture(.json(200, ""))
    for error in [
      await failure { () throws(HPCError) in try await fixture.client.submit(jobfile: "") },
      await failure { () throws(HPCError) in try await fixture.client.startSync(path: "") },
    ] {
      #expect(error?.code == "InvalidArgument")
    }
    #expect(fixture.sent.isEmpty)
  }

  private func json(_ request: HTTPRequest) throws -> JSONValue {
    guard case .bytes(let bytes) = request.body else { return nil }
    return try JSONValue(parsing: bytes)
  }

  @Test func anAnswerAboutAnotherJobIsNone() async throws {
    let fixture = Fixture(.json(200, #"{"job_id": "99", "status": "EXT", "Fugaku:ec": "0"}"#))
    let error = await failure { () throws(HPCError) in try await fixture.client.job(JobID(5)) }
    #expect(error?.code == "BadAnswer")
    #expect(error?.message == "GET /jobs/5 was answered 200 with job 99")
  }

  /// A question within a wait has less time than others, and says how little.
  @Test func aQuestionThatTheEndOfAWaitCutsShortNamesItsTime() async throws {
    let time = VirtualTime()
    let silent = InMemoryTransport { request, _ throws(TransportError) in
      try? await time.sleep(for: request.timeouts.total ?? .seconds(120))
      throw TransportError(.totalTimeout, mayHaveBeenSent: true, detail: "as scripted")
    }
    let fixture = Fixture(silent, time: time)
    let error = await failure { () throws(HPCError) in
      try await fixture.client.waitForSync(SyncID(1), timeout: .seconds(2))
    }
    #expect(error?.message == "no whole answer to GET /files/sync/1 within 5 s")
  }
}
