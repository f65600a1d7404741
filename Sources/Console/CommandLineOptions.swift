public import LuaAPI

/// What the command line asks for: stock `lua`'s options, hpc's own, or a subcommand (design §6). What
/// Lua gets of it are bytes, of any encoding.
public struct CommandLineOptions: Sendable, Equatable {
  /// One thing to run before the script, in the order given.
  public enum Step: Sendable, Equatable {
    /// `-e code`
    case execute([UInt8])
    /// `-l module` or `-l global=module`
    case require(global: [UInt8], module: [UInt8])
    /// `-W`
    case warningsOn
  }

  /// What runs after the steps.
  public enum Program: Sendable, Equatable {
    case none
    case file([UInt8])
    /// `-`, or no script and no terminal.
    case standardInput
    /// A subcommand and its words.
    case subcommand(String, [String])
  }

  public var steps: [Step] = []
  public var program = Program.none
  /// What follows the script.
  public var scriptArguments: [[UInt8]] = []
  /// Place of the script within the whole command line, for the negative indices of `arg`.
  public var scriptIndex = 0
  public var isInteractive = false
  public var showsVersion = false
  /// `-E`: LUA_INIT, LUA_PATH and LUA_CPATH are ignored.
  public var ignoresEnvironment = false
  public var showsHelp = false

  public var usesSimulator = false
  public var profile: String?
  public var endpoint: String?
  public var traces = false
  public var isQuiet = false
  public var usesColor = true
  /// What `s:run()` means: `hpc sweep plan FILE.lua`, `hpc sweep step FILE.lua`.
  public var sweepMode = SweepMode.run

  /// A command line that cannot be followed; exit status 2.
  public struct UsageError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    public init(description: String) {
      self.description = description
    }
  }

  /// The subcommands that exist; a script of the same name runs as `./jobs`.
  public static let subcommands: [String] = ["sim", "sweep"] + ShellCommand.commands.keys.sorted()

  public init() {}

  /// Reads a command line.
  ///
  /// - Parameter words: the arguments without the program's own name.
  /// - Throws: a ``UsageError`` that names the word at fault.
  public init(parsing words: [String]) throws(UsageError) {
    try self.init(parsing: words.map { Array($0.utf8) })
  }

  /// Reads a command line of any encoding.
  ///
  /// - Parameter raw: the arguments without the program's own name.
  /// - Throws: a ``UsageError`` that names the word at fault.
  public init(parsing raw: [[UInt8]]) throws(UsageError) {
    let words = raw.map { String(decoding: $0, as: UTF8.self) }
    var index = 0
    options: while index < words.count {
      let word = words[index]
      guard word.hasPrefix("-"), word != "-" else { break }
      if try parseGlobal(word, words, &index) {
        index += 1
        continue
      }
      switch word {
      case "--":
        index += 1
        break options
      case "-i":
        isInteractive = true
        showsVersion = true
      case "-v": showsVersion = true
      case "-E": ignoresEnvironment = true
      case "-W": steps.append(.warningsOn)
      case "-h", "--help": showsHelp = true
      case "--version": showsVersion = true
      default:
        if word.hasPrefix("-e") || word.hasPrefix("-l") {
          try parseShort(word, raw, &index)
        } else {
          throw UsageError(description: "unrecognized option '\(word)'")
        }
      }
      index += 1
    }
    guard index < words.count else { return }
    scriptIndex = index + 1
    scriptArguments = Array(raw[(index + 1)...])
    // Behind `--` any word is a file, `-` too.
    let isPlain = words[..<index].last == "--"
    if words[index] == "-", !isPlain {
      program = .standardInput
    } else if Self.subcommands.contains(words[index]), !isPlain {
      let rest = Array(words[(index + 1)...])
      let kept = try takingOptions(from: rest, of: words[index])
      if words[index] == "sweep", kept.count > 1, let mode = SweepMode(rawValue: rest[kept[0]]),
        !rest[kept[1]].hasPrefix("-")
      {
        sweepMode = mode
        program = .file(scriptArguments[kept[1]])
        scriptIndex = index + 2 + kept[1]
        scriptArguments = kept.dropFirst(2).map { scriptArguments[$0] }
        // It has said that what follows is the script's own.
        let dashes = scriptArguments.firstIndex(of: Array("--".utf8))
        if let dashes { scriptArguments.remove(at: dashes) }
        return
      }
      scriptArguments = []
      program = .subcommand(words[index], kept.map { rest[$0] })
    } else {
      program = .file(raw[index])
    }
  }

  /// Takes the options that stand before a subcommand out of the words behind it, where people
  /// write them too; leaves values of the subcommand's own options alone.
  ///
  /// - Returns: the places of the words that are left.
  private mutating func takingOptions(
    from words: [String], of name: String
  ) throws(UsageError) -> [Int] {
    let own =
      name == "sweep"
      ? SweepCommand.optionsWithValues
      : ShellCommand.commands[name].map { $0.options + $0.lists }
    guard let own else { return Array(words.indices) }
    let withValues = Set(own.map { "--\($0)" })
    var rest: [Int] = []
    var index = 0
    while index < words.count {
      let word = words[index]
      if word == "--" { return rest + (index..<words.count) }
      if withValues.contains(word) {
        rest += words.indices[index...].prefix(2)
        index += 1
      } else if try !parseGlobal(word, words, &index) {
        rest.append(index)
      }
      index += 1
    }
    return rest
  }

  /// Takes an option that may stand before a subcommand or behind it, with its value; false for
  /// other words.
  private mutating func parseGlobal(
    _ word: String, _ words: [String], _ index: inout Int
  ) throws(UsageError) -> Bool {
    switch word {
    case "--sim": usesSimulator = true
    case "--trace": traces = true
    case "--quiet": isQuiet = true
    case "--no-color": usesColor = false
    default: guard try parseValue(word, words, &index) else { return false }
    }
    if usesSimulator, endpoint != nil {
      throw UsageError(description: "--sim brings an endpoint of its own: leave --endpoint out")
    }
    return true
  }

  private mutating func parseValue(
    _ word: String, _ words: [String], _ index: inout Int
  ) throws(UsageError) -> Bool {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard name == "--profile" || name == "--endpoint" else { return false }
    let value: String
    if parts.count == 2 {
      value = String(parts[1])
    } else {
      index += 1
      guard index < words.count else {
        throw UsageError(description: "'\(name)' needs argument")
      }
      value = words[index]
    }
    if name == "--profile" { profile = value } else { endpoint = value }
    return true
  }

  /// `-e code`, `-ecode`, `-l module`, `-lmodule`, `-l global=module`, as stock lua 5.4.4 reads them.
  private mutating func parseShort(_ word: String, _ raw: [[UInt8]], _ index: inout Int)
    throws(UsageError)
  {
    var value = raw[index].dropFirst(2)
    if value.isEmpty {
      index += 1
      guard index < raw.count, raw[index].first != UInt8(ascii: "-") else {
        throw UsageError(description: "'\(word)' needs argument")
      }
      value = raw[index][...]
    }
    if word.hasPrefix("-e") {
      steps.append(.execute(Array(value)))
    } else {
      let parts = value.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      steps.append(.require(global: Array(parts[0]), module: Array(parts[parts.count - 1])))
    }
  }

  /// What a wrong command line is answered with.
  public static let usage = """
    usage: hpc [options] [script.lua [args]]
           hpc [options] jobs|cancel|wait …   the same work from a shell
           hpc [options] push|pull …          files to and from the machine (push --help)
           hpc [options] sweep …              run, plan, step, and steer sweeps (sweep --help)
           hpc sim [--help]                   serve the simulator
      -e code         execute code
      -l module       require a module into a global (-l g=module names the global)
      -i              enter interactive mode after the script
      -v              show version information
      -E              ignore LUA_INIT, LUA_PATH and LUA_CPATH
      -W              turn warnings on
      -               read the program from standard input
      --              stop handling options
      --sim           use an embedded simulator: no account needed
      --profile NAME  settings of that profile
      --endpoint URL  another endpoint
      --trace         show requests on stderr, secrets masked
      --quiet         only warnings and failures on stderr
      --no-color      no colours
    """
}
