import HPCClient
import HTTP
import TestSupport
import Testing

@Suite struct ErrorTextTests {
  private func error(_ answer: InMemoryTransport.Answer) async throws -> HPCError {
    let fixture = Fixture(answer)
    return try #require(
      await failure { () throws(HPCError) in
        try await fixture.client.job(JobID(5), CallOptions(retryDeadline: .zero))
      })
  }

  /// What happened and what to do, for every error of the reference and of the network.
  @Test(
    arguments: [
      (
        .json(
          401, #"{"code":"Client.AuthFailurePermission","message":"Authentication API abended."}"#),
        "Client.AuthFailurePermission",
        "GET /jobs/5 was answered 401 Client.AuthFailurePermission: Authentication API abended. "
          + "Check access key, secret key, region and service name: hpc.config shows them with "
          + "their sources."
      ),
      (
        .json(404, #"{"code":"GeneralError","message":"Operation not permitted."}"#),
        "GeneralError",
        "no job 5 (404 Operation not permitted.). The service forgets a job as soon as it has ended."
      ),
      (
        .json(404, #"{"code":"Client.URLNotFound","message":"A specified URL is not found."}"#),
        "Client.URLNotFound",
        "GET /jobs/5 was answered 404 Client.URLNotFound: A specified URL is not found. "
          + "Check the endpoint: hpc.config.endpoint."
      ),
      (
        .json(500, ""), "HTTP.500",
        "GET /jobs/5 was answered 500 without a reason. The service also says so to more than 10 "
          + "connections at a time, from all programs together."
      ),
      (
        .json(502, "<html><title>Bad Gateway</title>"), "HTTP.502",
        "GET /jobs/5 was answered 502 a web page: bad gateway. A gateway on the way had no answer from "
          + "the service: try again later; where it stays so, ask the operator."
      ),
      (
        .none(.resolve, sent: false), "NoConnection",
        "https://api.example has no address (as scripted). Check the network, https_proxy, and the "
          + "endpoint in hpc.config."
      ),
      (
        .failure(
          TransportError(
            .connect, mayHaveBeenSent: false,
            detail: "GET https://api.example/jobs/5: no connection",
            cause:
              "Failed to connect to api.example port 443 after 0 ms: Couldn't connect to server")),
        "NoConnection",
        "cannot connect to https://api.example. Check the network, https_proxy, and the endpoint in "
          + "hpc.config."
      ),
      (
        .none(.totalTimeout), "Timeout",
        "no whole answer to GET /jobs/5 within 120 s. Try again later; where it stays so, "
          + "--trace shows what network and proxy do."
      ),
      (
        .none(.bodyTooLarge(limit: 64 << 20)), "AnswerTooLarge",
        "the answer to GET /jobs/5 is larger than 64 MiB. Is https://api.example the right endpoint?"
      ),
      (
        .none(.reset), "ConnectionLost",
        "the connection broke before an answer to GET /jobs/5. Try again later; where it stays so, "
          + "--trace shows what network and proxy do."
      ),
    ] as [(InMemoryTransport.Answer, String, String)])
  func saysWhatHappenedAndWhatToDo(
    answer: InMemoryTransport.Answer, code: String, text: String
  ) async throws {
    let error = try await error(answer)
    #expect(error.code == code)
    #expect("\(error)" == text)
    #expect(error.operation == .getJob)
    #expect(error.request == "GET https://api.example/jobs/5")
  }

  /// Whatever the status, and whatever was asked for.
  @Test(
    arguments: [
      400, 401, 403, 404, 405, 409, 410, 418, 422, 429, 451, 500, 501, 502, 503, 504, 599,
    ],
    ["", "<html>", #"{"code":"GeneralError","message":"Operation failed."}"#])
  func everyStatusHasAHint(status: Int, body: String) async throws {
    let options = CallOptions(retryDeadline: .zero)
    for operation in APIOperation.allCases {
      let fixture = Fixture(.json(status, body), .json(200, "[]"))
      let client = fixture.client
      let error = await failure { () throws(HPCError) in
        switch operation {
        case .listJobs: _ = try await client.listJobs(options)
        case .submitJob: _ = try await client.submit(jobfile: "a.sh", options)
        case .getJob: _ = try await client.job(JobID(5), options)
        case .cancelJob: try await client.cancel(JobID(5), options)
        case .startSync: _ = try await client.startSync(path: "a", options)
        case .syncStatus: _ = try await client.syncStatus(SyncID(5), options)
        }
      }
      let hint = try #require(error?.hint, "\(operation)")
      #expect(hint.hasSuffix("."))
    }
  }

  @Test(
    arguments: [
      ("https://user:pass@h/x?token=abc#f", "https://h/x?…"), ("//u:p@h/y", "//h/y"),
      ("/jobs/", "/jobs/"), ("https://h/\u{1b}[2Jx\u{7}", "https://h/[2Jx"),
      ("https://h/?X-Amz-Signature=0123", "https://h/?…"), ("https://a@b@h", "https://h"),
      ("u:p@h", "u:p@h"), ("", ""),
    ])
  func redirectsAreToldWithoutSecrets(location: String, told: String) async throws {
    let error = try await error(.json(302, "", ["Location": location]))
    #expect(error.message == "GET /jobs/5 was answered 302, a redirect to \(told)")
  }

  @Test func whatWaitedTooLongForAConnectionWasNotSent() async throws {
    let error = try await error(.none(.queueTimeout, sent: false))
    #expect(error.code == "Timeout")
    #expect(error.isRetryable)
    #expect(error.message.contains("GET /jobs/5 was not sent"))
    #expect(error.hint?.contains("longer timeout") == true)
  }

  @Test func onlyAJobIsForgotten() async throws {
    let fixture = Fixture(
      .json(404, #"{"code":"GeneralError","message":"Operation not permitted."}"#))
    let error = await failure { () throws(HPCError) in
      try await fixture.client.syncStatus(SyncID(3))
    }
    #expect(error?.status == 404)
    #expect(error?.hint == "The service does not know what was asked for.")
  }

  @Test func serverTextCannotDriveATerminal() async throws {
    let error = try await error(
      .json(503, #"{"code":"\u001b]0;x","message":"a\u001b[2Jb\u009bc\r\nd"}"#))
    let controls = "\(error)".unicodeScalars.filter { $0.properties.generalCategory == .control }
    #expect(controls.isEmpty)
  }
}
