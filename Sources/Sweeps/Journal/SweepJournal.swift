/// The durable memory of one sweep: one SQLite file, one writer (`exactly-once.md`, Journal).
///
/// Rollback journal and `synchronous = EXTRA`, which makes the end of the rollback journal durable
/// too (<https://sqlite.org/pragma.html#pragma_synchronous>): what ``apply(_:)`` returned from survives a crash of
/// the machine. The rules of the protocol that SQL can say are constraints and triggers of the
/// schema, so that a fault elsewhere cannot write what must never be.
///
/// Blocks while the disk works, and is not safe to use from two threads at a time.
public final class SweepJournal {
  /// Where it is.
  public let path: String
  let database: SQLiteDatabase
  /// The right to write, and to which file, of one that is open for that.
  private var lock: JournalLock?
  private var file: (path: String, identity: FileIdentity?)
  /// SQLite's count of what other connections have committed.
  private var foreignCommits: SQLValue?

  /// Opens or makes the journal of a sweep, as its only writer.
  ///
  /// - Parameters:
  ///   - path: the file, such as `ising.sweep`.
  ///   - name: the sweep's name, for a new one.
  ///   - service: where its jobs are; a journal of another one is refused.
  ///   - now: seconds since 1970.
  /// - Throws: ``JournalError``.
  public convenience init(
    path: String, name: String, service: JournalService, now: Int64
  ) throws(JournalError) {
    try self.init(
      path: path, name: name, service: service, now: now, migrations: JournalSchema.migrations)
  }

  convenience init(
    path: String, name: String, service: JournalService, now: Int64, migrations: [String]
  ) throws(JournalError) {
    let file = JournalPlace.resolved(path)
    let lock = try JournalLock(journal: file)
    if JournalPlace.isBlank(file) {
      try JournalPlace.create(file) { (temporary) throws(JournalError) in
        let made = try SweepJournal(file: temporary, path: path, lock: nil, migrations)
        try made.identify(name, service, now)
      }
    }
    try self.init(file: file, path: path, lock: lock, migrations)
    try identify(name, service, now)
    foreignCommits = try checked { () throws(SQLiteFailure) in
      try database.value("PRAGMA data_version")
    }
  }

  private init(
    file: String, path: String, lock: JournalLock?, _ migrations: [String]
  ) throws(JournalError) {
    self.path = path
    self.lock = lock
    do throws(SQLiteFailure) {
      database = try SQLiteDatabase(path: file, readOnly: false)
    } catch {
      throw Self.error(error, path: path)
    }
    self.file = (file, FileIdentity(path: file))
    do throws(SQLiteFailure) {
      // Before anything that writes: a file that is not ours stays as it is.
      try prepare(for: migrations)
    } catch {
      throw Self.error(error, path: path)
    }
    let version = try self.version()
    guard version <= migrations.count else {
      throw .newer(path: path, version: version, known: migrations.count)
    }
    try checkKind(isNew: version == 0)
    if version > 0 { try checkWhole() }
    try migrate(from: version, migrations)
  }

  /// Opens a journal to look at it, also while another process runs it; one that is still being made
  /// counts as missing.
  public init(reading path: String) throws(JournalError) {
    self.path = path
    lock = nil
    file = (path, nil)
    do throws(SQLiteFailure) {
      database = try SQLiteDatabase(path: path, readOnly: true)
    } catch {
      throw error.primary == 14 ? .missing(path: path) : Self.error(error, path: path)
    }
    let version = try self.version()
    try checkKind(isNew: version == 0)
    guard version > 0 else { throw .missing(path: path) }
    guard version <= JournalSchema.migrations.count else {
      throw .newer(path: path, version: version, known: JournalSchema.migrations.count)
    }
    if version < JournalSchema.migrations.count {
      // It is looked at as it is; who runs it brings it up.
      try checked { () throws(SQLiteFailure) in
        try database.execute(JournalSchema.views(of: version))
      }
    }
    guard try service() != nil else { throw .missing(path: path) }
  }

  /// Who runs a journal now; nil where nobody does.
  public static func owner(of path: String) -> JournalOwner? {
    JournalLock.owner(of: JournalPlace.resolved(path))
  }

  // MARK: Opening

  private func prepare(for migrations: [String]) throws(SQLiteFailure) {
    try database.execute(
      """
      PRAGMA foreign_keys = ON;
      PRAGMA synchronous = EXTRA;
      PRAGMA temp_store = MEMORY;
      """)
    // Also rolls back what a crash left half-written.
    _ = try database.value("PRAGMA journal_mode = DELETE")
  }

  private func version() throws(JournalError) -> Int {
    try checked { () throws(SQLiteFailure) in
      try database.value("PRAGMA user_version")?.int ?? 0
    }
  }

  private func checkKind(isNew: Bool) throws(JournalError) {
    let id = try checked { () throws(SQLiteFailure) in
      try database.value("PRAGMA application_id")?.integer
    }
    let tables = try checked { () throws(SQLiteFailure) in
      try database.value("SELECT count(*) FROM sqlite_schema")?.int
    }
    guard isNew ? tables == 0 : id == JournalSchema.applicationID else {
      throw .foreign(path: path)
    }
  }

  private func checkWhole() throws(JournalError) {
    let answer = try checked { () throws(SQLiteFailure) in
      try database.value("PRAGMA quick_check(1)")?.text
    }
    guard answer == "ok" else { throw .corrupt(path: path, reason: answer ?? "no answer") }
    for (gap, reason) in Self.gaps {
      let found = try checked { () throws(SQLiteFailure) in try database.value(gap)?.int ?? 0 }
      guard found == 0 else { throw .corrupt(path: path, reason: reason) }
    }
  }

  /// What only a rescue or another program's hand leaves: rows that others count on are missing.
  private static let gaps = [
    ("SELECT count(*) FROM pragma_foreign_key_check", "rows that others refer to are missing"),
    ("SELECT count(*) <> coalesce(max(point), 0) FROM points", "points are missing"),
    ("SELECT count(*) <> coalesce(max(submission), 0) FROM submissions", "submissions are missing"),
    (
      "SELECT count(*) FROM (SELECT 1 FROM attempts GROUP BY point HAVING count(*) <> max(n))",
      "attempts are missing"
    ),
  ]

  private func migrate(from version: Int, _ migrations: [String]) throws(JournalError) {
    guard version < migrations.count else { return }
    try transaction { () throws(SQLiteFailure) in
      for step in migrations[version...] { try self.database.execute(step) }
      try self.database.execute("PRAGMA application_id = \(JournalSchema.applicationID)")
      try self.database.execute("PRAGMA user_version = \(migrations.count)")
    }
  }

  private func identify(
    _ name: String, _ service: JournalService, _ now: Int64
  ) throws(JournalError) {
    if let own = try self.service() {
      guard own.isSame(as: service) else { throw .otherService(path: path, own, not: service) }
      let isComplete = own.fingerprint != nil && own.bucket != nil
      if isComplete || service.fingerprint == nil && service.bucket == nil { return }
      // Of before these were noted.
      return try transaction { () throws(SQLiteFailure) in
        try self.database.run(
          "UPDATE sweep SET fingerprint = ifnull(fingerprint, ?), bucket = ifnull(bucket, ?)",
          [.init(service.fingerprint), .init(service.bucket)])
      }
    }
    try transaction { () throws(SQLiteFailure) in
      try self.database.run(
        """
        INSERT INTO sweep (id, name, endpoint, account, created, fingerprint, bucket)
        VALUES (1, ?, ?, ?, ?, ?, ?)
        """,
        [
          .text(name), .text(service.endpoint), .text(service.account), .integer(now),
          .init(service.fingerprint), .init(service.bucket),
        ])
    }
  }

  /// The endpoint, the account and the bucket that it belongs to.
  public func service() throws(JournalError) -> JournalService? {
    var service: JournalService?
    try checked { () throws(SQLiteFailure) in
      try database.rows("SELECT endpoint, account, fingerprint, bucket FROM sweep") {
        service = JournalService(
          endpoint: $0[0].text ?? "", account: $0[1].text ?? "", fingerprint: $0[2].text,
          bucket: $0[3].text)
      }
    }
    return service
  }

  // MARK: Errors

  /// Everything in `body` becomes durable together, or nothing.
  func transaction(_ body: () throws(SQLiteFailure) -> Void) throws(JournalError) {
    try database.transaction { () throws(JournalError) in
      try checkAlone()
      try checked(body)
    } failing: {
      Self.error($0, path: path)
    }
  }

  /// Nothing is written to what another process has taken up: its lock file may have been removed,
  /// or locks may not hold on this file system.
  private func checkAlone() throws(JournalError) {
    guard let lock else { return }
    guard FileIdentity(path: file.path) == file.identity else {
      throw .overtaken(path: path, reason: "was moved or removed while it was being run")
    }
    if !lock.isInPlace { self.lock = try JournalLock(journal: file.path) }
    guard let foreignCommits else { return }
    let now = try checked { () throws(SQLiteFailure) in
      try database.value("PRAGMA data_version")
    }
    guard now == foreignCommits else {
      throw .overtaken(path: path, reason: "was written by another process")
    }
  }

  func checked<Value>(_ body: () throws(SQLiteFailure) -> Value) throws(JournalError) -> Value {
    do throws(SQLiteFailure) {
      return try body()
    } catch {
      throw Self.error(error, path: path)
    }
  }

  /// SQLite's result codes (<https://sqlite.org/rescode.html>) in the journal's words.
  private static func error(_ failure: SQLiteFailure, path: String) -> JournalError {
    switch failure.primary {
    case 11: .corrupt(path: path, reason: failure.message)
    case 13: .full(path: path)
    case 14: .cannotOpen(path: path, reason: failure.message)
    case 19: .broken(path: path, rule: failure.message)
    case 26: .foreign(path: path)
    default: .failed(path: path, reason: "\(failure.message) (SQLite \(failure.code))")
    }
  }
}
