public import HPCClient
import HomeFiles
public import LuaRuntime
public import ObjectStore
public import Sweeps

/// What a table of functions works with: one account at one endpoint.
public struct HPCConnection {
  /// The simulator that runs embedded in this process.
  public struct EmbeddedSimulator: Sendable {
    /// Folder that is the home on the machine.
    public var home: String
    public var endpoint: String
    public var storageEndpoint: String
    public var speed: Double

    public init(home: String, endpoint: String, storageEndpoint: String, speed: Double) {
      self.home = home
      self.endpoint = endpoint
      self.storageEndpoint = storageEndpoint
      self.speed = speed
    }
  }

  public var settings: Settings
  /// Made at the first call: a program that calls nothing needs no account.
  public var client: () throws(HPCError) -> HPCClient
  /// The bucket; made at the first use like the client.
  public var store: () throws(HPCError) -> ObjectStore
  public var simulator: EmbeddedSimulator?
  /// State of the connections for `hpc.config.connections`.
  public var connections: () -> [(key: LuaValue, value: LuaValue)]

  public init(
    settings: Settings, client: @escaping () throws(HPCError) -> HPCClient,
    store: @escaping () throws(HPCError) -> ObjectStore, simulator: EmbeddedSimulator? = nil,
    connections: @escaping () -> [(key: LuaValue, value: LuaValue)] = { [] }
  ) {
    self.settings = settings
    self.client = client
    self.store = store
    self.simulator = simulator
    self.connections = connections
  }
}

/// What the program around gives to the `hpc` table.
public struct HPCHost {
  /// Resolves settings, with those of `hpc.connect{}` before all others. Called at first use.
  public var connect: (_ explicit: [SettingKey: String]) throws(HPCError) -> HPCConnection
  /// Version of the program.
  public var version: String
  /// Writes lines to stderr, above a prompt where there is one.
  public var log: @Sendable (_ level: LogLevel, _ line: String) -> Void
  /// Secrets of all connections that were made.
  public let secrets = KnownSecrets()
  /// Submissions under way, of all connections.
  public let submissions = SubmissionLedger()
  /// Warnings given so far.
  let notices = Notices()
  /// Runs of sweeps under way.
  public let sweeps = RunningSweeps()
  /// Exit status by the last run or step of a sweep.
  public let outcome = ProgramOutcome()
  /// What a run means in this program.
  public var sweepMode = SweepMode.run
  /// Shows how far a run is; nil where nobody wants to know.
  public var progress: ProgressOutput?
  /// The same for what runs behind a prompt: shown while one is up.
  public var progressBehindPrompt: ProgressOutput?
  /// Asks whoever sits at the terminal a question, and gives the line that was typed: nil at its end
  /// and where the caller is cancelled. Nil itself where nobody can be asked.
  public var ask: (@Sendable (_ question: String) async -> String?)?
  /// The sweeps of this user; nil where there is no place for it.
  public var catalog: SweepCatalog?
  /// The Lua file that the program runs.
  public var script: String?
  /// Transfers of files under way: one that is cancelled takes back what it has begun.
  public let transfers = SubmissionLedger()

  /// How important a line is.
  public enum LogLevel: String, Sendable, CaseIterable {
    case info, warn, error
  }

  public init(
    version: String, log: @escaping @Sendable (LogLevel, String) -> Void,
    connect: @escaping ([SettingKey: String]) throws(HPCError) -> HPCConnection
  ) {
    self.version = version
    self.log = log
    self.connect = connect
  }
}

/// Connects when it is first needed, so that `hpc -e ''` reads no file.
final class LazyConnection {
  private let explicit: [SettingKey: String]
  private let host: HPCHost
  private var made: HPCConnection?
  private var madeClient: HPCClient?

  init(_ explicit: [SettingKey: String], host: HPCHost) {
    self.explicit = explicit
    self.host = host
  }

  func get() throws(HPCError) -> HPCConnection {
    let connection = try resolve()
    for warning in connection.settings.warnings where host.notices.isNew(warning) {
      host.log(.warn, warning)
    }
    return connection
  }

  /// Reads the settings and says nothing of them yet.
  func resolve() throws(HPCError) -> HPCConnection {
    if let made { return made }
    let connection = try host.connect(explicit)
    host.secrets.note(connection.settings)
    made = connection
    return connection
  }

  func client() throws(HPCError) -> HPCClient {
    if let madeClient { return madeClient }
    let client = try get().client()
    madeClient = client
    return client
  }

  func store() throws(HPCError) -> ObjectStore { try get().store() }

  func homeFiles() throws(HPCError) -> HomeFiles {
    let connection = try get()
    return HomeFiles(
      client: try connection.client(), store: try connection.store(),
      prefix: connection.settings.storagePrefix)
  }
}
