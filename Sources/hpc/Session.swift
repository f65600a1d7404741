import Console
import CurlTransport
import Glibc
import HPCClient
import HTTP
import LuaAPI
import LuaRuntime
import ObjectStore
import SigV4
import Simulator
import Sweeps
import Synchronization

/// One run of a program: its connections, its simulator, and how they end.
final class Session {
  private let options: CommandLineOptions
  private let simulator = Mutex<Simulator?>(nil)
  private let transports = Mutex<[Int: CurlTransport]>([:])
  /// Of the bucket, which has connections of its own.
  private let storage = Mutex<CurlTransport?>(nil)
  private let isEnding = Mutex(false)

  init(_ options: CommandLineOptions) {
    self.options = options
    ErrorOutput.prepare()
  }

  /// Runs the command line.
  ///
  /// - Parameter words: all of it, the program's name first.
  /// - Returns: the exit status.
  func run(_ words: [[UInt8]]) throws -> Int32 {
    var command: ShellCommand?
    var sweepCommand: SweepCommand?
    if case .subcommand(let name, let arguments) = options.program {
      if name == "sweep" {
        if arguments.contains("--help") || arguments.contains("-h") {
          print(SweepCommand.usage)
          return ScriptRunner.ExitStatus.success
        }
        sweepCommand = try SweepCommand(parsing: arguments)
      } else {
        if let help = ShellCommand.help(name, arguments) {
          print(help)
          return 0
        }
        command = try ShellCommand(name, parsing: arguments)
      }
    }
    if options.usesSimulator {
      // A client that goes away must not end the process that embeds the server.
      // Not SIG_IGN, which children of Lua would inherit.
      signal(SIGPIPE) { _ in }
      try startSimulator()
    }
    var host = HPCHost(
      version: Main.version,
      log: { [options] level, line in
        guard level != .info || !options.isQuiet else { return }
        ErrorOutput.line(level == .info ? line : "hpc: \(line)")
      },
      connect: { [self] (explicit) throws(HPCError) in try connect(explicit) })
    host.progress = options.isQuiet ? nil : ErrorOutput.progress
    if let progress = host.progress, progress.isTerminal {
      host.progressBehindPrompt = ProgressOutput(isTerminal: true, width: progress.width) { text in
        if text == nil || PromptOutput.isPromptUp { progress.show(text) }
      }
    }
    host.ask = TerminalQuestion.ask
    // What the simulator runs is thrown away with its home, and no business of other programs.
    host.catalog =
      simulator.withLock { $0 }.map { SweepCatalog(folder: "\($0.home)/.local/state/hpc/sweeps") }
      ?? SweepCatalog.standard(Environment.variables)
    host.sweepMode = options.sweepMode
    if case .file(let path) = options.program {
      host.script = String(decoding: path, as: UTF8.self)
    }
    let runner = try ScriptRunner(
      options, commandLine: words, host: host, beforeExit: { [self] in end() })
    if let sweepCommand { return runner.run(sweepCommand) }
    return command.map { runner.run($0) } ?? runner.run()
  }

  /// Closes connections and ends the simulator with its jobs. May be called again.
  func end() {
    let first = isEnding.withLock { ending in
      defer { ending = true }
      return !ending
    }
    guard first else { return }
    for transport in transports.withLock({ Array($0.values) }) { transport.shutdown() }
    storage.withLock { $0 }?.shutdown()
    simulator.withLock { $0 }?.stop()
    ErrorOutput.finishReports()
  }

  // MARK: The simulator

  private func startSimulator() throws {
    var configuration = Simulator.Configuration()
    configuration.speed = 60
    configuration.hostEnvironment = Environment.variables
    let started = try Simulator.start(configuration)
    simulator.withLock { $0 = started }
  }

  private func settings(
    _ explicit: [SettingKey: String], of simulator: Simulator?
  ) throws(HPCError) -> Settings {
    var given = Settings.Given(explicit: explicit)
    if let profile = options.profile { given.commandLine[.profile] = ("--profile", profile) }
    if let endpoint = options.endpoint { given.commandLine[.endpoint] = ("--endpoint", endpoint) }
    var variables = Environment.variables
    if let simulator {
      // Nothing of a real account is read or used; a program that names a profile can be tried.
      given.commandLine[.profile] = nil
      given.explicit[.profile] = nil
      let values: [(key: SettingKey, value: String)] = [
        (.endpoint, simulator.endpoint), (.region, simulator.region),
        (.service, simulator.service), (.accessKeyID, simulator.accessKeyID),
        (.secretAccessKey, simulator.secretAccessKey), (.bucket, simulator.bucket),
        (.storageEndpoint, simulator.storageEndpoint), (.clockRate, "\(simulator.speed)"),
      ]
      for (key, value) in values where given.commandLine[key] == nil {
        given.commandLine[key] = ("--sim", value)
      }
      variables = ["HOME": "/nonexistent"]
    }
    return try Settings.resolve(given, in: SettingsEnvironment.process(variables: variables))
  }

  // MARK: Connections

  private func connect(_ explicit: [SettingKey: String]) throws(HPCError) -> HPCConnection {
    let simulator = simulator.withLock { $0 }
    let settings = try settings(explicit, of: simulator)
    let transport = transport(limit: settings.maxConnections)
    let made = Mutex<HPCClient?>(nil)
    let observer = observer()
    return HPCConnection(
      settings: settings,
      client: { () throws(HPCError) in
        if let client = made.withLock({ $0 }) { return client }
        var configuration = try HPCClient.Configuration(
          settings, fileExists: { unsafe access($0, F_OK) == 0 }, observer: observer)
        // The embedded simulator's syncs are no business of other programs.
        if simulator == nil { configuration.syncNeighbours = SessionNotes(configuration) }
        let client = HPCClient(configuration, transport: transport)
        made.withLock { $0 = client }
        return client
      },
      store: { [self] () throws(HPCError) in try store(settings) },
      simulator: simulator.map {
        .init(
          home: $0.home, endpoint: $0.endpoint, storageEndpoint: $0.storageEndpoint,
          speed: $0.speed)
      },
      connections: { () -> [(key: LuaValue, value: LuaValue)] in
        let governor = transport.governor(origin: settings.endpoint.origin)
        return [
          ("limit", .integer(governor.limit)), ("configured", .integer(governor.configuredLimit)),
          ("held", .integer(governor.slotsHeld)), ("in_flight", .integer(governor.inFlight)),
          ("queued", .integer(governor.queued)), ("shared", .boolean(governor.isShared)),
        ]
      })
  }

  private func store(_ settings: Settings) throws(HPCError) -> ObjectStore {
    guard let bucket = settings.bucket else {
      throw HPCError(
        .invalidSetting, "no bucket is set",
        hint:
          "Files go through it: set HPC_BUCKET to the name that the operator gave you, or bucket = "
          + "in config.ini.")
    }
    let configuration = ObjectStore.Configuration(
      endpoint: settings.storageEndpoint, bucket: bucket, region: settings.region,
      credentials: try settings.storageCredentials(),
      retry: ObjectStore.RetryPolicy(deadline: settings.retryDeadline))
    let transport = storage.withLock { known in
      if let known { return known }
      var settings = CurlTransport.Configuration(
        limit: configuration.connections, slots: .transport, userAgent: "hpc/\(Main.version)")
      settings.warn = { ErrorOutput.report("hpc: warning: \($0)") }
      if options.traces { settings.trace = { ErrorOutput.report("trace: \($0)") } }
      let made = CurlTransport(settings)
      known = made
      return made
    }
    return ObjectStore(configuration, transport: transport)
  }

  /// One transport for each connection limit, so that clients of one endpoint share slots.
  private func transport(limit: Int) -> CurlTransport {
    var configuration = CurlTransport.Configuration(
      limit: limit, userAgent: "hpc/\(Main.version)")
    configuration.warn = { ErrorOutput.report("hpc: warning: \($0)") }
    configuration.notice = { ErrorOutput.report("hpc: \($0)") }
    if options.traces { configuration.trace = { ErrorOutput.report("trace: \($0)") } }
    let settings = configuration
    return transports.withLock { known in
      if let transport = known[limit] { return transport }
      let transport = CurlTransport(settings)
      known[limit] = transport
      return transport
    }
  }

  private func observer() -> @Sendable (ClientEvent) -> Void {
    let traces = options.traces
    return { event in
      switch event {
      case .retrying:
        if traces { ErrorOutput.report("trace: \(event)") }
      case .clockCorrected, .warning: ErrorOutput.report("hpc: \(event)")
      }
    }
  }
}
