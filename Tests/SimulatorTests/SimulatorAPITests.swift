import FoundationEssentials
import Glibc
import HTTP
import JSON
import SigV4
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(5))) struct SimulatorAPITests {
  private func expect(
    _ response: HTTPResponse, _ status: Int, _ code: String, _ message: String,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(response.status == status, sourceLocation: location)
    let value = try JSONValue(parsing: response.body)
    #expect(
      value == ["code": .string(code), "message": .string(message)], sourceLocation: location)
  }

  @Test func `every documented refusal has its words`() throws {
    let test = try TestSimulator()
    var client = test.client
    try expect(
      client.send(.get, "/nothing"), 404, "Client.URLNotFound", "A specified URL is not found.")
    try expect(
      client.send(.put, "/jobs"), 405, "Client.InvalidParameterNotAllowed.Method",
      "A specified HTTP method is not allowed.")
    try expect(client.send(.get, "/jobs/1"), 404, "GeneralError", "Operation not permitted.")
    try expect(client.send(.delete, "/jobs/1"), 404, "GeneralError", "Operation not permitted.")
    try expect(
      client.post("/jobs", ["jobfile": "none.sh"]), 400, "GeneralError", "Operation failed.")
    try expect(
      client.send(
        .post, "/jobs", body: Array("{".utf8), headers: ["Content-Type": TestClient.jsonType]),
      400, "GeneralError", "Invalid Request Body.")
    try expect(
      client.send(
        .post, "/jobs", body: Array("{}".utf8), headers: ["Content-Type": "application/json"]),
      400, "GeneralError", "Invalid Content-Type.")
    client.date = Date(timeIntervalSinceNow: -3_600)
    try expect(
      client.send(.get, "/jobs"), 401, "Client.AuthFailureExpired",
      "The signature for this request is expired.")
    client.date = Date()
    client.signer = SigV4Signer(
      credentials: Credentials(accessKeyID: test.simulator.accessKeyID, secretAccessKey: "wrong"),
      scope: SigningScope(region: "jp-east-1", service: "hpc-api"))
    try expect(
      client.send(.get, "/jobs"), 401, "Client.AuthFailurePermission",
      "Authentication API abended.")
    client.signer = nil
    try expect(
      client.send(.get, "/jobs"), 401, "Client.AuthFailureRequired.AccessKey",
      "No access key was provided.")
    try expect(
      client.send(
        .get, "/jobs",
        headers: [
          "Authorization":
            "AWS4-HMAC-SHA256 Credential=\(test.simulator.accessKeyID)/20260101/jp-east-1/hpc-api/aws4_request, SignedHeaders=host;x-amz-date",
          "X-Amz-Date": "20260101T000000Z",
        ]), 401, "Client.AuthFailureRequired.Signature", "No signature was provided.")
  }

  @Test func `a body of the wrong shape names each field`() throws {
    let test = try TestSimulator()
    let response = try test.client.post("/files/sync", ["direction": "up", "delete": 1])
    #expect(response.status == 422)
    let detail = try #require(JSONValue(parsing: response.body)["detail"]?.array)
    #expect(
      detail.map { $0["loc"] } == [["body", "path"], ["body", "direction"], ["body", "delete"]])
    #expect(detail.allSatisfy { $0["msg"]?.string != nil && $0["type"]?.string != nil })
    #expect(try test.client.post("/jobs", [1, 2]).status == 422)
  }

  @Test func `a job runs for real and is gone afterwards`() throws {
    let test = try TestSimulator()
    try test.script(
      "run.sh",
      """
      #!/bin/sh
      #PJM -N a-name-of-more-than-ten
      #PJM -L node=2,elapse=00:10:00,rscgrp=small
      #PJM -x GREETING=hello
      #PJM -s
      echo "$GREETING $PJM_JOBID $PJM_NODE $PJM_RSCGRP $(pwd)"
      echo trouble >&2
      exit 3
      """)
    let response = try test.client.post("/jobs", ["jobfile": "run.sh", "qopt": "-v"])
    #expect(response.status == 201)
    let id = try #require(try JSONValue(parsing: response.body)["job_id"]?.int)
    #expect(response.headers["Location"] == "/jobs/\(id)")
    let detail = try JSONValue(parsing: test.client.send(.get, "/jobs/\(id)").body)
    #expect(detail["job_id"] == .string("\(id)"))
    #expect(detail["job_name"] == "a-name-of-")
    #expect(detail["Fugaku:elapsed_limit"] == "0000:10:00")
    let ended = try test.client.ended(Int(id))
    #expect(ended["exit_code"] == 3)
    #expect(ended["state"] == "EXT")
    let stem = "a-name-of-more-than-ten.\(id)"
    #expect(try test.text(stem + ".out") == "hello \(id) 2 small \(test.home)\n")
    #expect(try test.text(stem + ".err") == "trouble\n")
    #expect(try test.text(stem + ".stats").contains("EXIT CODE                     : 3"))
    #expect(try test.client.send(.get, "/jobs/\(id)").status == 404)
    #expect(try test.client.list().isEmpty)
  }

  @Test func `list and detail carry every field of the reference`() throws {
    let test = try TestSimulator()
    try test.script("run.sh", "sleep 60\n")
    let id = try test.client.submit("run.sh")
    let names = [
      "job_id", "job_name", "status", "user", "group", "start_date", "elapsed_time",
      "node_require", "priority", "accept", "queue", "Fugaku:elapsed_limit", "Fugaku:md",
      "Fugaku:vnode", "Fugaku:core", "Fugaku:v_mem", "Fugaku:v_pol", "Fugaku:e_pol",
      "Fugaku:rank", "Fugaku:lst", "Fugaku:ec", "Fugaku:pc", "Fugaku:sn", "Fugaku:reason",
    ]
    let job = try #require(try test.client.list().first)
    #expect(job.object?.map(\.key) == names)
    #expect(job.object?.allSatisfy { $0.value.string != nil } == true)
    let detail = try JSONValue(parsing: test.client.send(.get, "/jobs/\(id)").body)
    #expect(detail.object?.map(\.key) == names)
  }

  @Test func `upstream's dialect has upstream's quirks`() throws {
    let test = try TestSimulator { $0.dialect = .upstream }
    try test.script("run.sh", "sleep 60\n")
    let response = try test.client.post("/jobs/", ["jobfile": "run.sh"])
    #expect(response.status == 200)
    let id = try #require(try JSONValue(parsing: response.body)["job_id"]?.string)
    let job = try #require(try test.client.list().first)
    #expect(job["elapse_time"] != nil)
    #expect(job["Fugaku:elapse_limit"] == "0000:01:00")
    #expect(try test.client.send(.delete, "/jobs/\(id)").status == 204)
    _ = try test.client.ended(Int(id) ?? 0)
    let detail = try test.client.send(.get, "/jobs/\(id)")
    #expect(detail.status == 404)
    #expect(try JSONValue(parsing: detail.body) == "Parse entry failed: None")
    let cancel = try test.client.send(.delete, "/jobs/\(id)")
    #expect(cancel.status == 404)
    #expect(
      try JSONValue(parsing: cancel.body)["errorMessage"]
        == .string("[ERR.] PJM 0112 pjdel Job \(id) does not exist.\n"))
  }

  @Test func `cancelling ends the whole process group`() throws {
    let test = try TestSimulator()
    try test.script("run.sh", "sleep 600 & echo $! > child; echo ready > started; wait\n")
    let id = try test.client.submit("run.sh")
    try until { LocalFiles.kind(test.home + "/started") != nil }
    let child = try #require(pid_t(try test.text("child").dropLast()))
    #expect(try test.client.send(.delete, "/jobs/\(id)").status == 204)
    let ended = try test.client.ended(id)
    #expect(ended["state"] == "CCL")
    #expect(ended["pjm_code"] == 1)
    try until { kill(child, 0) != 0 }
  }

  @Test func `what a job leaves behind ends with it`() throws {
    let test = try TestSimulator()
    try test.script("run.sh", "sleep 600 & echo $! > child\n")
    _ = try test.client.ended(test.client.submit("run.sh"))
    let child = try #require(pid_t(try test.text("child").dropLast()))
    try until { kill(child, 0) != 0 }
  }

  @Test func `the elapse limit ends a job with code 11`() throws {
    let test = try TestSimulator { $0.speed = 200 }
    try test.script("run.sh", "#PJM -L elapse=20\nsleep 600\n")
    let ended = try test.client.ended(test.client.submit("run.sh"))
    #expect(ended["pjm_code"] == 11)
    #expect(ended["state"] == "EXT")
  }

  @Test(arguments: [
    ("#!/no/such/program\n", 21), ("#PJM -o missing/folder/file\necho\n", 16),
  ])
  func `a script that cannot start says so by its code`(script: String, code: Int64) throws {
    let test = try TestSimulator()
    try test.script("run.sh", script)
    let ended = try test.client.ended(test.client.submit("run.sh"))
    #expect(ended["pjm_code"] == .int(code))
  }

  @Test func `nothing of the host's environment gets into a job`() throws {
    let test = try TestSimulator {
      $0.hostEnvironment = [
        "NIFCLOUD_SECRET_ACCESS_KEY": "secret", "PATH": "/usr/bin:/bin", "SOMETHING": "else",
      ]
    }
    try test.script("run.sh", "#PJM -o out\n/usr/bin/env; ls /proc/self/fd\n")
    _ = try test.client.ended(test.client.submit("run.sh"))
    let text = try test.text("out")
    #expect(text.contains("PJM_JOBNAME=run.sh"))
    #expect(!text.contains("NIFCLOUD"))
    #expect(!text.contains("SOMETHING"))
    #expect(text.hasSuffix("\n0\n1\n2\n3\n"), "\(text)")
  }

  @Test(arguments: ["../outside.sh", "/etc/hostname", "", "folder", "a\u{0}b", "link.sh"])
  func `job files outside home are refused`(name: String) throws {
    let test = try TestSimulator()
    try LocalFiles.makeFolder(test.home + "/folder")
    try LocalFiles.replace(test.home + "/../outside.sh", with: Array("echo\n".utf8))
    _ = unsafe symlink("/etc/hostname", test.home + "/link.sh")
    #expect(try test.client.post("/jobs", ["jobfile": .string(name)]).status == 400)
  }

  @Test func `a full queue is answered 400`() throws {
    let test = try TestSimulator { $0.queueLimit = 2 }
    try test.script("run.sh", "sleep 600\n")
    _ = try test.client.submit("run.sh")
    _ = try test.client.submit("run.sh")
    try expect(
      test.client.post("/jobs", ["jobfile": "run.sh"]), 400, "GeneralError", "Operation failed.")
  }

  @Test func `the eleventh connection is answered 500 and closed`() throws {
    let test = try TestSimulator()
    var connections: [TestConnection] = []
    for _ in 0..<10 {
      let connection = try test.client.connect()
      #expect(try test.client.send(.get, "/jobs", on: connection).status == 200)
      connections.append(connection)
    }
    let eleventh = try test.client.connect()
    let refused = try test.client.send(.get, "/jobs", on: eleventh)
    try expect(
      refused, 500, "Server.InternalServerError",
      "An internal error has occurred. Please try your query again at a later time.")
    #expect(refused.headers["Connection"]?.lowercased() == "close")
    #expect(eleventh.isClosed())
    // Those within the limit go on, the report counts for nothing, and a place is free at once.
    #expect(try test.client.send(.get, "/jobs", on: connections[9]).status == 200)
    #expect(
      try test.client.state()["connections"] == ["open": 10, "peak": 11, "refused": 1])
    connections.removeLast()
    #expect(try test.client.send(.get, "/jobs").status == 200)
  }

  @Test func `silent connections count too`() throws {
    let test = try TestSimulator()
    let silent = try (0..<10).map { _ in try test.client.connect() }
    #expect(try test.client.send(.get, "/jobs").status == 500)
    withExtendedLifetime(silent) {}
  }

  @Test func `odd paths and queries reach the verifier as they were sent`() throws {
    let test = try TestSimulator()
    for target in ["/jobs?a=%2F+b&a=&c", "/jobs/%41", "/jobs?x=%E3%81%82~*"] {
      let status = try test.client.send(.get, target).status
      #expect(status == 200 || status == 404, "\(target)")
    }
  }

  @Test func `a stopped simulator ends its jobs, and a restarted one is the same account`() throws {
    let parent = try makeTestFolder()
    defer { LocalFiles.removeTree(parent) }
    let folder = parent + "/kept"
    let first = try TestSimulator { $0.home = folder }
    try first.script("run.sh", "echo $$ > pid; sleep 600\n")
    let id = try first.client.submit("run.sh")
    try until { try LocalFiles.kind(folder + "/pid") != nil && !first.text("pid").isEmpty }
    let process = try #require(pid_t(try first.text("pid").dropLast()))
    #expect(throws: Simulator.StartError.self) { try TestSimulator { $0.home = folder } }
    first.simulator.stop()
    #expect(kill(process, 0) != 0)
    let second = try TestSimulator { $0.home = folder }
    #expect(second.simulator.accessKeyID == first.simulator.accessKeyID)
    #expect(second.simulator.secretAccessKey == first.simulator.secretAccessKey)
    #expect(try second.client.list().isEmpty)
    #expect(try second.client.submit("run.sh") == id + 1)
    var information = stat()
    #expect(unsafe stat(folder + "/.hpc-sim/account.json", &information) == 0)
    #expect(information.st_mode & 0o777 == 0o600)
  }

  @Test func `jobs of a simulator that was killed end when the next one opens the home`() throws {
    let parent = try makeTestFolder()
    defer { LocalFiles.removeTree(parent) }
    let folder = parent + "/kept"
    try LocalFiles.makeFolder(folder)
    let files = JobFiles(
      job: Job(
        id: 1, request: JobRequest(name: "j", directives: JobDirectives(), script: []),
        accepted: SimulatedTime(seconds: 0)), workFolder: folder)
    try LocalFiles.replace(folder + "/run.sh", with: Array("sleep 600\n".utf8))
    let process = try JobProcess(
      command: ["/bin/sh", folder + "/run.sh"], files: files,
      environment: JobEnvironment(
        job: Job(
          id: 1, request: JobRequest(name: "j", directives: JobDirectives(), script: []),
          accepted: SimulatedTime(seconds: 0)), home: folder, user: "u", host: [:]),
      workFolder: folder, execution: 1)
    let marks = folder + "/.hpc-sim/running"
    let mark = try LeftoverJobs(folder: marks).remember(process.id)
    // Another process of that id, that is: one that began at another time.
    try LocalFiles.replace(marks + "/\(getpid()).1", with: [])
    let test = try TestSimulator { $0.home = folder }
    #expect(process.reap() == .signalled(9))
    #expect(mark != nil)
    #expect(try LocalFiles.names(in: marks).isEmpty)
    withExtendedLifetime(test) {}
  }

  @Test func `garbage on the wire harms nobody`() throws {
    let test = try TestSimulator()
    for text in ["\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n"] {
      let connection = try test.client.connect()
      connection.write(Array(text.utf8))
    }
    let long = try test.client.connect()
    long.write(Array("GET /\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\n\r\n".utf8))
    let big = [UInt8](repeating: 0x20, count: 2 << 20)
    #expect(
      try test.client.send(
        .post, "/jobs", body: big, headers: ["Content-Type": TestClient.jsonType]
      )
      .status == 401)
    #expect(try test.client.send(.get, "/jobs").status == 200)
  }

  @Test(
    arguments: [
      { $0.speed = 0 }, { $0.speed = .nan }, { $0.nodes = 0 }, { $0.port = 70_000 },
      { $0.bucket = "A" }, { $0.accessKeyID = "alone" }, { $0.address = "no address" },
      { $0.home = "/dev/null/home" },
    ] as [@Sendable (inout Simulator.Configuration) -> Void])
  func `settings that cannot be are refused`(
    change: @Sendable (inout Simulator.Configuration) -> Void
  ) {
    #expect(throws: Simulator.StartError.self) { try TestSimulator(change) }
  }
}
