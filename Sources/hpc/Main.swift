import Console
import Glibc

/// The program: reads the command line and wires the layers.
@main
enum Main {
  static let version = "0.1.0"

  static func main() {
    openStandardDescriptors()
    let words = CommandLine.arguments
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

  /// Closed standard descriptors would be given to what is opened next, a socket perhaps, and be read
  /// and written as what they are named: these refuse as closed ones do.
  private static func openStandardDescriptors() {
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Says why on stderr and ends.
  static func stop(_ text: String, status: Int32) -> Never {
    fflush(nil)
    Output.line(text)
    exit(status)
  }
}
