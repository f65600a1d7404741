/// One attempt at one point, by the numbers that one journal gives.
public struct AttemptID: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The point's number, from 1.
  public var point: Int
  /// The attempt's number, from 1.
  public var number: Int

  public init(point: Int, number: Int) {
    self.point = point
    self.number = number
  }

  /// `41.2`
  public var description: String { "\(point).\(number)" }

  public static func < (a: AttemptID, b: AttemptID) -> Bool {
    (a.point, a.number) < (b.point, b.number)
  }
}

/// The name A of an attempt: what the lock of the protocol stands for, the same for every journal
/// that would run the same program.
///
/// Copies of a journal give the same numbers to points that each of them has got by itself. The tag
/// keeps those apart: a digest of what the point is and runs (``SweepBlueprint``).
public struct AttemptName: Sendable, Hashable, Comparable, CustomStringConvertible {
  public var id: AttemptID
  /// Lower-case hexadecimal digits; empty for attempts of journals of before there were tags.
  public var tag: String

  public init(_ id: AttemptID, tag: String = "") {
    self.id = id
    self.tag = tag
  }

  /// Reads `41.2-0a1b2c3d4e5f`, and `41.2`.
  public init?(_ text: some StringProtocol) {
    let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = halves[0].split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let point = Int(parts[0]), let number = Int(parts[1]), point > 0,
      number > 0
    else { return nil }
    self.init(
      AttemptID(point: point, number: number), tag: halves.count == 2 ? String(halves[1]) : "")
    let isTag = tag.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    guard isTag, description == text else { return nil }
  }

  /// `41.2-0a1b2c3d4e5f`: the name of its lock, of its records and of its folders.
  public var description: String { tag.isEmpty ? "\(id)" : "\(id)-\(tag)" }

  public static func < (a: AttemptName, b: AttemptName) -> Bool { (a.id, a.tag) < (b.id, b.tag) }
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
  public var attempt: AttemptName
  public var execution: ExecutionID

  public init(attempt: AttemptName, execution: ExecutionID) {
    self.attempt = attempt
    self.execution = execution
  }

  /// Reads `41.2-0a1b2c3d4e5f.6291500.4711.1700000000`.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let attempt = AttemptName("\(parts[0]).\(parts[1])"),
      let execution = ExecutionID(parts[2])
    else { return nil }
    self.init(attempt: attempt, execution: execution)
  }

  public var description: String { "\(attempt).\(execution)" }
}
