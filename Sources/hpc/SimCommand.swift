import Console
// Owns sigset_t, as the first module that includes it.
import CDispatch
import Glibc
import Simulator

/// `hpc sim`: serves the simulator until SIGTERM or SIGINT.
enum SimCommand {
  static let usage = """
    usage: hpc sim [options]
      --home DIR         where jobs run and keys are kept (default: a throwaway folder)
      --port N           port of the API (default: any)
      --storage-port N   port of the bucket (default: any)
      --listen ADDRESS   address to listen on (default 127.0.0.1)
      --speed X          how many times faster the machine's clock runs (default 1)
      --nodes N          size of the machine (default 384)
      --queue-limit N    most jobs accepted at a time (default 100)
      --bucket NAME      name of the bucket (default hpc)
      --storage-prefix P what keys begin with before a path in home (default: nothing)
      --dialect WHICH    documented or upstream
      --faults FILE      plan of what goes wrong, JSON (docs/simulator.md)
    """

  /// Runs the subcommand.
  ///
  /// - Parameter words: what follows `sim`.
  /// - Returns: the exit status.
  static func run(_ words: [String]) -> Int32 {
    var configuration = Simulator.Configuration()
    configuration.hostEnvironment = Environment.variables
    do {
      if words.contains("--help") || words.contains("-h") {
        print(usage)
        return 0
      }
      try apply(words, to: &configuration)
    } catch let error as FaultPlan.Invalid {
      ErrorOutput.line("hpc sim: \(error)")
      return ScriptRunner.ExitStatus.usage
    } catch {
      ErrorOutput.line("hpc sim: \(error)\n\(usage)")
      return ScriptRunner.ExitStatus.usage
    }
    configuration.log = { ErrorOutput.line("hpc sim: \($0)") }
    signal(SIGPIPE) { _ in }
    // Blocked before any thread starts, so that only sigwait below sees them.
    var signals = sigset_t()
    _ = unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    let simulator: Simulator
    do {
      simulator = try Simulator.start(configuration)
    } catch {
      if case .setting(let option, let why) = error {
        ErrorOutput.line("hpc sim: --\(option): \(why)")
      } else {
        ErrorOutput.line("hpc sim: \(error)")
      }
      return ScriptRunner.ExitStatus.failure
    }
    print(simulator.readyLine())
    if isatty(STDOUT_FILENO) != 0 {
      let prefix =
        simulator.storagePrefix.isEmpty
        ? "" : "\n  export HPC_STORAGE_PREFIX=\(quoted(simulator.storagePrefix))"
      print(
        """
        In another terminal:
          export HPC_ENDPOINT=\(simulator.endpoint)
          export HPC_STORAGE_ENDPOINT=\(simulator.storageEndpoint) HPC_BUCKET=\(simulator.bucket)\(prefix)
          export HPC_CLOCK_RATE=\(simulator.speed)
          export NIFCLOUD_ACCESS_KEY_ID=\(simulator.accessKeyID)
          export NIFCLOUD_SECRET_ACCESS_KEY=\(simulator.secretAccessKey)
          hpc -e 'hpc.show(hpc.jobs.list())'
        Jobs run in \(simulator.home). Ctrl-C ends it.
        """)
    }
    fflush(nil)
    var number: Int32 = 0
    unsafe sigwait(&signals, &number)
    simulator.stop()
    return 0
  }

  /// As one word of a shell.
  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
      + "'"
  }

  /// A wrong word.
  private struct Mistake: Error, CustomStringConvertible {
    let description: String
  }

  private static func apply(_ words: [String], to configuration: inout Simulator.Configuration)
    throws
  {
    var rest = words[...]
    while let word = rest.popFirst() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard name.hasPrefix("--") else { throw Mistake(description: "unexpected '\(word)'") }
      // Each is at the beginning of a line of the usage.
      guard usage.contains("\n  \(name) ") else {
        throw Mistake(description: "unknown option '\(name)'")
      }
      guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
        throw Mistake(description: "'\(name)' needs a value")
      }
      func number<N: LosslessStringConvertible>(_ type: N.Type) throws -> N {
        guard let number = N(value) else {
          throw Mistake(description: "'\(name)' needs a number, got '\(value)'")
        }
        return number
      }
      switch name {
      case "--home": configuration.home = value
      case "--port": configuration.port = try number(Int.self)
      case "--storage-port": configuration.storagePort = try number(Int.self)
      case "--listen": configuration.address = value
      case "--speed": configuration.speed = try number(Double.self)
      case "--nodes": configuration.nodes = try number(Int.self)
      case "--queue-limit": configuration.queueLimit = try number(Int.self)
      case "--bucket": configuration.bucket = value
      case "--storage-prefix": configuration.storagePrefix = value
      case "--faults": configuration.faults = try FaultPlan(file: value)
      case "--dialect":
        guard let dialect = Simulator.Dialect(rawValue: value) else {
          throw Mistake(description: "'--dialect' is documented or upstream, got '\(value)'")
        }
        configuration.dialect = dialect
      default: throw Mistake(description: "unknown option '\(name)'")
      }
    }
  }
}
