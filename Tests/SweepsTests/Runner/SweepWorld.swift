import CurlTransport
import Foundation
import HPCClient
import HTTP
import JSON
import ObjectStore
import SigV4
import Simulator
import Synchronization
import TestSupport
import Testing

@testable import Sweeps

/// A machine, its bucket and a folder for sweeps, for real on loopback.
final class SweepWorld: Sendable {
  let folder: TemporaryFolder
  let simulator: Simulator
  let transport: CurlTransport
  let service: SweepService
  let news = Mutex<[SweepNews]>([])

  static let speed = 200.0

  init(
    queueLimit: Int = 100, faults: String? = nil, refuses: RefusingTransport.Rule? = nil
  ) throws {
    folder = try TemporaryFolder()
    var configuration = Simulator.Configuration()
    configuration.home = folder.path + "/home"
    configuration.speed = Self.speed
    configuration.queueLimit = queueLimit
    configuration.hostEnvironment = ProcessInfo.processInfo.environment
    if let faults {
      let path = folder.path + "/faults.json"
      try Data(faults.utf8).write(to: URL(filePath: path))
      configuration.faults = try FaultPlan(file: path)
    }
    simulator = try Simulator.start(configuration)
    let transport = CurlTransport(.init(slots: .transport))
    self.transport = transport
    let refusing = refuses.map { RefusingTransport(transport, $0) }
    service = try Self.service(of: simulator, refusing ?? transport)
  }

  static func service(
    of simulator: Simulator, _ transport: any HTTPTransport
  ) throws -> SweepService {
    let credentials = Credentials(
      accessKeyID: simulator.accessKeyID, secretAccessKey: simulator.secretAccessKey)
    let client = HPCClient(
      HPCClient.Configuration(
        endpoint: try HTTPURL(parsing: simulator.endpoint), credentials: credentials,
        scope: SigningScope(region: simulator.region, service: simulator.service),
        clockRate: speed), transport: transport)
    let store = ObjectStore(
      ObjectStore.Configuration(
        endpoint: try HTTPURL(parsing: simulator.storageEndpoint), bucket: simulator.bucket,
        region: simulator.region, credentials: credentials), transport: transport)
    return SweepService(client: client, store: store)
  }

  deinit {
    transport.shutdown()
    simulator.stop()
  }

  /// A sweep over x = 1 … count; its limit is three minutes by the wall clock.
  func definition(
    _ count: Int = 3, script: String, name: String = "test"
  ) throws -> SweepDefinition {
    let values = (1...Int64(count)).map(ParameterValue.integer)
    let space = try Space.grid(["x": values])
    var definition = SweepDefinition(
      name: name, folder: folder.path, points: try space.select(), space: space.summary,
      script: SweepScript(.text(script), source: "test.sh"))
    definition.resources = .fixed(Resources(node: "1", elapse: 36_000))
    return definition
  }

  func session(
    _ definition: SweepDefinition,
    fate: @escaping @Sendable (Int) -> JournalKeeper.Fate = { _ in .proceed }
  ) -> SweepSession {
    SweepSession(
      definition, journal: definition.journalPath(isSimulated: false), name: definition.name,
      service: service, news: { [self] entry in news.withLock { $0.append(entry) } }, fate: fate)
  }

  func rows(_ definition: SweepDefinition) throws -> [SweepRow] {
    try SweepBooks(journal: definition.journalPath(isSimulated: false)).rows(all: true)
  }

  /// Returns once a condition holds.
  func until(_ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while try await !condition() {
      try #require(ContinuousClock.now < end, "waited in vain for two minutes")
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Requests to the API since the simulator began, by operation.
  func requests() async throws -> [String: Int] {
    let url = try HTTPURL(parsing: simulator.endpoint).appending(path: "/_sim/state")
    let state = try JSONValue(parsing: try await transport.send(HTTPRequest(.get, url)).body)
    var counts: [String: Int] = [:]
    for member in state["requests"]?.object ?? [] {
      counts[member.key] = member.value.int.map(Int.init)
    }
    return counts
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: folder.path + "/" + name))
  }

  func read(_ name: String) throws -> String {
    try String(contentsOf: URL(filePath: folder.path + "/" + name), encoding: .utf8)
  }
}

/// Answers some requests with 400 in the service's place; they never reach it.
final class RefusingTransport: HTTPTransport {
  typealias Rule = @Sendable (HTTPRequest) async -> Bool

  private let transport: any HTTPTransport
  private let rule: Rule

  init(_ transport: any HTTPTransport, _ rule: @escaping Rule) {
    self.transport = transport
    self.rule = rule
  }

  func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
    if await rule(request) { return HTTPResponse(status: 400) }
    return try await transport.send(request)
  }
}
