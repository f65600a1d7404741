public import JSON

/// One job as the service described it at a moment: every field it sent, known or not, and typed
/// views of the known ones (`api.md`, Operations and Quirks).
public struct JobRecord: Sendable, Hashable {
  /// The wire's members in their order.
  public var fields: [JSONValue.Member]
  /// Seconds since 1970, on this machine's clock, when the answer came.
  public var observedAt: Double

  /// Wraps the members of an object.
  public init(fields: [JSONValue.Member], observedAt: Double) {
    self.fields = fields
    self.observedAt = observedAt
  }

  /// Wraps a JSON object; nil for any other value.
  public init?(_ value: JSONValue, observedAt: Double) {
    guard let fields = value.object else { return nil }
    self.init(fields: fields, observedAt: observedAt)
  }

  /// Whether it says which job it is, if in a way that cannot be read.
  var isNumbered: Bool { fields.contains { $0.key == "job_id" && $0.value != .null } }

  /// Spellings that mean the same; the first of each is the one that is shown.
  public static let spellings: [[String]] = [
    ["elapsed_time", "elapse_time"], ["Fugaku:elapsed_limit", "Fugaku:elapse_limit"],
    ["Fugaku:vnode", "Fugaku:vnnode"],
  ]

  /// The text of a field under any of its spellings; numbers are written out, null is nil.
  public subscript(name: String) -> String? {
    let names = Self.spellings.first { $0.contains(name) } ?? [name]
    for name in names {
      switch fields.last(where: { $0.key == name })?.value {
      case .string(let text): return text
      case .int(let number): return String(number)
      case .double(let number): return String(number)
      case .bool(let flag): return String(flag)
      case .null, .array, .object, nil: continue
      }
    }
    return nil
  }
}

// Typed views: nil where the text does not parse; the text itself stays in `fields`.
extension JobRecord {
  /// nil only where the service sent none that can be addressed.
  public var id: JobID? { JobID(self["job_id"] ?? "") }
  /// Cut to ten characters by the service; of a job that no answer has shown yet, its script's.
  public var name: String? {
    self["job_name"] ?? self["jobfile"]?.split(separator: "/").last.map(String.init)
  }
  /// PJM's word, for example `RUN`.
  public var status: String { self["status"] ?? "" }
  public var user: String? { self["user"] }
  public var group: String? { self["group"] }
  public var queue: String? { self["queue"] }
  public var reason: String? { self["Fugaku:reason"] }
  public var lastState: String? { self["Fugaku:lst"] }
  public var priority: Int? { self["priority"].flatMap(PJMText.integer) }
  public var nodes: Int? { self["node_require"].flatMap(PJMText.nodes) }
  /// Seconds that the job has run.
  public var elapsed: Int? { self["elapsed_time"].flatMap(PJMText.seconds) }
  /// Seconds that the job may run.
  public var limit: Int? { self["Fugaku:elapsed_limit"].flatMap(PJMText.seconds) }
  /// Seconds since 1970.
  public var accepted: Double? { self["accept"].flatMap(PJMText.epoch) }
  /// Seconds since 1970.
  public var started: Double? { self["start_date"].flatMap(PJMText.epoch) }

  /// Whether the status is one that a job never leaves.
  public var isTerminal: Bool { JobState.isTerminal(pjm: status) }
  /// The script's exit code, once the job has ended.
  public var exitCode: Int? { terminal("Fugaku:ec") }
  /// PJM's code, once the job has ended.
  public var pjmCode: Int? { terminal("Fugaku:pc") }
  /// The signal that ended the script, once the job has ended; 0 for none.
  public var signal: Int? { terminal("Fugaku:sn") }

  public var state: JobState {
    JobState(pjm: status, exitCode: exitCode, pjmCode: pjmCode, signal: signal)
  }

  /// Seconds in the queue: up to its start, or up to the observation while it has not started.
  public var waited: Double? {
    guard let accepted else { return nil }
    switch state {
    case .queued, .held: return max(0, observedAt - accepted)
    default: return started.map { max(0, $0 - accepted) }
    }
  }

  private func terminal(_ name: String) -> Int? {
    isTerminal ? self[name].flatMap(PJMText.integer) : nil
  }
}

/// A job that was just submitted: its number, and every field of the answer, known or not.
public struct SubmittedJob: Sendable, Hashable {
  public var id: JobID
  /// The wire's members in their order.
  public var fields: [JSONValue.Member]
}
