import Foundation
import HPCClient
import HTTP
import SigV4
import Synchronization
import TestSupport

/// A client over an in-memory transport on a virtual clock.
struct Fixture {
  let transport: InMemoryTransport
  let time: VirtualTime
  let client: HPCClient
  let events: EventLog

  init(
    _ transport: InMemoryTransport, time: VirtualTime = VirtualTime(), retry: RetryPolicy = .init(),
    clockRate: Double = 1, localFiles: Set<String> = []
  ) {
    let events = EventLog()
    self.transport = transport
    self.time = time
    self.events = events
    var configuration = HPCClient.Configuration(
      endpoint: HTTPURL(scheme: .https, host: "api.example"),
      credentials: Credentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "topsecret"),
      scope: SigningScope(region: "jp-east-1", service: "hpc-api"), retry: retry,
      clockRate: clockRate, time: time, random: { 0.5 },
      fileExists: { localFiles.contains($0) }, observer: { events.add($0) })
    // Tests run side by side against one name: each has its own poller.
    configuration.watchers = WatcherRegistry()
    configuration.syncGates = SyncGateRegistry()
    client = HPCClient(configuration, transport: transport)
  }

  init(_ answers: InMemoryTransport.Answer..., localFiles: Set<String> = []) {
    self.init(InMemoryTransport(answers), localFiles: localFiles)
  }

  /// Method and path of every request so far.
  var sent: [String] {
    transport.requests.map { "\($0.method.rawValue) \($0.url.target)" }
  }
}

final class EventLog: Sendable {
  private let events = Mutex<[ClientEvent]>([])

  func add(_ event: ClientEvent) {
    events.withLock { $0.append(event) }
  }

  var all: [ClientEvent] { events.withLock { $0 } }
}

/// The list's example in the published reference, cut to what tests look at.
func listJSON(_ jobs: [(id: Int, name: String, status: String, accept: String)]) -> String {
  let objects = jobs.map {
    """
    {"job_id": "\($0.id)", "job_name": "\($0.name)", "status": "\($0.status)", "user": "a03010",
     "accept": "\($0.accept)", "elapsed_time": "0000:00:00", "Fugaku:ec": "0", "Fugaku:pc": "0",
     "Fugaku:sn": "0", "new": {"kept": [1, null]}}
    """
  }
  return "[\(objects.joined(separator: ","))]"
}

/// The error that a call throws.
func failure<Value>(
  of body: () async throws(HPCError) -> Value
) async -> HPCError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error
  }
}
