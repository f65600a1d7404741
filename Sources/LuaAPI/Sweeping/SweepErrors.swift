import HPCClient
import LuaRuntime
import Sweeps

extension ErrorTable {
  /// The error of a sweep, to raise or to answer.
  ///
  /// - Parameters:
  ///   - error: what happened.
  ///   - row: the row that it is about.
  ///   - status: exit status of a program that ends with it.
  func error(_ error: SweepError, row: LuaValue = .nil, status: Int32? = nil) -> LuaError {
    let counts = error.counts.sorted { $0.key.rawValue < $1.key.rawValue }
    return self.error(
      code: error.code.rawValue, error.message, hint: error.hint,
      fields: [
        (
          "counts",
          error.counts.isEmpty
            ? .nil : .table(counts.map { (.string($0.key.rawValue), .integer($0.value)) })
        ),
        ("row", row), ("exit_status", .integer(Int(status ?? error.exitCode))),
      ])
  }

  /// An error of our own making with further fields; nil ones are left out.
  func error(
    code: String, _ message: String, hint: String? = nil,
    fields: [(key: LuaValue, value: LuaValue)]
  ) -> LuaError {
    var made = error(code: code, message, hint: hint)
    if case .table(let known, let metatable) = made.value {
      made.value = .table(known + fields.filter { !$0.value.isNil }, metatable: metatable)
    }
    return made
  }
}
