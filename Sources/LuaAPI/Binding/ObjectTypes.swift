import HPCClient
import LuaRuntime

/// Tells the objects of the table apart: job data are plain tables whose metatable has a name.
struct ObjectTypes {
  /// `Job`, `Sync`, `Task`, …; nil for plain values.
  func name(of value: LuaValue, in state: LuaState) throws -> String? {
    guard let reference = value.asReference, let metatable = try state.metatable(of: reference)
    else { return nil }
    return try state.rawGet(metatable, "__name").text
  }

  /// Whether a value stands for one job and not for several: an id, a Job, a table with an id of its
  /// own.
  func isOneJob(_ value: LuaValue, in state: LuaState) throws -> Bool {
    guard value.asReference != nil else { return true }
    return try name(of: value, in: state) == "Job" || number(of: value, in: state) != nil
  }

  /// The number that names a job or a sync: an integer, digits, or the object's own.
  func number(of value: LuaValue, in state: LuaState) throws -> Int64? {
    switch value {
    case .integer(let number): return number > 0 ? Int64(number) : nil
    case .number: return value.asInteger.flatMap { $0 > 0 ? Int64($0) : nil }
    case .bytes: return value.text.flatMap { JobID($0)?.number }
    case .reference(let table) where table.type == .table:
      for key in ["job_id", "requestid", "id"] as [LuaValue] {
        let value = try state.rawGet(table, key)
        // The service may count syncs from 0.
        if key.text == "requestid", value.asInteger == 0 { return 0 }
        if value.asReference == nil, let number = try number(of: value, in: state) {
          return number
        }
      }
      return nil
    default: return nil
    }
  }
}
