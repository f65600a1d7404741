import CurlTransport
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct TransportTraceTests {
  @Test func anExchangeIsToldWithoutItsSecrets() async throws {
    let traces = Traces()
    let fixture = try TransportFixture(trace: { traces.add($0) }) { _ in .status(201, "body") }
    let request = HTTPRequest(
      .post, fixture.server.url("/jobs", query: "a=1&X-Amz-Signature=s3cr3t&b"),
      headers: ["Authorization": "s3cr3t", "X-Amz-Security-Token": "s3cr3t"],
      body: .bytes(Array("s3cr3t".utf8)))
    for _ in 0..<2 { _ = try await fixture.transport.send(request) }
    let exchanges = traces.exchanges
    #expect(exchanges.count == 2)
    let exchange = try #require(exchanges.first)
    #expect(exchange.method == .post)
    #expect(
      exchange.url == fixture.server.url("/jobs", query: "a=1&X-Amz-Signature=…&b").description)
    #expect(exchange.outcome == .status(201))
    #expect(exchange.sent == 6)
    #expect(exchange.received == 4)
    #expect(exchange.slot == 0)
    #expect(exchanges.map(\.reusedConnection) == [false, true])
    #expect(exchange.took >= exchange.connect)
    #expect(!"\(traces.all)".contains("s3cr3t"))
    #expect(!traces.all.map(\.description).joined().contains("s3cr3t"))
  }

  @Test func failuresAreToldToo() async throws {
    let traces = Traces()
    let fixture = try TransportFixture(trace: { traces.add($0) }) { _ in [.close] }
    let error = try #require(await fixture.error(fixture.get("/x")))
    #expect(traces.exchanges.map(\.outcome) == [.failed(error)])
  }

  @Test func theLimitIsToldAndShown() async throws {
    let traces = Traces()
    let fixture = try TransportFixture(trace: { traces.add($0) }) { _ in .status(500) }
    #expect(fixture.transport.governor(origin: fixture.server.url().origin).limit == 10)
    _ = try await fixture.transport.send(fixture.get())
    let origin = fixture.server.url().origin
    while fixture.transport.governor(origin: origin).limit == 10 { await Task.yield() }
    let state = fixture.transport.governor(origin: origin)
    // Five, or a step or two more on a machine where this took long.
    #expect((5..<10).contains(state.limit))
    #expect(state.configuredLimit == 10)
    #expect(state.decreasedSince != nil)
    #expect(traces.all.contains(.limit(origin: origin, from: 10, to: 5)))
  }

  @Test func a500OfASubmissionLeavesTheLimit() async throws {
    let fixture = try TransportFixture { $0.method == "POST" ? .status(500) : .status(200) }
    let request = HTTPRequest(
      .post, fixture.server.url("/jobs"), requestClass: .submission, isRepeatable: false)
    _ = try await fixture.transport.send(request)
    _ = try await fixture.transport.send(fixture.get())
    #expect(fixture.transport.governors.map(\.limit) == [10])
  }
}

private final class Traces: Sendable {
  private let traces = Mutex<[TransportTrace]>([])

  var all: [TransportTrace] { traces.withLock { $0 } }

  var exchanges: [TransportTrace.Exchange] {
    all.compactMap { if case .request(let exchange) = $0 { exchange } else { nil } }
  }

  func add(_ trace: TransportTrace) { traces.withLock { $0.append(trace) } }
}
