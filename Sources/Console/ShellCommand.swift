import LuaAPI
import LuaRuntime

/// A subcommand that works through the `hpc` table: `hpc jobs|cancel|wait|push|pull` (design §6).
public struct ShellCommand: Sendable, Equatable {
  /// What is printed.
  public enum Format: String, Sendable {
    case table, json, csv
  }

  public var name: String
  public var words: [String] = []
  public var format = Format.table
  /// Options with values, by their names in Lua.
  public var values: [String: String] = [:]
  /// Options that may be given several times.
  public var lists: [String: [String]] = [:]
  public var flags: Set<String> = []

  /// What a subcommand takes.
  struct Form {
    var usage: String
    var options: [String] = []
    var lists: [String] = []
    var flags: [String] = []
    /// How many words, and what is said where there are none.
    var words: ClosedRange<Int>
    var missing = ""
    var takesIDs = false
  }

  /// Those that exist, with their own options.
  static let commands: [String: Form] = [
    "jobs": Form(
      usage: "hpc jobs [--state STATE] [--name GLOB] [--json|--csv]", options: ["state", "name"],
      words: 0...0),
    "cancel": Form(
      usage: "hpc cancel ID … [--json|--csv]", words: 1...Int.max, missing: "no job id given",
      takesIDs: true),
    "wait": Form(
      usage: "hpc wait ID … [--timeout SECONDS] [--interval SECONDS] [--json|--csv]",
      options: ["timeout", "interval"], words: 1...Int.max, missing: "no job id given",
      takesIDs: true),
    "push": Form(
      usage: """
        hpc push LOCAL [REMOTE] [--only GLOB]… [--force] [--json|--csv]
          LOCAL   file or folder here
          REMOTE  relative to your home on the machine; DIR/ puts a file into DIR
        """, lists: ["only"], flags: ["force"], words: 1...2,
      missing: "nothing to push given"),
    "pull": Form(
      usage: """
        hpc pull REMOTE [LOCAL] [--only GLOB]… [--json|--csv]
          REMOTE  file or folder, relative to your home on the machine
          LOCAL   where it goes here; made where it is missing
        """, lists: ["only"], words: 1...2,
      missing: "nothing to pull given"),
  ]

  /// Reads the words after a subcommand.
  ///
  /// - Parameters:
  ///   - name: the subcommand.
  ///   - arguments: what follows it.
  /// - Throws: a usage error that names the word at fault.
  public init(_ name: String, parsing arguments: [String]) throws(CommandLineOptions.UsageError) {
    guard let known = Self.commands[name] else {
      throw CommandLineOptions.UsageError(description: "unknown subcommand '\(name)'")
    }
    func fail(_ text: String) -> CommandLineOptions.UsageError {
      CommandLineOptions.UsageError(description: "\(text)\nusage: \(known.usage)")
    }
    self.name = name
    var rest = arguments[...]
    while let word = rest.popFirst() {
      switch word {
      case "--json", "--csv":
        let asked: Format = word == "--json" ? .json : .csv
        guard format == .table || format == asked else {
          throw fail("--json and --csv exclude each other")
        }
        format = asked
      case "--":
        words += rest
        rest = []
      case _ where word.hasPrefix("--"):
        let parts = word.dropFirst(2).split(
          separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let option = String(parts[0])
        if known.flags.contains(option), parts.count == 1 {
          flags.insert(option)
          continue
        }
        guard known.options.contains(option) || known.lists.contains(option) else {
          throw fail("unrecognized option '\(word)'")
        }
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
          throw fail("'--\(option)' needs argument")
        }
        if known.lists.contains(option) {
          lists[option, default: []].append(value)
        } else {
          values[option] = value
        }
      default: words.append(word)
      }
    }
    if words.count < known.words.lowerBound { throw fail(known.missing) }
    if words.count > known.words.upperBound {
      throw fail("unexpected '\(words[known.words.upperBound])'")
    }
    if let state = values["state"], let problem = StateWords.ofJobs.problem(with: state) {
      throw fail("'--state' \(problem)")
    }
    for option in ["timeout", "interval"] {
      guard let text = values[option] else { continue }
      guard let seconds = Double(text), seconds >= 0, seconds.isFinite else {
        throw fail("'--\(option)' needs a number of seconds, 0 or more, got '\(text)'")
      }
    }
    if known.takesIDs,
      let word = words.first(where: { Int64($0).map { $0 > 0 } != true })
    {
      throw fail("a job has a positive integer for its id, got '\(word)'")
    }
  }

  /// The help of a subcommand, where its words ask for it.
  public static func help(_ name: String, _ arguments: [String]) -> String? {
    guard arguments.first == "--help" || arguments.first == "-h", let form = commands[name] else {
      return nil
    }
    return "usage: \(form.usage)"
  }

  /// What shell.lua is called with.
  func arguments() -> [LuaValue] {
    var options: [(key: LuaValue, value: LuaValue)] = [("format", .string(format.rawValue))]
    for (name, text) in values.sorted(by: { $0.key < $1.key }) {
      let isTime = name == "timeout" || name == "interval"
      options.append((.string(name), isTime ? .number(Double(text) ?? 0) : .string(text)))
    }
    for (name, texts) in lists.sorted(by: { $0.key < $1.key }) {
      options.append((.string(name), .array(texts.map { .string($0) })))
    }
    for flag in flags.sorted() { options.append((.string(flag), true)) }
    let takesIDs = Self.commands[name]?.takesIDs == true
    return [
      .string(name), .array(words.map { takesIDs ? .integer(Int($0) ?? 0) : .string($0) }),
      .table(options),
    ]
  }
}
