import CurlTransport
import FoundationEssentials
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct CurlTransportTests {
  @Test func answersWithStatusHeadersAndBody() async throws {
    let fixture = try TransportFixture { _ in
      .status(404, "gone", headers: [("X-One", "1"), ("x-two", " a b "), ("X-One", "2")])
    }
    let response = try await fixture.transport.send(fixture.get("/a"))
    #expect(response.status == 404)
    #expect(response.headers[all: "x-one"] == ["1", "2"])
    #expect(response.headers["X-Two"] == "a b")
    #expect(String(decoding: response.body, as: UTF8.self) == "gone")
  }

  @Test(arguments: [
    "/", "/a/../b/./c", "/%7euser/%2F%2f//x", "/jobs?", "/jobs?a=1&a=&b", "/x?q=%20+*~'()!$,;:@",
    "/a%zz?%", "/[x]{y}|z^",
  ])
  func targetsGoOutByteForByte(target: String) async throws {
    let fixture = try TransportFixture { _ in .status(200) }
    let url = try HTTPURL(parsing: fixture.server.url().origin + target)
    _ = try await fixture.transport.send(HTTPRequest(.get, url))
    #expect(fixture.server.requests.map(\.target) == [target])
  }

  @Test(arguments: [HTTPMethod.get, .head, .post, .put, .delete], ["", "some body"])
  func methodsCarryBodies(method: HTTPMethod, body: String) async throws {
    let fixture = try TransportFixture { _ in [.send(Array("HTTP/1.1 204 No\r\n\r\n".utf8))] }
    if method == .head && !body.isEmpty { return }
    let request = HTTPRequest(
      method, fixture.server.url("/x"), headers: ["Content-Type": "text/x", "X-Empty": ""],
      body: body.isEmpty ? .none : .bytes(Array(body.utf8)))
    #expect(try await fixture.transport.send(request).status == 204)
    let seen = try #require(fixture.server.requests.first)
    #expect(seen.method == method.rawValue)
    #expect(String(decoding: seen.body, as: UTF8.self) == body)
    #expect(seen.headers["Host"] == fixture.server.url().hostHeader)
    #expect(seen.headers["Content-Type"] == "text/x")
    #expect(seen.headers["X-Empty"] == "")
    #expect(seen.headers["User-Agent"] == "hpc")
    #expect(seen.headers["Accept"] == nil)
    #expect(seen.headers["Expect"] == nil)
    #expect(seen.headers["Transfer-Encoding"] == nil)
  }

  @Test func bodiesAboveOneMebibyteAreSentWithoutAsking() async throws {
    let fixture = try TransportFixture { _ in .status(200) }
    let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let request = HTTPRequest(.put, fixture.server.url("/x"), body: .bytes(body))
    _ = try await fixture.transport.send(request)
    let isWhole = fixture.server.requests.first?.body == body
    #expect(isWhole)
    #expect(fixture.server.requests.first?.headers["Expect"] == nil)
  }

  @Test func aConnectionIsKeptForTheNextRequest() async throws {
    let fixture = try TransportFixture { _ in .status(200) }
    for _ in 0..<5 { _ = try await fixture.transport.send(fixture.get()) }
    #expect(fixture.server.counts.accepted == 1)
    #expect(fixture.server.requests.map(\.turn) == [0, 1, 2, 3, 4])
  }

  @Test(arguments: [1, 3, 10])
  func neverMoreConnectionsThanTheLimit(limit: Int) async throws {
    let fixture = try TransportFixture(limit: limit) { _ in .status(200, after: .milliseconds(2)) }
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<100 {
        group.addTask { (try? await fixture.transport.send(fixture.get()).status) ?? 0 }
      }
      for await status in group { #expect(status == 200) }
    }
    #expect(fixture.server.counts.peak == limit)
    #expect(fixture.server.counts.accepted == limit)
  }

  @Test func redirectsAreAnswersLikeAnyOther() async throws {
    let fixture = try TransportFixture { _ in .status(307, headers: [("Location", "/elsewhere")]) }
    #expect(try await fixture.transport.send(fixture.get()).status == 307)
    #expect(fixture.server.requests.count == 1)
  }

  @Test func interimAnswersAndTrailersAreLeftOut() async throws {
    let fixture = try TransportFixture { _ in
      .raw(
        "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
          + "\r\nX-Real: yes\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: no\r\n\r\n")
    }
    let response = try await fixture.transport.send(fixture.get())
    #expect(response.status == 200)
    #expect(response.headers["Link"] == nil)
    #expect(response.headers["X-Real"] == "yes")
    #expect(response.headers["X-Trailer"] == nil)
    #expect(response.body == Array("abc".utf8))
  }

  @Test func anIdleConnectionIsClosedAndItsSlotGivenBack() async throws {
    let fixture = try TransportFixture(idleGiveBack: .milliseconds(30)) { _ in .status(200) }
    _ = try await fixture.transport.send(fixture.get())
    let counts = await fixture.server.waitUntil { $0.open == 0 }
    #expect(counts.accepted == 1)
    _ = try await fixture.transport.send(fixture.get())
    #expect(fixture.server.counts.accepted == 2)
  }

  @Test func requestsAreSignedWhenTheirTurnComes() async throws {
    let fixture = try TransportFixture(limit: 1) { _ in .status(200, after: .milliseconds(30)) }
    let signer = RecordingSigner()
    var request = fixture.get("/signed")
    request.signer = signer
    try await withThrowingTaskGroup { group in
      for _ in 0..<3 {
        group.addTask { [request] in _ = try await fixture.transport.send(request) }
      }
      try await group.waitForAll()
    }
    let dates = signer.dates
    #expect(dates.count == 3)
    for (earlier, later) in zip(dates, dates.dropFirst()) {
      #expect(later.timeIntervalSince(earlier) >= 0.03)
    }
    #expect(fixture.server.requests.allSatisfy { $0.headers[all: "Authorization"] == ["once"] })
  }

  @Test func shutdownEndsWhatIsUnderWayAndRefusesTheRest() async throws {
    let fixture = try TransportFixture(limit: 1) { _ in [.hold] }
    async let first = fixture.error(fixture.get())
    async let second = fixture.error(fixture.get())
    await fixture.server.waitUntil { $0.requests == 1 }
    fixture.transport.shutdown()
    let kinds = await [first?.kind, second?.kind]
    #expect(kinds == [.closed, .closed])
    #expect(await fixture.error(fixture.get())?.kind == .closed)
    await fixture.server.waitUntil { $0.open == 0 }
    fixture.transport.shutdown()
  }

  @Test func anUnusedTransportShutsDownToo() async throws {
    let fixture = try TransportFixture { _ in .status(200) }
    fixture.transport.shutdown()
    #expect(await fixture.error(fixture.get())?.kind == .closed)
    #expect(fixture.server.counts.accepted == 0)
  }

  @Test func aTransportThatIsLetGoClosesItsConnections() async throws {
    let server = try ScriptedServer { _ in .status(200) }
    do {
      let transport = CurlTransport(.init(slots: .transport, idleGiveBack: .seconds(600)))
      _ = try await transport.send(HTTPRequest(.get, server.url()))
      #expect(server.counts.open == 1)
    }
    await server.waitUntil { $0.open == 0 }
  }
}

/// Writes the time of its call down and leaves a mark in the request.
private final class RecordingSigner: HTTPRequestSigner {
  private let recorded = Mutex<[Date]>([])

  var dates: [Date] { recorded.withLock { $0 } }

  func sign(_ request: inout HTTPRequest, at date: Date) {
    recorded.withLock { $0.append(date) }
    request.headers["Authorization"] = "once"
  }
}
