import LuaAPI
import LuaRuntime

/// Jobs that completion knows: every one that an answer of the service has shown to this session,
/// the last 20,000 or so.
final class SeenJobs {
  private let state: LuaState
  /// Names by ids, of late and from before: when there are many, the older half goes.
  private var recent: [String: String] = [:]
  private var older: [String: String] = [:]
  private let most = 10_000

  init(state: LuaState) { self.state = state }

  /// Takes the jobs of a list that the table has made.
  func note(_ list: LuaReference) {
    let keys = [["job_id"], ["job_name"]]
    guard let columns = try? state.textColumns(of: list, keys: keys, limit: most) else { return }
    for (id, name) in zip(columns[0], columns[1]) where !id.isEmpty {
      if !name.isEmpty || recent[id] == nil { recent[id] = name.isEmpty ? older[id] ?? "" : name }
      if recent.count > most { (older, recent) = (recent, [:]) }
    }
  }

  /// Takes the jobs that globals hold: a script may have asked for them before the prompt.
  func noteGlobals(_ values: ValueReader) {
    guard let globals = try? state.globals, let keys = try? state.keys(of: globals, limit: 5000)
    else { return }
    for (key, type) in keys where type == .table {
      guard let value = try? state.rawGet(globals, key), let table = value.asReference else {
        continue
      }
      switch values.className(value) {
      case "Job": if let list = try? state.make(.array([value])) { note(list) }
      case nil, "Job[]":
        if let first = try? state.rawGet(table, 1), values.className(first) == "Job" {
          note(table)
        }
      default: break
      }
    }
  }

  /// All jobs known now.
  var all: [SeenJob] {
    older.merging(recent) { $1 }.map { SeenJob(id: $0.key, name: $0.value) }
  }
}
