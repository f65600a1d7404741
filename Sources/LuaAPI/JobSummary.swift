import HPCClient
import JSON
public import LuaRuntime

/// What a live view shows of a job.
public struct JobSummary: Sendable, Equatable {
  public var id: Int
  public var name: String
  /// In the words of `job.state`.
  public var state: String
  public var nodes: Int?
  /// Seconds.
  public var elapsed: Int?
  /// Seconds.
  public var limit: Int?
  /// PJM's reason for the state; nil where it gives none.
  public var reason: String?
  /// When it started or is planned to, epoch seconds.
  public var started: Double?

  public init(
    id: Int, name: String, state: String, nodes: Int? = nil, elapsed: Int? = nil,
    limit: Int? = nil, reason: String? = nil, started: Double? = nil
  ) {
    self.id = id
    self.name = name
    self.state = state
    self.nodes = nodes
    self.elapsed = elapsed
    self.limit = limit
    self.reason = reason
    self.started = started
  }

  private static let fields = [
    "job_id", "job_name", "status", "Fugaku:ec", "Fugaku:pc", "Fugaku:sn", "node_require",
    "elapsed_time", "elapse_time", "Fugaku:elapsed_limit", "Fugaku:elapse_limit", "Fugaku:reason",
    "start_date",
  ]

  /// Reads an array of Jobs by raw access; what has no id is left out.
  public static func read(_ list: LuaReference, in state: LuaState) throws -> [JobSummary] {
    var jobs: [JobSummary] = []
    try state.forEachRow(of: list, keys: fields) { row in
      var members: [JSONValue.Member] = []
      for (key, value) in zip(fields, row) {
        if let text = value.text {
          members.append(.init(key: key, value: .string(text)))
        } else if let number = value.asInteger {
          members.append(.init(key: key, value: .int(Int64(number))))
        }
      }
      let record = JobRecord(fields: members, observedAt: 0)
      guard let id = record.id else { return }
      jobs.append(
        JobSummary(
          id: Int(id.number), name: record.name ?? "", state: record.state.description,
          nodes: record.nodes, elapsed: record.elapsed, limit: record.limit,
          reason: record.reason.flatMap { $0 == "-" || $0.isEmpty ? nil : $0 },
          started: record.started))
    }
    return jobs
  }
}
