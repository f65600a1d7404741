/// What is wrong with a template: every problem with its line, so that one look mends all.
public struct TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
  /// One problem.
  public struct Problem: Sendable, Equatable {
    /// Line from 1.
    public var line: Int
    public var message: String
  }

  /// What the text is called in messages, such as `ising.sh`; may be empty.
  public var source: String
  public var problems: [Problem]

  public init(source: String, problems: [Problem]) {
    self.source = source
    self.problems = problems
  }

  public var description: String {
    problems.map { "\(source.isEmpty ? "line " : source + ":")\($0.line): \($0.message)" }
      .joined(separator: "\n")
  }
}
