import FoundationEssentials
import Glibc
import HTTP
import JSON
import Testing

@testable import Simulator

/// Each fault over HTTP: what the client sees, and what really happened.
@Suite(.timeLimit(.minutes(5))) struct FaultTests {
  private func simulator(_ fault: String, speed: Double = 20) throws -> TestSimulator {
    let plan = try FaultPlan(parsing: Array("{\"faults\": [\(fault)]}".utf8))
    let test = try TestSimulator {
      $0.faults = plan
      $0.speed = speed
    }
    try test.script("run.sh", "echo run >> runs\n")
    return test
  }

  private func names(_ test: TestSimulator) throws -> [JSONValue] {
    try test.client.state()["jobs"]?.array ?? []
  }

  private func submission(_ test: TestSimulator) throws -> HTTPResponse {
    try test.client.post("/jobs", ["jobfile": "run.sh"])
  }

  @Test func `a dropped reply hides an accepted job`() throws {
    let test = try simulator(#"{"on": "submit", "do": "drop_reply"}"#)
    #expect(throws: TestConnection.Failure.self) { try submission(test) }
    #expect(try names(test).count == 1)
    #expect(try test.client.state()["faults"] == ["drop_reply": 1])
  }

  @Test func `a reset request does nothing`() throws {
    let test = try simulator(#"{"on": "submit", "do": "reset"}"#)
    #expect(throws: TestConnection.Failure.self) { try submission(test) }
    #expect(try names(test).isEmpty)
  }

  @Test func `a late acceptance comes after the connection is closed`() throws {
    let test = try simulator(#"{"on": "submit", "do": "accept_late", "seconds": 10}"#)
    #expect(throws: TestConnection.Failure.self) { try submission(test) }
    try until { try !names(test).isEmpty }
    let state = try test.client.state()
    let accepted = try #require(state["jobs"]?[0]?["accepted"]?.double)
    #expect(accepted <= state["now"]?.double ?? 0)
  }

  @Test func `a double acceptance gives two jobs and one id`() throws {
    let test = try simulator(#"{"on": "submit", "do": "accept_twice"}"#)
    let id = try #require(try JSONValue(parsing: submission(test).body)["job_id"]?.int)
    #expect(try names(test).map { $0["id"]?.int } == [id, id + 1])
  }

  @Test(arguments: [
    (400, true, 1), (400, false, 0), (500, false, 0), (503, true, 1), (401, false, 0),
    (403, false, 0), (404, false, 0), (405, false, 0), (422, false, 0), (429, false, 0),
    (504, true, 1),
  ])
  func `a status comes with its body`(status: Int, accept: Bool, jobs: Int) throws {
    let test = try simulator(
      #"{"on": "submit", "do": "status", "status": \#(status), "accept": \#(accept)}"#)
    let response = try submission(test)
    #expect(response.status == status)
    let value = try JSONValue(parsing: response.body)
    #expect(status == 422 ? value["detail"]?.array != nil : value["code"]?.string != nil)
    #expect(try names(test).count == jobs)
  }

  @Test func `a truncated list breaks off within its length`() throws {
    let test = try simulator(#"{"on": "list", "do": "truncate"}"#)
    _ = try submission(test)
    let connection = try test.client.connect()
    connection.write(test.client.bytes(.get, "/jobs"))
    #expect(throws: TestConnection.Failure.self) { try connection.read() }
  }

  @Test func `lists are empty, or lack a job for a while`() throws {
    let empty = try simulator(#"{"on": "list", "do": "empty", "nth": 1}"#)
    try empty.script("run.sh", "sleep 600\n")
    _ = try submission(empty)
    #expect(try empty.client.list().isEmpty)
    #expect(try empty.client.list().count == 1)

    let short = try simulator(#"{"on": "list", "do": "short", "nth": 1}"#)
    try short.script("run.sh", "sleep 600\n")
    for _ in 0..<4 { _ = try submission(short) }
    #expect(try short.client.list().count == 2)
    #expect(try short.client.list().count == 4)

    let hide = try simulator(#"{"on": "list", "do": "hide", "nth": 1, "seconds": 20}"#)
    try hide.script("run.sh", "#PJM -L elapse=1:00:00\nsleep 600\n")
    let id = try hide.client.submit("run.sh")
    #expect(try hide.client.list().isEmpty)
    #expect(try hide.client.send(.get, "/jobs/\(id)").status == 200)
    try until { try !hide.client.list().isEmpty }
  }

  @Test func `a skewed clock refuses and tells its time`() throws {
    let test = try simulator(#"{"on": "list", "do": "skew", "nth": 1}"#)
    let response = try test.client.send(.get, "/jobs")
    #expect(response.status == 401)
    #expect(
      try JSONValue(parsing: response.body)["code"] == "Client.AuthFailureExpired")
    let hour = CivilDate(epochSeconds: Int(Date().timeIntervalSince1970) + 3_600).httpDate
    #expect(response.headers["Date"]?.prefix(19) == hour.prefix(19))
    #expect(response.headers[all: "Date"].count == 1)
    #expect(try test.client.send(.get, "/jobs").status == 200)
  }

  @Test(arguments: ["delay", "slow"])
  func `late answers come`(kind: String) throws {
    let test = try simulator(#"{"on": "list", "do": "\#(kind)", "seconds": 2}"#)
    let start = ContinuousClock.now
    #expect(try test.client.send(.get, "/jobs").status == 200)
    #expect(start.duration(to: .now) >= .milliseconds(100))
  }

  @Test func `a delayed answer does not hold up the end`() throws {
    let test = try simulator(#"{"on": "list", "do": "delay", "seconds": 100000}"#)
    let connection = try test.client.connect()
    connection.write(test.client.bytes(.get, "/jobs"))
    try until { try test.client.state()["requests"]?["GET /jobs"] != nil }
    let start = ContinuousClock.now
    test.simulator.stop()
    // Not the hour and more that the delay takes, nor the 60 s after which the socket gives up.
    #expect(start.duration(to: .now) < .seconds(30))
    // With its answer or without.
    #expect(connection.isClosed())
  }

  @Test func `a job is started again, and a kept one is not`() throws {
    let fault = #"{"on": "job", "do": "restart", "seconds": 20}"#
    let test = try simulator(fault, speed: 100)
    let script = "echo run >> runs; test $(wc -l < runs) = 2 || sleep 600\n"
    try test.script("run.sh", "#PJM -L elapse=10:00:00\n" + script)
    let ended = try test.client.ended(test.client.submit("run.sh"))
    #expect(ended["starts"] == 2)
    #expect(ended["exit_code"] == 0)
    #expect(try test.text("runs") == "run\nrun\n")

    let kept = try simulator(fault, speed: 100)
    try kept.script("run.sh", "#PJM --norestart -L elapse=10:00:00\n" + script)
    let stopped = try kept.client.ended(kept.client.submit("run.sh"))
    #expect(stopped["starts"] == 1)
    #expect(stopped["pjm_code"] == 20)
  }

  @Test func `a job is killed`() throws {
    let test = try simulator(#"{"on": "job", "do": "kill", "seconds": 5}"#)
    try test.script("run.sh", "#PJM -s -L elapse=10:00:00\nsleep 600\n")
    let id = try test.client.submit("run.sh")
    let ended = try test.client.ended(id)
    #expect(ended["state"] == "EXT")
    #expect(ended["exit_code"] == 137)
    #expect(ended["pjm_code"] == 0)
    #expect(try test.text("run.sh.\(id).stats").contains("SIGNAL NO                     : 9\n"))
  }

  @Test func `a job is held until it is cancelled`() throws {
    let test = try simulator(#"{"on": "job", "do": "hold"}"#)
    try test.script("run.sh", "#PJM -L elapse=10:00:00\nsleep 600\n")
    let id = try test.client.submit("run.sh")
    try until { try test.client.list().first?["status"] == "HLD" }
    #expect(try test.client.send(.delete, "/jobs/\(id)").status == 204)
    #expect(try test.client.ended(id)["state"] == "CCL")
  }

  @Test func `a job starts late`() throws {
    let test = try simulator(#"{"on": "job", "do": "slow", "seconds": 10}"#)
    let ended = try test.client.ended(test.client.submit("run.sh"))
    let accepted = try #require(ended["accepted"]?.double)
    #expect(ended["started"]?.double ?? 0 >= accepted + 10)
  }

  @Test func `a sync fails by its result`() throws {
    let test = try simulator(#"{"on": "sync", "do": "fail"}"#)
    let response = try test.client.post("/files/sync", ["path": "d"])
    let id = try #require(try JSONValue(parsing: response.body)["requestid"]?.int)
    #expect(try test.client.endedSync(Int(id)) == ["status": "complete", "result": "1"])
    #expect(
      try test.client.state()["syncs"]
        == [["id": .int(id), "path": "d", "direction": "from_online", "state": "complete"]])
  }

  @Test func `the bucket fails too`() throws {
    let test = try simulator(
      #"{"on": "bucket", "do": "status", "status": 503, "nth": 1}, {"on": "bucket", "do": "truncate", "nth": 3}, {"on": "bucket", "do": "drop_reply", "nth": 4}"#
    )
    let client = try TestClient(test.simulator, ofBucket: true)
    let refused = try client.send(.put, "/hpc/x", body: [UInt8](repeating: 1, count: 1_000))
    #expect(refused.status == 503)
    #expect(String(decoding: refused.body, as: UTF8.self).contains("<Code>SlowDown</Code>"))
    #expect(
      try client.send(.put, "/hpc/x", body: [UInt8](repeating: 1, count: 1_000)).status == 200)
    let connection = try client.connect()
    connection.write(client.bytes(.get, "/hpc/x"))
    #expect(throws: TestConnection.Failure.self) { try connection.read() }
    #expect(throws: TestConnection.Failure.self) { try client.send(.delete, "/hpc/x") }
    #expect(try client.send(.get, "/hpc/x").status == 404)
  }
}
