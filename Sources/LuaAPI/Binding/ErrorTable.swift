import HPCClient
import LuaRuntime

/// Errors of the client as Lua sees them: tables with `__tostring` and `__concat` (`lua-api.md`,
/// Errors).
struct ErrorTable {
  /// The metatable of all error tables.
  let metatable: LuaReference

  /// The error to raise for one of the client's.
  ///
  /// - Parameters:
  ///   - error: what happened.
  ///   - jobs: builds the candidates of an ambiguous submission.
  /// - Returns: an error whose value is a table.
  func error(_ error: HPCError, jobs: (JobRecord) -> LuaValue) -> LuaError {
    var fields: [(key: LuaValue, value: LuaValue)] = [
      ("code", .string(error.code)), ("message", .string(error.message)),
      ("retryable", .boolean(error.isRetryable)), ("ambiguous", .boolean(error.isAmbiguous)),
      ("attempts", .integer(error.attempts)),
    ]
    func add(_ key: LuaValue, _ text: String?) {
      if let text { fields.append((key, .string(text))) }
    }
    add("hint", error.hint)
    add("operation", error.operation.map { $0.rawValue })
    add("request", error.request)
    add("body", error.body)
    if let status = error.status { fields.append(("status", .integer(status))) }
    if error.isAmbiguous, let submission = error.submission {
      fields.append(("candidates", .array(error.candidates.map(jobs))))
      fields.append(("jobfile", .string(submission.jobfile)))
      fields.append(("sent_at", .number(submission.sentAt)))
      fields.append(("account", .integer(submission.account)))
    }
    return LuaError(
      value: .table(fields, metatable: metatable), message: error.description)
  }

  /// The error to raise for one of the client's, with fields of its own.
  func error(
    _ error: HPCError, adding fields: [(key: LuaValue, value: LuaValue)]
  ) -> LuaError {
    var raised = self.error(error) { _ in .nil }
    if case .table(let known, let metatable) = raised.value {
      raised.value = .table(known + fields, metatable: metatable)
    }
    return raised
  }

  /// An error of our own making, in the same shape.
  func error(code: String, _ message: String, hint: String? = nil) -> LuaError {
    error(HPCError(code: code, message: message, hint: hint)) { _ in .nil }
  }
}
