import CSQLite

/// One value of a row.
enum SQLValue: Sendable, Hashable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)

  init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
  init(_ value: Int64?) { self = value.map(SQLValue.integer) ?? .null }
  init(_ value: Double?) { self = value.map(SQLValue.real) ?? .null }
  init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
  init(_ value: Bool) { self = .integer(value ? 1 : 0) }

  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  var int: Int? { integer.flatMap { Int(exactly: $0) } }
  var text: String? { if case .text(let value) = self { value } else { nil } }
  var real: Double? {
    switch self {
    case .real(let value): value
    case .integer(let value): Double(value)
    case .null, .text: nil
    }
  }
}

/// What SQLite said: its extended code and its message.
struct SQLiteFailure: Error {
  var code: Int32
  var message: String

  /// The code without its details.
  var primary: Int32 { code & 0xff }
}

/// A database file: the only owner of its handle and of its statements.
///
/// Not safe to use from two threads at a time.
@safe final class SQLiteDatabase {
  private let handle: OpaquePointer
  private var statements: [String: OpaquePointer] = unsafe [:]

  /// Opens a file; `readOnly` neither makes nor changes it, but for undoing what a killed writer left
  /// half-written: a connection that may not write cannot even read then (SQLITE_READONLY_ROLLBACK).
  /// Where the file system forbids writing SQLite opens it to be read.
  init(path: String, readOnly: Bool) throws(SQLiteFailure) {
    let flags = readOnly ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    var opened: OpaquePointer?
    let code = unsafe sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK, let handle = unsafe opened else {
      let message = unsafe opened.map { handle in unsafe String(cString: sqlite3_errmsg(handle)) }
      unsafe sqlite3_close_v2(opened)
      throw SQLiteFailure(code: code, message: message ?? "out of memory")
    }
    unsafe self.handle = handle
    unsafe sqlite3_extended_result_codes(handle, 1)
    // Readers such as `hpc sweep status` hold it for moments.
    unsafe sqlite3_busy_timeout(handle, 10_000)
    if readOnly { _ = unsafe sqlite3_exec(handle, "PRAGMA query_only = ON", nil, nil, nil) }
  }

  deinit {
    // No `for`: the formatter does not know `for unsafe`.
    _ = unsafe statements.values.map { statement in unsafe sqlite3_finalize(statement) }
    unsafe sqlite3_close_v2(handle)
  }

  /// Runs statements without values, such as a schema.
  func execute(_ sql: String) throws(SQLiteFailure) {
    let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// Runs one statement that gives no rows.
  func run(_ sql: String, _ values: [SQLValue] = []) throws(SQLiteFailure) {
    try rows(sql, values) { _ in }
  }

  /// Runs one statement, and gives each of its rows.
  func rows(
    _ sql: String, _ values: [SQLValue] = [], _ body: ([SQLValue]) -> Void
  ) throws(SQLiteFailure) {
    let statement = try unsafe prepared(sql)
    defer {
      unsafe sqlite3_reset(statement)
      unsafe sqlite3_clear_bindings(statement)
    }
    for (index, value) in values.enumerated() {
      let code = unsafe bind(statement, Int32(index + 1), value)
      guard code == SQLITE_OK else { throw failure(code) }
    }
    let count = unsafe sqlite3_column_count(statement)
    while true {
      let code = unsafe sqlite3_step(statement)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { throw failure(code) }
      body((0..<count).map { unsafe column(statement, $0) })
    }
  }

  /// The first value of the first row, nil without one.
  func value(_ sql: String, _ values: [SQLValue] = []) throws(SQLiteFailure) -> SQLValue? {
    var first: SQLValue?
    try rows(sql, values) { if first == nil { first = $0.first } }
    return first
  }

  /// Everything in `body`, or nothing of it.
  func transaction<Failure: Error>(
    _ body: () throws(Failure) -> Void, failing: (SQLiteFailure) -> Failure
  ) throws(Failure) {
    do {
      try execute("BEGIN IMMEDIATE")
    } catch {
      throw failing(error)
    }
    do {
      try body()
    } catch {
      try? execute("ROLLBACK")
      throw error
    }
    do {
      try execute("COMMIT")
    } catch {
      try? execute("ROLLBACK")
      throw failing(error)
    }
  }

  private func prepared(_ sql: String) throws(SQLiteFailure) -> OpaquePointer {
    if let statement = unsafe statements[sql] { return unsafe statement }
    var made: OpaquePointer?
    let code = unsafe sqlite3_prepare_v2(handle, sql, -1, &made, nil)
    guard code == SQLITE_OK, let statement = unsafe made else { throw failure(code) }
    unsafe statements[sql] = statement
    return unsafe statement
  }

  private func bind(_ statement: OpaquePointer, _ index: Int32, _ value: SQLValue) -> Int32 {
    switch value {
    case .null: unsafe sqlite3_bind_null(statement, index)
    case .integer(let value): unsafe sqlite3_bind_int64(statement, index, value)
    case .real(let value): unsafe sqlite3_bind_double(statement, index, value)
    case .text(let value): unsafe bind(statement, index, value)
    }
  }

  private func bind(_ statement: OpaquePointer, _ index: Int32, _ text: String) -> Int32 {
    // -1 is SQLITE_TRANSIENT: SQLite keeps its own copy.
    let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    return unsafe sqlite3_bind_text(statement, index, text, Int32(text.utf8.count), transient)
  }

  private func column(_ statement: OpaquePointer, _ index: Int32) -> SQLValue {
    switch unsafe sqlite3_column_type(statement, index) {
    case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(statement, index))
    case SQLITE_FLOAT: return .real(unsafe sqlite3_column_double(statement, index))
    case SQLITE_NULL: return .null
    default:
      guard let bytes = unsafe sqlite3_column_text(statement, index) else { return .null }
      let count = Int(unsafe sqlite3_column_bytes(statement, index))
      return .text(
        unsafe String(
          decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self))
    }
  }

  private func failure(_ code: Int32) -> SQLiteFailure {
    SQLiteFailure(
      code: unsafe sqlite3_extended_errcode(handle) == SQLITE_OK
        ? code : unsafe sqlite3_extended_errcode(handle),
      message: unsafe String(cString: sqlite3_errmsg(handle)))
  }
}
