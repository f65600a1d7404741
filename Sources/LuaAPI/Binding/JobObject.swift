import HPCClient
import JSON
import LuaRuntime

/// The Job of Lua: the wire's object as a table, short names computed by its metatable
/// (`lua-api.md`, Jobs).
enum JobObject {
  /// Short names in the order in which `pairs` lists them.
  static let shortNames = [
    "id", "name", "state", "elapsed", "limit", "waited", "accepted", "started", "nodes", "user",
    "group", "queue", "reason", "last_state", "exit_code", "pjm_code", "signal", "observed_at",
    "sweep", "point",
  ]

  /// Which of the wire's fields a short name needs.
  private static let sources: [String: [String]] = [
    "id": ["job_id"], "name": names, "state": terminal, "elapsed": ["elapsed_time"],
    "limit": ["Fugaku:elapsed_limit"], "waited": terminal + ["accept", "start_date"],
    "accepted": ["accept"], "started": ["start_date"], "nodes": ["node_require"],
    "reason": ["Fugaku:reason"], "last_state": ["Fugaku:lst"], "exit_code": terminal,
    "pjm_code": terminal, "signal": terminal, "elapsed_time": ["elapsed_time"],
    "elapsed_limit": ["Fugaku:elapsed_limit"],
    "Fugaku:elapsed_limit": ["Fugaku:elapsed_limit"], "Fugaku:vnode": ["Fugaku:vnode"],
  ]

  /// Of a job that no answer has shown yet its script is known.
  private static let names = ["job_name", "jobfile"]

  /// What an ended job's state is made of.
  private static let terminal = ["status", "Fugaku:ec", "Fugaku:pc", "Fugaku:sn"]

  /// The value of a short name, or of the chosen spelling of a field; nil for others.
  ///
  /// - Parameters:
  ///   - key: what was asked for.
  ///   - job: the table.
  ///   - observedAt: when the table was read, epoch seconds.
  ///   - state: the Lua state.
  /// - Returns: the value, nil where the wire's text does not parse.
  static func value(
    _ key: String, of job: LuaReference, observedAt: Double, in state: LuaState
  ) throws -> LuaValue {
    if key == "observed_at" { return .number(observedAt) }
    // user, group and queue are the wire's own names.
    guard let names = sources[key] else { return .nil }
    var fields: [JSONValue.Member] = []
    for name in names.flatMap({ name in JobRecord.spellings.first { $0.contains(name) } ?? [name] })
    {
      switch try state.rawGet(job, .string(name)) {
      case .bytes(let bytes):
        fields.append(.init(key: name, value: .string(String(decoding: bytes, as: UTF8.self))))
      case .integer(let number): fields.append(.init(key: name, value: .int(Int64(number))))
      default: continue
      }
    }
    let record = JobRecord(fields: fields, observedAt: observedAt)
    func integer(_ number: Int?) -> LuaValue { number.map { .integer($0) } ?? .nil }
    func text(_ text: String?) -> LuaValue { text.map { .string($0) } ?? .nil }
    func seconds(_ time: Double?) -> LuaValue {
      integer(time.flatMap { Int(exactly: $0.rounded(.towardZero)) })
    }
    switch key {
    case "id": return record.id.map { .integer(Int($0.number)) } ?? .nil
    case "name": return text(record.name)
    case "state": return .string(record.state.description)
    case "elapsed": return integer(record.elapsed)
    case "limit": return integer(record.limit)
    case "waited": return seconds(record.waited)
    case "accepted": return seconds(record.accepted)
    case "started": return seconds(record.started)
    case "nodes": return integer(record.nodes)
    case "reason": return text(record.reason)
    case "last_state":
      let last = record.lastState.map {
        JobState(pjm: $0, exitCode: nil, pjmCode: nil, signal: nil)
      }
      guard let last, record.lastState != "-" else { return .nil }
      return .string(last.description)
    case "exit_code": return integer(record.exitCode)
    case "pjm_code": return integer(record.pjmCode)
    case "signal": return integer(record.signal)
    case "elapsed_limit": return text(record["Fugaku:elapsed_limit"])
    default: return text(record[key])
    }
  }

  /// The spelling that is shown for a field of the wire.
  static func spelling(_ name: String) -> String {
    JobRecord.spellings.first { $0.contains(name) }?[0] ?? name
  }

  /// A job of Lua as it was when it was read: its number, name and what its state is made of.
  static func record(
    of job: LuaReference, _ id: JobID, in state: LuaState
  ) throws -> JobRecord {
    let observedAt = try state.metatable(of: job).flatMap {
      try state.rawGet($0, "observed_at").asNumber
    }
    var fields = [JSONValue.Member(key: "job_id", value: .string("\(id)"))]
    for name in terminal + names {
      guard let text = try state.rawGet(job, .string(name)).text else { continue }
      fields.append(.init(key: name, value: .string(text)))
    }
    return JobRecord(fields: fields, observedAt: observedAt ?? 0)
  }

  /// A job as a value to build, from a record.
  static func value(_ record: JobRecord, metatable: LuaReference) -> LuaValue {
    .table(LuaValue.fields(record.fields), metatable: metatable)
  }

  /// What stands in a job's line and in a table of jobs.
  static let columns = ["id", "name", "state", "user", "nodes", "elapsed", "limit", "queue"]
}
