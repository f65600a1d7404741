import LuaRuntime

/// A subcommand that works through the `hpc` table: `hpc jobs|cancel|wait` (design §6).
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

  /// Those that exist, with their own options.
  static let commands: [String: (usage: String, options: [String], needsWords: Bool)] = [
    "jobs": ("hpc jobs [--state STATE] [--name GLOB] [--json|--csv]", ["state", "name"], false),
    "cancel": ("hpc cancel ID … [--json|--csv]", [], true),
    "wait": (
      "hpc wait ID … [--timeout SECONDS] [--interval SECONDS] [--json|--csv]",
      ["timeout", "interval"], true
    ),
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
      case "--json": format = .json
      case "--csv": format = .csv
      case _ where word.hasPrefix("--"):
        let parts = word.dropFirst(2).split(
          separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let option = String(parts[0])
        guard known.options.contains(option) else { throw fail("unrecognized option '\(word)'") }
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
          throw fail("'--\(option)' needs argument")
        }
        values[option] = value
      default: words.append(word)
      }
    }
    if known.needsWords, words.isEmpty { throw fail("no job id given") }
    if !known.needsWords, let word = words.first { throw fail("unexpected '\(word)'") }
    for option in ["timeout", "interval"] where values[option].map({ Double($0) == nil }) == true {
      throw fail("'--\(option)' needs a number of seconds, got '\(values[option] ?? "")'")
    }
    if known.needsWords,
      let word = words.first(where: { Int64($0).map { $0 > 0 } != true })
    {
      throw fail("a job has a positive integer for its id, got '\(word)'")
    }
  }

  /// What shell.lua is called with.
  func arguments() -> [LuaValue] {
    var options: [(key: LuaValue, value: LuaValue)] = [("format", .string(format.rawValue))]
    for (name, text) in values.sorted(by: { $0.key < $1.key }) {
      let isTime = name == "timeout" || name == "interval"
      options.append((.string(name), isTime ? .number(Double(text) ?? 0) : .string(text)))
    }
    return [
      .string(name), .array(words.map { .integer(Int($0) ?? 0) }), .table(options),
    ]
  }
}
