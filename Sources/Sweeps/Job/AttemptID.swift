/// One attempt at one point: what the lock of the protocol stands for.
public struct AttemptID: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The point's number, from 1.
  public var point: Int
  /// The attempt's number, from 1.
  public var number: Int

  public init(point: Int, number: Int) {
    self.point = point
    self.number = number
  }

  /// Reads `41.2`.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let point = Int(parts[0]), let number = Int(parts[1]), point > 0,
      number > 0, "\(point).\(number)" == text
    else { return nil }
    self.init(point: point, number: number)
  }

  /// `41.2`: the name of its lock and of its folders.
  public var description: String { "\(point).\(number)" }

  public static func < (a: AttemptID, b: AttemptID) -> Bool {
    (a.point, a.number) < (b.point, b.number)
  }
}

/// One run of a submission's script: `jobid.pid.time`. The scheduler may start one job twice.
public struct ExecutionID: Sendable, Hashable, Comparable, CustomStringConvertible {
  public var description: String

  /// Reads `6291500.4711.1700000000`.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ Int64($0) != nil }) else { return nil }
    description = String(text)
  }

  /// The id of the job that ran the script.
  public var job: Int64? { description.split(separator: ".").first.flatMap { Int64($0) } }

  public static func < (a: ExecutionID, b: ExecutionID) -> Bool { a.description < b.description }
}

/// The name `A.E` of a record: an attempt and an execution.
public struct RecordName: Sendable, Hashable, CustomStringConvertible {
  public var attempt: AttemptID
  public var execution: ExecutionID

  public init(attempt: AttemptID, execution: ExecutionID) {
    self.attempt = attempt
    self.execution = execution
  }

  /// Reads `41.2.6291500.4711.1700000000`.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let attempt = AttemptID("\(parts[0]).\(parts[1])"),
      let execution = ExecutionID(parts[2])
    else { return nil }
    self.init(attempt: attempt, execution: execution)
  }

  public var description: String { "\(attempt).\(execution)" }
}
