import CurlTransport
import HPCClient
import HTTP
import SigV4
import TestSupport
import Testing

/// The client over real sockets against a server that misbehaves.
@Suite(.timeLimit(.minutes(5))) struct SocketsTests {
  private func client(_ server: ScriptedServer, _ transport: CurlTransport) -> HPCClient {
    HPCClient(
      HPCClient.Configuration(
        endpoint: server.url(), credentials: Credentials(accessKeyID: "k", secretAccessKey: "s"),
        scope: SigningScope(region: "r", service: "s"),
        retry: RetryPolicy(firstBackoff: .milliseconds(1), longestBackoff: .milliseconds(4))),
      transport: transport)
  }

  /// Accepted, then the reply is lost: by closing before a byte of it, within it, or by a reset.
  @Test(
    arguments: [
      [.close], [.reset], .raw("HTTP/1.1 201 Created\r\nContent-Le"),
      .raw("HTTP/1.1 201 Created\r\nContent-Length: 90\r\n\r\n{\"job_id\": 1") + [.close],
    ] as [[ScriptedServer.Step]])
  func lostRepliesNeverRepeatASubmission(steps: [ScriptedServer.Step]) async throws {
    let server = try ScriptedServer { request in
      switch request.method {
      case "POST": steps.last == .close || steps == [.reset] ? steps : steps + [.close]
      default: .status(200, #"[{"job_id": "7", "job_name": "a.sh", "status": "QUE"}]"#)
      }
    }
    defer { server.stop() }
    let transport = CurlTransport(.init(slots: .transport))
    defer { transport.shutdown() }
    let client = client(server, transport)
    for round in 1...20 {
      let error = try #require(
        await failure { () throws(HPCError) in try await client.submit(jobfile: "a.sh") })
      #expect(error.isAmbiguous)
      #expect(error.candidates.map(\.id) == [JobID(7)])
      #expect(server.requests.count { $0.method == "POST" } == round)
    }
  }

  @Test func readsSurviveDroppedConnectionsAnd500s() async throws {
    let server = try ScriptedServer { request in
      switch request.number % 4 {
      case 1: [.close]
      case 2: .status(500, #"{"code":"Server.InternalServerError","message":"x"}"#)
      default: .status(200, "[]")
      }
    }
    defer { server.stop() }
    let transport = CurlTransport(.init(slots: .transport))
    defer { transport.shutdown() }
    let client = client(server, transport)
    for _ in 0..<40 { #expect(try await client.listJobs().jobs.isEmpty) }
  }

  @Test func signaturesAndBodiesArriveAsTheyWereSigned() async throws {
    let server = try ScriptedServer { _ in .status(201, #"{"job_id": 3}"#) }
    defer { server.stop() }
    let transport = CurlTransport(.init(slots: .transport))
    defer { transport.shutdown() }
    let client = client(server, transport)
    #expect(try await client.submit(jobfile: "ä \"b\".sh") == JobID(3))
    let request = try #require(server.requests.first)
    #expect(request.target == "/jobs")
    #expect(request.headers["Content-Type"] == "application/json;charset=utf-8")
    let verified = try SigV4Verifier(scope: client.configuration.scope).verify(
      .init(
        method: request.method, path: request.target, query: nil, headers: request.headers,
        bodySHA256: SHA256.hexadecimal(of: request.body)), at: SystemTime().date()
    ) { _ in client.configuration.credentials }
    #expect(verified.accessKeyID == "k")
  }

  @Test func anAddressWithoutAServiceIsOneReadableErrorWithinSeconds() async throws {
    let server = try ScriptedServer { _ in [.close] }
    server.stop()
    let transport = CurlTransport(.init(slots: .transport))
    defer { transport.shutdown() }
    let client = client(server, transport)
    let error = try #require(
      await failure { () throws(HPCError) in
        try await client.listJobs(CallOptions(retryDeadline: .milliseconds(50)))
      })
    #expect(error.code == "NoConnection")
    #expect(error.message.hasPrefix("cannot connect to http://127.0.0.1:"))
    #expect(error.hint?.contains("endpoint") == true)
  }
}
