import Console
import CurlTransport
import Glibc
import HPCClient
import HTTP
import LuaAPI
import LuaRuntime
import Simulator
import Synchronization

/// One run of a program: its connections, its simulator, and how they end.
final class Session {
  private let options: CommandLineOptions
  private let simulator = Mutex<Simulator?>(nil)
  private let transports = Mutex<[Int: CurlTransport]>([:])
  private let isEnding = Mutex(false)

  init(_ options: CommandLineOptions) {
    self.options = options
    Output.prepare()
  }

  /// Runs the command line.
  ///
  /// - Parameter words: all of it, the program's name first.
  /// - Returns: the exit status.
  func run(_ words: [String]) throws -> Int32 {
    var command: ShellCommand?
    if case .subcommand(let name, let arguments) = options.program {
      command = try ShellCommand(name, parsing: arguments)
    }
    if options.usesSimulator {
      // A client that goes away must not end the process that embeds the server.
      signal(SIGPIPE, SIG_IGN)
      try startSimulator()
    }
    let host = HPCHost(
      version: Main.version,
      log: { [options] level, line in
        guard level != .info || !options.isQuiet else { return }
        Output.line(level == .info ? line : "hpc: \(line)")
      },
      connect: { [self] (explicit) throws(HPCError) in try connect(explicit) })
    let runner = try ScriptRunner(
      options, commandLine: words, host: host, beforeExit: { [self] in end() })
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
    simulator.withLock { $0 }?.stop()
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
      // Nothing of a real account is read or used.
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
        let configuration = try HPCClient.Configuration(
          settings, fileExists: { unsafe access($0, F_OK) == 0 }, observer: observer)
        let client = HPCClient(configuration, transport: transport)
        made.withLock { $0 = client }
        return client
      },
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

  /// One transport for each connection limit, so that clients of one endpoint share slots.
  private func transport(limit: Int) -> CurlTransport {
    var configuration = CurlTransport.Configuration(
      limit: limit, userAgent: "hpc/\(Main.version)")
    configuration.warn = { Output.line("hpc: warning: \($0)") }
    if options.traces { configuration.trace = { Output.line("trace: \($0)") } }
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
      case .sent, .answered, .failed: break
      case .retrying:
        if traces { Output.line("trace: \(event)") }
      case .clockCorrected, .warning, .submissionAfterCancellation:
        Output.line("hpc: \(event)")
      }
    }
  }
}

/// The process's environment.
enum Environment {
  /// All variables.
  static var variables: [String: String] {
    var result: [String: String] = [:]
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { result[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    return result
  }
}

/// Whole lines to stderr, from any thread; on a terminal what they quote does nothing to it.
enum Output {
  // Asked once: a prompt leads the descriptor elsewhere for a while.
  private static let isTerminal = isatty(STDERR_FILENO) == 1

  /// Called before anything leads stderr elsewhere.
  static func prepare() { _ = isTerminal }

  static func line(_ text: String) {
    let text = isTerminal ? TextTable.printableLines(text) : text
    let bytes = Array((text + "\n").utf8)
    unsafe bytes.withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
