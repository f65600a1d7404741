import CurlTransport
import HTTP
import TestSupport
import Testing

/// POST /jobs is never repeated, by nobody (design §4).
@Suite(.timeLimit(.minutes(5))) struct SubmissionTests {
  /// curl by itself repeats a request whose kept-alive connection turns out dead: what the tests
  /// below guard against does happen.
  @Test func curlRepeatsWhatMayBeRepeated() async throws {
    let fixture = try TransportFixture { $0.turn == 1 ? [.close] : .status(200) }
    _ = try await fixture.transport.send(fixture.get("/a"))
    var request = submission(fixture, "b")
    request.isRepeatable = true
    request.wantsFreshConnection = false
    request.requestClass = .ordinary
    #expect(try await fixture.transport.send(request).status == 200)
    #expect(fixture.server.requests.map(\.target) == ["/a", "/jobs", "/jobs"])
  }

  @Test func aReplyThatIsDroppedAThousandTimes() async throws {
    let fixture = try TransportFixture { $0.method == "POST" ? [.close] : .status(200) }
    try await submitAThousandTimes(fixture)
  }

  @Test func aResetInsteadOfAReplyAThousandTimes() async throws {
    let fixture = try TransportFixture { $0.method == "POST" ? [.reset] : .status(200) }
    try await submitAThousandTimes(fixture)
  }

  /// The connection is kept alive by a request before, and closed as soon as another one begins.
  @Test func aKeptConnectionClosedUnderASubmissionAThousandTimes() async throws {
    let fixture = try TransportFixture(
      atFirstByte: { _, turn in turn > 0 ? [.close] : nil },
      script: { $0.method == "POST" ? [.close] : .status(200) })
    try await submitAThousandTimes(fixture)
  }

  /// The answer comes on the connection that the submission would have taken over.
  @Test func submissionsNeverUseAConnectionOfBefore() async throws {
    let fixture = try TransportFixture(limit: 1) { _ in .status(201) }
    for number in 0..<5 {
      _ = try await fixture.transport.send(fixture.get())
      _ = try await fixture.transport.send(submission(fixture, "\(number)"))
    }
    #expect(fixture.server.requests.filter { $0.method == "POST" }.allSatisfy { $0.turn == 0 })
    #expect(fixture.server.counts.peak == 1)
  }

  @Test func aSubmissionThatFoundNoServerWasNotSent() async throws {
    let fixture = try TransportFixture { _ in .status(201) }
    let request = submission(fixture, "x")
    fixture.server.stop()
    var error = await fixture.error(request)
    while error?.kind == .reset { error = await fixture.error(request) }
    #expect(error?.kind == .connect)
    #expect(error?.mayHaveBeenSent == false)
  }

  @Test func aSubmissionIsNotSentAgainAfterAnInterimAnswerAndAClose() async throws {
    let fixture = try TransportFixture { _ in
      .raw("HTTP/1.1 100 Continue\r\n\r\n") + [.close]
    }
    let error = await fixture.error(submission(fixture, "x"))
    #expect(error?.mayHaveBeenSent == true)
    #expect(fixture.server.requests.count == 1)
  }

  /// Reads keep the connections alive between the submissions; ten at a time.
  private func submitAThousandTimes(_ fixture: TransportFixture) async throws {
    await withTaskGroup(of: Void.self) { group in
      for lane in 0..<10 {
        group.addTask {
          for number in 0..<100 {
            _ = await fixture.reply(fixture.get("/list"))
            let error = await fixture.error(submission(fixture, "\(lane)-\(number)"))
            #expect(error?.mayHaveBeenSent == true)
            #expect(error?.kind == .reset)
          }
        }
      }
    }
    let bodies = fixture.server.requests.filter { $0.method == "POST" }.map(\.body)
    #expect(bodies.count == 1000)
    #expect(Set(bodies).count == 1000)
    #expect(fixture.server.counts.peak <= 10)
  }

  private func submission(_ fixture: TransportFixture, _ name: String) -> HTTPRequest {
    HTTPRequest(
      .post, fixture.server.url("/jobs"), body: .bytes(Array("{\"jobfile\": \"\(name)\"}".utf8)),
      requestClass: .submission, isRepeatable: false)
  }
}
