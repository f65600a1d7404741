import FoundationEssentials
import Glibc
import JSON
import SigV4
import Synchronization

/// The service and its machine, for real on this computer: the API over HTTP, PJM that runs the
/// job scripts, and the bucket (design §8).
public final class Simulator: Sendable {
  /// Address of the API, without a slash at its end.
  public let endpoint: String
  /// Address of the bucket's service, without a slash at its end.
  public let storageEndpoint: String
  /// Whole path of the folder where jobs run and job files are looked for.
  public let home: String
  public let bucket: String
  /// What keys begin with before a path in home.
  public let storagePrefix: String
  public let region: String
  /// Service name in signatures.
  public let service: String
  public let accessKeyID: String
  public let secretAccessKey: String
  public let speed: Double

  private struct Servers: ~Copyable {
    var api: HTTPServer?
    var storage: HTTPServer?
  }

  private let homeFolder: HomeFolder
  private let stopping: StopSignal
  private let objects: ObjectFolder
  private let runner: JobRunner
  private let syncs: SyncBoard
  private let servers: Mutex<Servers>
  /// Removed at the end; nil where the home is to stay.
  private let throwaway: String?

  /// Starts everything; it serves when this returns.
  public static func start(_ configuration: Configuration) throws(StartError) -> Simulator {
    var configuration = configuration
    if configuration.address == "localhost" { configuration.address = "127.0.0.1" }
    try configuration.check()
    let throwaway = configuration.home == nil ? try makeThrowaway() : nil
    do throws(StartError) {
      return try Simulator(configuration, throwaway: throwaway)
    } catch {
      if let throwaway { LocalFiles.removeTree(throwaway) }
      throw error
    }
  }

  private init(_ configuration: Configuration, throwaway: String?) throws(StartError) {
    self.throwaway = throwaway
    var given: Credentials?
    if let key = configuration.accessKeyID, let secret = configuration.secretAccessKey {
      given = Credentials(accessKeyID: key, secretAccessKey: secret)
    }
    do {
      let home = try HomeFolder(
        configuration.home ?? (throwaway ?? "") + "/home", credentials: given)
      let stopping = try StopSignal()
      self.stopping = stopping
      let clock = SimulatorClock(speed: configuration.speed)
      var settings = Scheduler.Settings()
      settings.nodes = configuration.nodes
      settings.queueLimit = configuration.queueLimit
      settings.lingering = configuration.lingering
      settings.grace = clock.simulated(settings.grace)
      let faults = FaultInjector(configuration.faults, clock: clock, stopping: stopping)
      let runner = try JobRunner(
        settings: settings, home: home, clock: clock,
        machine: JobRunner.Machine(
          user: configuration.user, group: configuration.group,
          hostEnvironment: configuration.hostEnvironment),
        drawMishap: { faults.mishap(of: $0) })
      let syncs = try SyncBoard(firstID: home.firstRequestID)
      let gate = ConnectionGate(limit: configuration.connectionLimit)
      let service = APIService(
        APIService.Parts(
          configuration: configuration, home: home, runner: runner, syncs: syncs, gate: gate,
          faults: faults))
      let api = try HTTPServer(
        service: service, address: configuration.address, port: configuration.port, gate: gate,
        date: { CivilDate(epochSeconds: Int(Date().timeIntervalSince1970)).httpDate })
      let objects = try ObjectFolder(configuration.storageFolder ?? home.path + ".bucket")
      let storage = try HTTPServer(
        service: S3Service(
          S3Service.Parts(
            bucket: configuration.bucket, region: configuration.region,
            credentials: home.credentials, folder: objects,
            uploads: try MultipartUploads(folder: objects.path + "/temporary/parts"),
            faults: faults)),
        address: configuration.address, port: configuration.storagePort,
        gate: ConnectionGate(limit: nil), limits: HTTPServer.Limits(memory: 256 << 10),
        date: { CivilDate(epochSeconds: Int(Date().timeIntervalSince1970)).httpDate })
      let host =
        configuration.address.contains(":") ? "[\(configuration.address)]" : configuration.address
      endpoint = "http://\(host):\(api.port)"
      storageEndpoint = "http://\(host):\(storage.port)"
      self.home = home.path
      bucket = configuration.bucket
      storagePrefix = configuration.storagePrefix
      region = configuration.region
      self.service = configuration.service
      accessKeyID = home.credentials.accessKeyID
      secretAccessKey = home.credentials.secretAccessKey
      speed = configuration.speed
      homeFolder = home
      self.runner = runner
      self.syncs = syncs
      self.objects = objects
      servers = Mutex(Servers(api: api, storage: storage))
      // A reserve of ids, so that a simulator that is killed does not give one twice.
      try home.save(
        nextJobID: home.firstJobID + Self.idReserve,
        nextRequestID: home.firstRequestID + Self.idReserve)
      try runner.start()
      let files = FileSync(
        home: home.path, folder: objects, prefix: configuration.storagePrefix,
        pause: { stopping.pause($0) })
      let syncDelay = configuration.syncDelay / configuration.speed
      try syncs.start { entry in
        stopping.pause(syncDelay) ? files.perform(entry.body, trouble: entry.trouble) : .waiting
      }
    } catch {
      throw .system("\(error)")
    }
  }

  private static let idReserve = 1_000_000

  /// One line of JSON for whoever started it (design §8).
  public func readyLine() -> String {
    var members: [JSONValue.Member] = []
    func add(_ key: String, _ value: JSONValue) { members.append(.init(key: key, value: value)) }
    add("endpoint", .string(endpoint))
    add("storage_endpoint", .string(storageEndpoint))
    add("bucket", .string(bucket))
    if !storagePrefix.isEmpty { add("storage_prefix", .string(storagePrefix)) }
    add("access_key_id", .string(accessKeyID))
    add("secret_access_key", .string(secretAccessKey))
    add("region", .string(region))
    add("home", .string(home))
    add("speed", .double(speed))
    add("pid", .int(Int64(getpid())))
    return String(decoding: JSONValue.object(members).encoded(), as: UTF8.self)
  }

  /// Closes every connection, ends every job with its processes, and keeps the account. Further
  /// calls do nothing.
  public func stop() {
    stopping.stop()
    let running = servers.withLock { servers -> Bool in
      defer {
        servers.api = nil
        servers.storage = nil
      }
      return servers.api != nil
    }
    guard running else { return }
    syncs.stop()
    runner.stop()
    let nextJobID = runner.schedule { scheduler, _ in scheduler.nextID }
    // The reserve that was kept at the start is as good where this fails.
    try? homeFolder.save(nextJobID: nextJobID, nextRequestID: syncs.nextID)
    homeFolder.unlock()
    objects.unlock()
    if let throwaway { LocalFiles.removeTree(throwaway) }
  }

  deinit { stop() }

  private static func makeThrowaway() throws(StartError) -> String {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/hpc-sim-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
      guard let base = buffer.baseAddress, let path = unsafe mkdtemp(base) else { return nil }
      return unsafe String(cString: path)
    }
    guard let made else {
      throw .system("\(FileFailure(call: "mkdtemp", path: parent, code: errno))")
    }
    return made
  }
}
