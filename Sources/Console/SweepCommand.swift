import LuaAPI
import LuaRuntime

/// `hpc sweep list|status|results|logs|retry|cancel NAME`: steering from the journal alone
/// (design §6). `plan` and `step` run the sweep's Lua file instead.
public struct SweepCommand: Sendable, Equatable {
  public var name: String
  public var words: [String] = []
  public var format = ShellCommand.Format.table
  /// Options by their names in Lua.
  public var values: [String: String] = [:]
  public var flags: Set<String> = []

  private struct Form {
    var usage: String
    var options: [String] = []
    var flags: [String] = []
    var words: ClosedRange<Int>
  }

  private static let forms: [(name: String, form: Form)] = [
    ("list", Form(usage: "list", words: 0...0)),
    ("status", Form(usage: "status NAME", words: 1...1)),
    (
      "results",
      Form(
        usage: "results NAME [--state STATE] [--all]", options: ["state"], flags: ["all"],
        words: 1...1)
    ),
    ("logs", Form(usage: "logs NAME [POINT]", words: 1...2)),
    (
      "retry",
      Form(
        usage: "retry NAME [--cause CAUSE] [--points 3,7] [--elapse 2h] [--node N]",
        options: ["cause", "points", "elapse", "node", "rscgrp", "group"], words: 1...1)
    ),
    (
      "cancel",
      Form(usage: "cancel NAME [--points 3,7]", options: ["points"], words: 1...1)
    ),
  ]

  /// Every option that takes a value, of any command.
  static var optionsWithValues: [String] { forms.flatMap(\.form.options) }

  /// What `hpc sweep --help` shows.
  public static let usage = """
    usage: hpc sweep plan FILE.lua [args]   what running the file would mean; no network
           hpc sweep run FILE.lua [args]    the same as hpc FILE.lua
           hpc sweep step FILE.lua [args]   settles, collects, submits what fits, ends: for cron
           hpc sweep list                   the sweeps of this computer
           hpc sweep status NAME            counts, failures by cause, who runs it
           hpc sweep results NAME [--state STATE] [--all]
           hpc sweep logs NAME [POINT]      stdout and stderr; without a point the first failed one,
                                            else one that has run
           hpc sweep retry NAME [--cause CAUSE] [--points 3,7] [--elapse 2h] [--node N]
           hpc sweep cancel NAME [--points 3,7]
      --json, --csv   instead of a table
    NAME is the sweep's name, or the path of its journal.
    """

  /// Reads the words after `sweep`.
  ///
  /// - Throws: a usage error that names the word at fault.
  public init(parsing arguments: [String]) throws(CommandLineOptions.UsageError) {
    var rest = arguments[...]
    func fail(_ text: String) -> CommandLineOptions.UsageError {
      CommandLineOptions.UsageError(description: "\(text)\n\(Self.usage)")
    }
    guard let name = rest.popFirst() else { throw fail("which command of sweep?") }
    guard let form = Self.forms.first(where: { $0.name == name })?.form else {
      if SweepMode(rawValue: name) != nil { throw fail("'sweep \(name)' needs a Lua file") }
      throw fail("unknown command 'sweep \(name)'")
    }
    self.name = name
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else {
        words.append(word)
        continue
      }
      let parts = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let option = String(parts[0])
      if option == "json" || option == "csv" {
        format = option == "json" ? .json : .csv
      } else if form.flags.contains(option) {
        flags.insert(option)
      } else if form.options.contains(option) {
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
          throw fail("'--\(option)' needs argument")
        }
        if option == "state", let problem = StateWords.ofPoints.problem(with: value) {
          throw fail("'--state' \(problem)")
        }
        values[option] = value
      } else {
        throw fail("unrecognized option '\(word)'")
      }
    }
    guard form.words.contains(words.count) else {
      throw fail(
        words.count < form.words.lowerBound
          ? "'sweep \(name)' needs a name" : "unexpected '\(words[form.words.upperBound])'")
    }
  }

  /// What sweep-shell.lua is called with.
  func arguments() -> [LuaValue] {
    var options: [(key: LuaValue, value: LuaValue)] = [("format", .string(format.rawValue))]
    for (name, text) in values.sorted(by: { $0.key < $1.key }) {
      options.append((.string(name), .string(text)))
    }
    for flag in flags.sorted() { options.append((.string(flag), true)) }
    return [.string(name), .array(words.map { .string($0) }), .table(options)]
  }
}
