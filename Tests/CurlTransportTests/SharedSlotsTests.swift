import Glibc
import HTTP
import Synchronization
import TestSupport
import Testing

@testable import CurlTransport

/// Slots over several transports and processes: `flock` counts open files, so that two transports
/// of one process meet like two processes.
@Suite(.timeLimit(.minutes(5))) struct SharedSlotsTests {
  @Test func twoTransportsTogetherStayWithinTheLimit() async throws {
    let fixture = try SharedFixture(latency: .milliseconds(5))
    let clients = (0..<4).map { _ in fixture.transport() }
    await withTaskGroup(of: Int.self) { group in
      for client in clients {
        for _ in 0..<50 {
          group.addTask { (try? await client.send(fixture.request).status) ?? 0 }
        }
      }
      for await status in group { #expect(status == 200) }
    }
    #expect(fixture.server.counts.peak <= 10)
    for client in clients { client.shutdown() }
  }

  @Test func aNewcomerIsAnsweredWhileAnotherHoldsAllSlots() async throws {
    let fixture = try SharedFixture(latency: .milliseconds(100))
    let greedy = fixture.transport()
    let load = Task {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<300 { group.addTask { _ = try? await greedy.send(fixture.request) } }
      }
    }
    await fixture.server.waitUntil { $0.requests >= 30 }
    #expect(greedy.governors.first?.slotsHeld == 10)
    let newcomer = fixture.transport()
    let before = fixture.server.counts.requests
    #expect(try await newcomer.send(fixture.request).status == 200)
    // Long before the other is done; within three request times (31) on a machine that is not busy.
    #expect(fixture.server.counts.requests - before <= 150)
    #expect(fixture.server.counts.peak <= 10)
    load.cancel()
    await load.value
  }

  @Test func idleSlotsAreGivenBackAndTheirFilesAreUnlocked() async throws {
    let fixture = try SharedFixture(latency: .zero)
    let trace = TraceLog()
    let client = fixture.transport(trace: trace)
    _ = try await client.send(fixture.request)
    await fixture.server.waitUntil { $0.open == 0 }
    #expect(client.governors.first?.isShared == true)
    // A second one finds it free, and rests, since another's connection was there last.
    let other = fixture.transport(limit: 1)
    #expect(try await other.send(fixture.request).status == 200)
    #expect(trace.slots.first?.hasSuffix("taken") == true)
    #expect(trace.slots.last?.hasSuffix("given back") == true)
  }

  @Test func withASlotEachAllTakeTurns() async throws {
    // Three clients for two connections, each with work for longer than a turn.
    let fixture = try SharedFixture(latency: .milliseconds(50), limit: 2)
    let clients = (0..<3).map { _ in fixture.transport(limit: 2) }
    await withTaskGroup(of: Int.self) { group in
      for client in clients {
        for _ in 0..<30 {
          group.addTask { (try? await client.send(fixture.request).status) ?? 0 }
        }
      }
      for await status in group { #expect(status == 200) }
    }
    #expect(fixture.server.counts.peak <= 2)
  }

  @Test func aTransportThatWaitsForASlotShutsDownAtOnce() async throws {
    let folder = try TemporaryFolder()
    let server = try ScriptedServer { _ in [.hold] }
    let configuration = CurlTransport.Configuration(
      limit: 1, slots: .user(directory: folder.path))
    let clients = (0..<3).map { _ in CurlTransport(configuration) }
    let request = HTTPRequest(.get, server.url())
    await withTaskGroup(of: TransportError?.self) { group in
      group.addTask { await error(request, clients[0]) }
      await server.waitUntil { $0.requests == 1 }
      for client in clients.dropFirst() {
        group.addTask { await error(request, client) }
        while client.governors.first?.queued != 1 { await Task.yield() }
      }
      for client in clients.reversed() { client.shutdown() }
      for await error in group {
        #expect(error?.kind == .closed)
      }
    }
    #expect(server.counts.accepted == 1)
  }

  private func error(_ request: HTTPRequest, _ client: CurlTransport) async -> TransportError? {
    do throws(TransportError) {
      _ = try await client.send(request)
      return nil
    } catch {
      return error
    }
  }

  @Test func aDirectoryThatIsNotOursIsAWarningAndNoMore() async throws {
    let folder = try TemporaryFolder()
    try #require(unsafe chmod(folder.path, 0o755) == 0)
    let warnings = TraceLog()
    let server = try ScriptedServer { _ in .status(200) }
    let client = CurlTransport(
      .init(slots: .user(directory: folder.path), warn: { warnings.add($0) }))
    #expect(try await client.send(HTTPRequest(.get, server.url())).status == 200)
    let state = try #require(client.governors.first)
    #expect(!state.isShared)
    #expect(state.warning?.contains("mode 755") == true)
    #expect(warnings.lines == [try #require(state.warning)])
  }

  @Test func aDirectoryThatVanishesDoesNotStopRequests() async throws {
    let fixture = try SharedFixture(latency: .milliseconds(20), limit: 3)
    let client = fixture.transport(limit: 3)
    #expect(try await client.send(fixture.request).status == 200)
    let gone = fixture.folder.path + "-gone"
    try #require(unsafe rename(fixture.folder.path, gone) == 0)
    // The client looks for others meanwhile, and so may make a file again.
    while await (try ChildProcess("rm", ["-rf", gone])).ended().status != 0 {}
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<10 { group.addTask { (try? await client.send(fixture.request).status) ?? 0 } }
      for await status in group { #expect(status == 200) }
    }
    #expect(client.governors.first?.isShared == false)
  }

  /// Those with lower limits use the first slots alone.
  @Test func aSlotIsWantedByThoseWhomItServes() throws {
    let folder = try TemporaryFolder()
    let directory = try LockDirectory(path: folder.path)
    func process(_ limit: Int) -> SharedSlots {
      SharedSlots(
        directory, origin: "http://h", limit: limit, removesFiles: false, onFirst: {},
        onFailure: { Issue.record("errno \($0)") })
    }
    let (greedy, small, other) = (process(10), process(1), process(10))
    for _ in 0..<10 { try #require(greedy.take(inTurn: false) != nil) }
    #expect(!greedy.isWanted(0))
    #expect(small.take(inTurn: false) == nil)
    small.joinLine()
    #expect(greedy.isWanted(0))
    #expect(!greedy.isWanted(1))
    greedy.giveBack(0)
    #expect(greedy.take(inTurn: false) == nil)
    #expect(small.take(inTurn: true)?.slot == 0)
    small.leaveLine()
    #expect(!greedy.isWanted(0))
    other.joinLine()
    #expect(greedy.isWanted(9))
    // One that is free will do, and where two are, one may be taken.
    greedy.giveBack(4)
    #expect(!greedy.isWanted(9))
    #expect(greedy.take(inTurn: false) == nil)
    greedy.giveBack(6)
    #expect(greedy.take(inTurn: false) != nil)
    #expect(greedy.take(inTurn: false) == nil)
    #expect(other.take(inTurn: true) != nil)
    #expect(greedy.isWanted(9))
    other.leaveLine()
    #expect(!greedy.isWanted(9))
  }

  @Test func theNamesOfThisMachineShareTheirSlots() async throws {
    let fixture = try SharedFixture(latency: .milliseconds(5), limit: 2)
    let clients = (0..<2).map { _ in fixture.transport(limit: 2) }
    var byName = fixture.request
    byName.url.host = "localhost"
    let requests = [fixture.request, byName]
    await withTaskGroup(of: Int.self) { group in
      for (client, request) in zip(clients, requests) {
        for _ in 0..<50 { group.addTask { (try? await client.send(request).status) ?? 0 } }
      }
      for await status in group { #expect(status == 200) }
    }
    #expect(fixture.server.counts.peak <= 2)
    for client in clients { client.shutdown() }
  }

  @Test func loopbackFilesGoWithTheTransport() async throws {
    let fixture = try SharedFixture(latency: .zero)
    let client = fixture.transport()
    _ = try await client.send(fixture.request)
    client.shutdown()
    let listing = try await ChildProcess("ls", ["-A", fixture.folder.path]).ended()
    #expect(listing.output.isEmpty)
  }

  // MARK: - Processes

  @Test func fiveProcessesOfWhichOneIsKilled() async throws {
    let fixture = try SharedFixture(latency: .milliseconds(5))
    let clients = try (0..<5).map { _ in try fixture.process(200) }
    await fixture.server.waitUntil { $0.requests >= 300 }
    clients[3].kill(SIGKILL)
    for (number, client) in clients.enumerated() where number != 3 {
      let (output, status) = await client.ended()
      #expect(status == 0)
      #expect(output.contains(#""answers": {"200": 200}"#))
    }
    #expect(fixture.server.counts.peak <= 10)
  }

  @Test func twelveProcessesAllFinish() async throws {
    let fixture = try SharedFixture(latency: .milliseconds(5))
    let clients = try (0..<12).map { _ in try fixture.process(200) }
    for client in clients {
      let (output, status) = await client.ended()
      #expect(status == 0)
      #expect(output.contains(#""answers": {"200": 200}"#))
    }
    #expect(fixture.server.counts.peak <= 10)
  }
}

/// A server that answers 500 above its limit of connections, and clients that share lock files.
private struct SharedFixture {
  let folder: TemporaryFolder
  let server: ScriptedServer

  init(latency: Duration, limit: Int = 10) throws {
    folder = try TemporaryFolder()
    server = try ScriptedServer { request in
      .status(request.openConnections > limit ? 500 : 200, after: latency)
    }
  }

  var request: HTTPRequest { HTTPRequest(.get, server.url("/jobs")) }

  func transport(limit: Int = 10, trace: TraceLog? = nil) -> CurlTransport {
    var configuration = CurlTransport.Configuration(
      limit: limit, slots: .user(directory: folder.path))
    if let trace { configuration.trace = { trace.add("\($0)") } }
    return CurlTransport(configuration)
  }

  func process(_ count: Int) throws -> ChildProcess {
    try ChildProcess(
      builtExecutable("Benchmarks"), ["client", "\(server.url("/jobs"))", "\(count)", folder.path])
  }
}

/// Lines from the curl thread.
private final class TraceLog: Sendable {
  private let log = Mutex<[String]>([])

  var lines: [String] { log.withLock { $0 } }
  var slots: [String] { lines.filter { $0.contains(": slot ") } }

  func add(_ line: String) { log.withLock { $0.append(line) } }
}
