import Console
import Glibc

/// The program: reads the command line and wires the layers.
@main
enum Main {
  static let version = "0.1.0"

  static func main() {
    Environment.openStandardFiles()
    let words = Environment.words
    let options: CommandLineOptions
    do {
      options = try CommandLineOptions(parsing: Array(words.dropFirst()))
    } catch {
      stop("hpc: \(error)\n\(CommandLineOptions.usage)", status: ScriptRunner.ExitStatus.usage)
    }
    if options.showsHelp {
      print(CommandLineOptions.usage)
      return
    }
    // A prompt on a terminal greets with it.
    let isGreeted = options.isInteractive && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
    if options.showsVersion, !isGreeted || options.isQuiet {
      print("hpc \(version)  Lua 5.4  https://www.lua.org/manual/5.4/")
    }
    if case .subcommand("sim", let arguments) = options.program {
      exit(SimCommand.run(arguments))
    }
    if let problem = Environment.raiseDescriptorLimit() {
      stop("hpc: \(problem)", status: ScriptRunner.ExitStatus.failure)
    }
    let session = Session(options)
    let status: Int32
    do {
      status = try session.run(words)
    } catch let error as CommandLineOptions.UsageError {
      stop("hpc: \(error)", status: ScriptRunner.ExitStatus.usage)
    } catch {
      stop("hpc: \(error)", status: ScriptRunner.ExitStatus.failure)
    }
    session.end()
    fflush(nil)
    exit(status)
  }

  /// Says why on stderr and ends.
  static func stop(_ text: String, status: Int32) -> Never {
    fflush(nil)
    ErrorOutput.line(text)
    exit(status)
  }
}
