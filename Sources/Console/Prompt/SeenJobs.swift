import LuaRuntime

/// Jobs that completion knows: those that were printed, and those that globals hold.
final class SeenJobs {
  private let state: LuaState
  private let values: ValueReader
  private var known: [String: String] = [:]
  private let most = 20_000

  init(state: LuaState, values: ValueReader) {
    self.state = state
    self.values = values
  }

  /// Looks for jobs in a value: a Job, or an array of Jobs.
  func note(_ value: LuaValue) {
    guard let reference = value.asReference, reference.type == .table, known.count < most else {
      return
    }
    switch values.className(value) {
    case "Job":
      if let list = try? state.make(.array([value])) { note(list: list) }
    case nil, "Job[]":
      if let first = try? state.rawGet(reference, 1), values.className(first) == "Job" {
        note(list: reference)
      }
    default: break
    }
  }

  private func note(list: LuaReference) {
    let keys = [["job_id"], ["job_name"]]
    guard let columns = try? state.textColumns(of: list, keys: keys, limit: most) else { return }
    for (id, name) in zip(columns[0], columns[1]) where !id.isEmpty {
      if !name.isEmpty || known[id] == nil { known[id] = name }
    }
  }

  /// All jobs known now.
  var all: [SeenJob] {
    if let globals = try? state.globals,
      let keys = try? state.keys(of: globals, limit: 5000)
    {
      for (key, type) in keys where type == .table {
        if let value = try? state.rawGet(globals, key) { note(value) }
      }
    }
    return known.map { SeenJob(id: $0.key, name: $0.value) }
  }
}
