/// Why a sweep cannot go on or ended early; `description` says what happened and what to do
/// (`lua-api.md`, Errors).
public struct SweepError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of end it is: decides a program's exit code.
  public enum Code: String, Sendable, Hashable {
    /// Points failed: exit code 1.
    case pointsFailed = "PointsFailed"
    /// The run stopped before every point was settled: exit code 1.
    case stopped = "Stopped"
    /// The user detached or interrupted: 130.
    case detached = "Detached"
    /// An answer of the user is needed: exit code 3.
    case answerNeeded = "AnswerNeeded"
    /// Another process runs the journal: exit code 75.
    case busy = "Busy"
    /// The definition cannot be run: script, inputs, resources, budget.
    case definition = "Definition"
    /// The journal cannot be used.
    case journal = "Journal"
    /// The service or the bucket refused or failed.
    case service = "Service"
    /// An argument that cannot be meant.
    case argument = "Argument"
  }

  public var code: Code
  public var message: String
  public var hint: String?
  /// Of the members of the space, where the run had begun.
  public var counts: [PointState: Int]

  public init(
    _ code: Code, _ message: String, hint: String? = nil, counts: [PointState: Int] = [:]
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.counts = counts
  }

  /// A journal's error under its code.
  public init(_ error: JournalError) {
    switch error {
    case .busy(let path, _):
      let file = path.split(separator: "/").last.map(String.init) ?? path
      // A simulated one is known by its path alone.
      let name = file.hasSuffix(".sim.sweep") ? path : String(file.dropLast(6))
      self.init(
        .busy, error.description,
        hint: "hpc sweep status \(file.hasSuffix(".sweep") ? name : path) shows it")
    case .overtaken: self.init(.busy, error.description)
    default: self.init(.journal, error.description)
    }
  }

  /// Exit code of a program that ends with it (design §6).
  public var exitCode: Int32 {
    switch code {
    case .answerNeeded: 3
    case .busy: 75
    case .detached: 130
    default: 1
    }
  }

  public var description: String { hint.map { "\(message). \($0)" } ?? message }
}

/// How a run or step ended.
public struct SweepReport: Sendable, Hashable {
  /// Nil where every point that it was about is settled and done, or a step did its part.
  public var error: SweepError?
  /// Numbers of the points that this run settled.
  public var newDone: [Int]
  public var newFailed: [Int]
  /// Points without a verdict.
  public var pending: Int
  public var progress: SweepProgress
  /// Done points whose result function raised, of this run or before.
  public var resultErrors = 0
  /// Names of submissions whose ids are not known yet.
  public var unsure: [String]
  /// What the protocol excludes and was seen all the same, for people.
  public var anomalies: [String]

  public init(
    error: SweepError? = nil, newDone: [Int] = [], newFailed: [Int] = [], pending: Int = 0,
    progress: SweepProgress = SweepProgress(), unsure: [String] = [], anomalies: [String] = []
  ) {
    self.error = error
    self.newDone = newDone
    self.newFailed = newFailed
    self.pending = pending
    self.progress = progress
    self.unsure = unsure
    self.anomalies = anomalies
  }
}
