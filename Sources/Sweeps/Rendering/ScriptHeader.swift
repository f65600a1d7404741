/// What to tell a user about a script.
public struct ScriptNote: Sendable, Hashable, CustomStringConvertible {
  public enum Severity: Sendable, Hashable {
    /// The job cannot do what its author means.
    case error
    /// What its author wrote has no effect.
    case warning
    /// Worth a look.
    case notice
  }

  /// Line from 1; 0 where it is about no line.
  public var line: Int
  public var severity: Severity
  public var message: String

  public init(line: Int, severity: Severity, message: String) {
    self.line = line
    self.severity = severity
    self.message = message
  }

  public var description: String { line == 0 ? message : "line \(line): \(message)" }

  /// With the place in the script of a name: `ising.sh:7: …`.
  public func description(in source: String) -> String {
    line == 0 || source.isEmpty ? description : "\(source):\(line): \(message)"
  }
}

/// The head of a script: everything before its first command, where `pjsub` reads directives.
struct ScriptHeader {
  /// A directive: its line from 1, and its text after `#PJM`.
  struct Directive: Hashable {
    var number: Int
    var text: String
  }

  /// The text after `#!` of the first line.
  private(set) var interpreter: String?
  /// In column 0 and before the first command.
  private(set) var directives: [Directive] = []
  /// Lines that look like directives or `#!` and are none.
  private(set) var misplaced: [ScriptNote] = []
  /// How many lines stand before the first command.
  private(set) var lineCount = 0

  init(_ script: String) {
    var isHead = true
    var number = 0
    for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      defer { if isHead { lineCount = number } }
      let bare = line.drop { $0 == " " || $0 == "\t" || $0 == "\u{feff}" }
      if number == 1, line.hasPrefix("#!") {
        interpreter = String(line.dropFirst(2))
      } else if bare.hasPrefix("#!"), number <= 3, interpreter == nil, isHead {
        note(number, "#! counts only in column 0 of the first line")
      } else if Self.isDirective(line) {
        if isHead {
          directives.append(Directive(number: number, text: String(line.dropFirst(4))))
        } else {
          note(number, "#PJM after the first command has no effect: it must stand above that")
        }
      } else if isHead, Self.looksLikeDirective(bare) {
        note(number, "this #PJM has no effect: it must stand in column 0, in capitals")
      } else if !bare.isEmpty, !bare.hasPrefix("#"), bare != "\r" {
        isHead = false
      }
    }
  }

  private mutating func note(_ line: Int, _ message: String) {
    misplaced.append(ScriptNote(line: line, severity: .warning, message: message))
  }

  /// The lines of a script before its first command, where directives can stand.
  static func text(of script: String) -> String {
    script.split(separator: "\n", omittingEmptySubsequences: false)
      .prefix(ScriptHeader(script).lineCount).joined(separator: "\n")
  }

  private static func isDirective(_ line: Substring) -> Bool {
    guard line.hasPrefix("#PJM") else { return false }
    let next = line.dropFirst(4).first
    return next == nil || next == " " || next == "\t" || next == "\r"
  }

  private static func looksLikeDirective(_ bare: Substring) -> Bool {
    guard bare.first == "#" else { return false }
    let words = bare.dropFirst().lowercased().split(separator: " ", omittingEmptySubsequences: true)
    return words.count >= 2 && words[0] == "pjm" && words[1].hasPrefix("-")
  }
}
