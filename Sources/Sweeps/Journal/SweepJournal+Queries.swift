extension SweepJournal {
  /// What a plan must know of a point.
  struct PlanEntry: Sendable {
    var number: Int
    var state: PointState
    var definition: String?
    /// What a retry said, as ``Resources/json``.
    var resources: String?
    /// The attempt that would come next, from 1.
    var nextAttempt: Int
  }

  /// Each point by its key.
  func eachPoint(_ body: (String, PlanEntry) -> Void) throws(JournalError) {
    try checked { () throws(SQLiteFailure) in
      try database.rows(
        """
        SELECT p.key, p.point, t.state, p.definition, p.resources,
          (SELECT count(*) FROM attempts WHERE point = p.point AND phase = 'closed')
        FROM points p JOIN states t USING (point)
        """
      ) {
        body(
          $0[0].text ?? "",
          PlanEntry(
            number: $0[1].int ?? 0, state: $0[2].text.flatMap(PointState.init) ?? .unknown,
            definition: $0[3].text, resources: $0[4].text, nextAttempt: ($0[5].int ?? 0) + 1))
      }
    }
  }

  func usedNodeSeconds() throws(JournalError) -> Double {
    try checked { () throws(SQLiteFailure) in
      try database.value("SELECT total(node_seconds) FROM attempts")?.real ?? 0
    }
  }

  func hasRoot() throws(JournalError) -> Bool {
    try checked { () throws(SQLiteFailure) in
      try database.value("SELECT root_ready FROM sweep")?.int == 1
    }
  }

  /// Name, service and root.
  func heading() throws(JournalError) -> (name: String, service: JournalService, root: String?) {
    var result = (name: "", service: JournalService(endpoint: "", account: ""), root: String?.none)
    if let service = try service() { result.service = service }
    try checked { () throws(SQLiteFailure) in
      try database.rows("SELECT name, root FROM sweep") {
        result.name = $0[0].text ?? ""
        result.root = $0[1].text
      }
    }
    return result
  }

  /// Rows of the members in the order of the space, then of the others by number.
  ///
  /// - Parameters:
  ///   - numbers: of these points alone; nil for all.
  ///   - all: those that the space no longer has too.
  ///   - folder: absolute path of the outputs' folder.
  func rows(
    of numbers: Set<Int>? = nil, all: Bool, folder: String
  ) throws(JournalError) -> [SweepRow] {
    let root = try heading().root
    var rows: [SweepRow] = []
    var places: [Int: Int] = [:]
    let names = ParameterJSON.Names()
    let one = numbers?.count == 1 ? numbers?.first : nil
    let condition =
      (all ? "WHERE 1" : "WHERE p.member = 1") + (one == nil ? "" : " AND p.point = ?")
    let values: [SQLValue] = one.map { [.init($0)] } ?? []
    try checked { () throws(SQLiteFailure) in
      try database.rows(Self.rowQuery + condition + Self.rowOrder, values) { columns in
        let number = columns[0].int ?? 0
        if let numbers, !numbers.contains(number) { return }
        places[number] = rows.count
        rows.append(Self.row(columns, names, root: root, folder: folder))
      }
      let files =
        "SELECT o.point, o.name, o.size, o.sha256 FROM outputs o JOIN points p USING (point) "
        + "WHERE p.verdict = 'done'" + (one == nil ? "" : " AND o.point = ?")
        + " ORDER BY o.point, o.n, o.name"
      try database.rows(files, values) { columns in
        guard let place = places[columns[0].int ?? 0] else { return }
        rows[place].files.append(
          OutputFile(
            name: columns[1].text ?? "", size: columns[2].integer ?? 0,
            sha256: columns[3].text ?? ""))
      }
    }
    return rows
  }

  private static let rowQuery = """
    SELECT p.point, p.name, p.parameters, t.state, p.cause, p.result, p.result_error, p.member,
      a.n, a.exit_code, a.started, a.ended, a.reason, s.nodes, u.node_seconds,
      (SELECT max(job) FROM jobs WHERE submission = a.submission), a.tag
    FROM points p
    JOIN states t USING (point)
    LEFT JOIN attempts a ON a.point = p.point
      AND a.n = (SELECT max(n) FROM attempts WHERE point = p.point)
    LEFT JOIN submissions s ON s.submission = a.submission
    LEFT JOIN (SELECT point, total(node_seconds) AS node_seconds FROM attempts GROUP BY point) u
      ON u.point = p.point

    """
  private static let rowOrder = " ORDER BY p.member DESC, p.position, p.point"

  private static func row(
    _ columns: [SQLValue], _ names: ParameterJSON.Names, root: String?, folder: String
  ) -> SweepRow {
    var row = SweepRow(
      point: columns[0].int ?? 0, name: columns[1].text ?? "",
      parameters: ParameterJSON.parameters(columns[2].text ?? "{}", names),
      state: columns[3].text.flatMap(PointState.init) ?? .unknown)
    row.cause = columns[4].text ?? columns[12].text
    row.result = columns[5].text
    row.resultError = columns[6].text
    row.isMember = columns[7].int == 1
    row.attempts = columns[8].int ?? 0
    row.exitCode = columns[9].int
    if let start = columns[10].real, let end = columns[11].real {
      row.seconds = max(0, end - start)
    }
    row.nodes = columns[13].int
    // 0 before an attempt has ended is no measure; after it, one within the same second.
    if let used = columns[14].real, used > 0 || row.seconds != nil { row.nodeHours = used / 3600 }
    row.jobID = columns[15].integer
    if row.state == .done {
      row.folder = "\(folder)/\(row.name)"
      let name = AttemptName(
        AttemptID(point: row.point, number: row.attempts), tag: columns[16].text ?? "")
      row.remoteFolder = root.map { "\($0)/out/files/\(name)" }
    }
    return row
  }

  /// The submission and the point of each of some jobs, by id or, where an id is not known yet, by
  /// the job's name.
  func points(ofJobs jobs: [(id: Int64, name: String)]) throws(JournalError) -> [Int64: String] {
    var found: [Int64: String] = [:]
    for job in jobs {
      try checked { () throws(SQLiteFailure) in
        try database.rows(
          """
          SELECT group_concat(p.name, ' ') FROM submissions s
          JOIN attempts a ON a.submission = s.submission JOIN points p USING (point)
          WHERE s.name = ? OR s.submission IN (SELECT submission FROM jobs WHERE job = ?)
          """, [.text(job.name), .integer(job.id)]
        ) { if let text = $0[0].text { found[job.id] = text } }
      }
    }
    return found
  }

  /// Every id and every name of a job that a submission has.
  func jobs() throws(JournalError) -> QuietJournals.Jobs {
    var jobs = QuietJournals.Jobs()
    try checked { () throws(SQLiteFailure) in
      try database.rows("SELECT job FROM jobs") {
        if let id = $0[0].integer { jobs.ids.insert(id) }
      }
      try database.rows("SELECT name FROM submissions") {
        if let name = $0[0].text { jobs.names.insert(name) }
      }
    }
    return jobs
  }

  func number(of parameters: Parameters) throws(JournalError) -> Int? {
    try checked { () throws(SQLiteFailure) in
      try database.value("SELECT point FROM points WHERE key = ?", [.text(parameters.encoded)])?.int
    }
  }

  /// Members of the space by state.
  func counts() throws(JournalError) -> [PointState: Int] {
    var counts: [PointState: Int] = [:]
    try checked { () throws(SQLiteFailure) in
      try database.rows(
        """
        SELECT t.state, count(*) FROM points p JOIN states t USING (point) WHERE p.member = 1
        GROUP BY t.state
        """
      ) { if let state = $0[0].text.flatMap(PointState.init) { counts[state] = $0[1].int ?? 0 } }
    }
    return counts
  }

  /// Failed members by cause.
  func causes() throws(JournalError) -> [String: Int] {
    var causes: [String: Int] = [:]
    try checked { () throws(SQLiteFailure) in
      try database.rows(
        """
        SELECT cause, count(*) FROM points WHERE member = 1 AND verdict = 'failed' GROUP BY cause
        """
      ) { causes[$0[0].text ?? ""] = $0[1].int ?? 0 }
    }
    return causes
  }

  /// Limits of submissions that may be accepted and are not over.
  func nodeSecondsUnderWay() throws(JournalError) -> Double {
    try checked { () throws(SQLiteFailure) in
      try database.value(
        """
        SELECT total(nodes * elapse) FROM submissions s
        WHERE phase IN ('intent', 'unsure', 'submitted') AND EXISTS (
          SELECT 1 FROM attempts a WHERE a.submission = s.submission
            AND a.phase IN ('submitted', 'sealing', 'sealed', 'unknown'))
        """)?.real ?? 0
    }
  }

  /// Names of submissions that may have been accepted and whose ids are not known.
  func unsure() throws(JournalError) -> [String] {
    var names: [String] = []
    try checked { () throws(SQLiteFailure) in
      try database.rows(
        """
        SELECT name FROM submissions s WHERE phase IN ('intent', 'unsure') AND EXISTS (
          SELECT 1 FROM attempts a WHERE a.submission = s.submission
            AND a.phase IN ('submitted', 'sealing', 'sealed', 'unknown'))
        ORDER BY submission
        """
      ) { names.append($0[0].text ?? "") }
    }
    return names
  }

  /// Where the log of a point's last submitted attempt is; nil where it has none.
  func logPlace(of point: Int) throws(JournalError) -> LogPlace? {
    var place: LogPlace?
    try checked { () throws(SQLiteFailure) in
      try database.rows(
        """
        SELECT a.n, s.name, (SELECT root FROM sweep), a.tag FROM attempts a
        JOIN submissions s ON s.submission = a.submission
        WHERE a.point = ? ORDER BY a.n DESC LIMIT 1
        """, [.init(point)]
      ) {
        guard let root = $0[2].text else { return }
        let name = AttemptName(
          AttemptID(point: point, number: $0[0].int ?? 1), tag: $0[3].text ?? "")
        place = LogPlace(attempt: name, submission: $0[1].text ?? "", root: root)
      }
    }
    return place
  }

  /// Size of the file in pages.
  func pageCount() throws(JournalError) -> Int? {
    try checked { () throws(SQLiteFailure) in try database.value("PRAGMA page_count")?.int }
  }

  /// Lets this connection's file grow to so many pages, as on a disk that is full then.
  func limit(pages: Int) throws(JournalError) {
    try checked { () throws(SQLiteFailure) in
      _ = try database.value("PRAGMA max_page_count = \(pages)")
    }
  }
}

/// Where on the machine the output of an attempt's program is.
struct LogPlace: Sendable {
  var attempt: AttemptName
  var submission: String
  var root: String
}
