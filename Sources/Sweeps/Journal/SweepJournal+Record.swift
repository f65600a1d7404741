extension SweepJournal {
  /// Makes rows durable: all of them, or none.
  ///
  /// - Parameter commit: what the machine wants written.
  /// - Throws: ``JournalError/full(path:)`` for a full disk, after which the journal is as before;
  ///   ``JournalError/broken(path:rule:)`` for rows that a rule of the protocol forbids.
  public func apply(_ commit: JournalCommit) throws(JournalError) {
    try apply(commit, notes: [:])
  }

  /// The same, with what points are prepared with.
  func apply(_ commit: JournalCommit, notes: [Int: String]) throws(JournalError) {
    try transaction { () throws(SQLiteFailure) in
      for (number, definition) in notes {
        try database.run(
          "UPDATE points SET definition = ? WHERE point = ?", [.text(definition), .init(number)])
      }
      if let root = commit.root {
        try database.run(
          "UPDATE sweep SET root = ?, root_ready = ?", [.text(root.path), .init(root.isReady)])
      }
      for (number, row) in commit.submissions.sorted(by: { $0.key < $1.key }) {
        try write(submission: number, row)
      }
      for (id, row) in commit.attempts.sorted(by: { $0.key < $1.key }) {
        try write(attempt: id, row)
      }
      for (number, row) in commit.points.sorted(by: { $0.key < $1.key }) {
        try write(point: number, row)
      }
      for (request, attempts) in commit.sealSyncs {
        try database.run("DELETE FROM seal_syncs WHERE request = ?", [.integer(request)])
        for id in attempts ?? [] {
          try database.run(
            "INSERT INTO seal_syncs (request, point, n) VALUES (?, ?, ?)",
            [.integer(request), .init(id.point), .init(id.number)])
        }
      }
    }
  }

  private func write(point number: Int, _ row: PointRecord) throws(SQLiteFailure) {
    let (verdict, cause) = Self.columns(row.verdict)
    try database.run(
      """
      UPDATE points SET verdict = ?, cause = ?, member = ?, cancel_requested = ?, retries = ?,
        not_started = ?, result = ?, result_error = ?, resources = ? WHERE point = ?
      """,
      [
        .init(verdict), .init(cause), .init(row.isMember), .init(row.isCancelRequested),
        .text(Self.text(row.retries)), .init(row.notStarted), .init(row.result),
        .init(row.resultError), .init(row.resources), .init(number),
      ])
  }

  private func write(attempt id: AttemptID, _ row: AttemptRecord) throws(SQLiteFailure) {
    let (phase, closing, reason) = Self.columns(row.phase)
    try database.run(
      """
      INSERT INTO attempts (point, n, submission, phase, closing, reason, blocked, execution,
        exit_code, cause, started, ended, node_seconds, tag)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (point, n) DO UPDATE SET submission = excluded.submission,
        phase = excluded.phase, closing = excluded.closing, reason = excluded.reason,
        blocked = excluded.blocked, execution = excluded.execution,
        exit_code = excluded.exit_code, cause = excluded.cause, started = excluded.started,
        ended = excluded.ended, node_seconds = excluded.node_seconds,
        tag = excluded.tag
      """,
      [
        .init(id.point), .init(id.number), .init(row.submission), .text(phase), .init(closing),
        .init(reason), .init(row.isBlocked), .init(row.execution?.description),
        .init(row.exitCode), .init(row.cause?.description), .init(row.start), .init(row.end),
        .real(row.nodeSeconds), .init(row.tag),
      ])
    for file in row.files {
      try database.run(
        "INSERT OR REPLACE INTO outputs (point, n, name, size, sha256) VALUES (?, ?, ?, ?, ?)",
        [
          .init(id.point), .init(id.number), .text(file.name), .integer(file.size),
          .text(file.sha256),
        ])
    }
  }

  private func write(submission number: Int, _ row: SubmissionRecord) throws(SQLiteFailure) {
    try database.run(
      """
      INSERT INTO submissions (submission, name, phase, nodes, elapse, absent_since, script)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (submission) DO UPDATE SET phase = excluded.phase, nodes = excluded.nodes,
        elapse = excluded.elapse, absent_since = excluded.absent_since, script = excluded.script
      """,
      [
        .init(number), .text(row.name), .text(row.phase.rawValue), .init(row.nodes),
        .init(row.elapse), .init(row.absentSince), .init(row.script),
      ])
    for (index, outcome) in row.posts.enumerated() {
      try database.run(
        """
        INSERT INTO posts (submission, number, outcome) VALUES (?, ?, ?)
        ON CONFLICT (submission, number) DO UPDATE SET outcome = excluded.outcome
        """, [.init(number), .init(index + 1), .init(outcome?.rawValue)])
    }
    for (job, end) in row.jobs {
      try database.run(
        """
        INSERT INTO jobs (submission, job, state, exit_code, pjm_code, signal, elapsed, is_over)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (submission, job) DO UPDATE SET state = excluded.state,
          exit_code = excluded.exit_code, pjm_code = excluded.pjm_code,
          signal = excluded.signal, elapsed = excluded.elapsed, is_over = excluded.is_over
        """,
        [
          .init(number), .integer(job), .init(end?.state), .init(end?.exitCode),
          .init(end?.pjmCode), .init(end?.signal), .init(end?.elapsed), .init(end != nil),
        ])
    }
  }

  /// Everything that the machine starts from.
  public func load() throws(JournalError) -> SweepRecord {
    var record = SweepRecord()
    try checked { () throws(SQLiteFailure) in
      try database.rows("SELECT root, root_ready FROM sweep WHERE root IS NOT NULL") {
        record.root = RootRecord(path: $0[0].text ?? "", isReady: $0[1].int == 1)
      }
      try loadPoints(&record)
      try loadSubmissions(&record)
      try loadAttempts(&record)
      try database.rows("SELECT request, point, n FROM seal_syncs ORDER BY request, point, n") {
        let id = AttemptID(point: $0[1].int ?? 0, number: $0[2].int ?? 0)
        record.sealSyncs[$0[0].integer ?? 0, default: []].append(id)
      }
    }
    return record
  }

  private func loadPoints(_ record: inout SweepRecord) throws(SQLiteFailure) {
    var points: [PointRecord] = []
    try database.rows(
      """
      SELECT verdict, cause, member, cancel_requested, retries, not_started, result, result_error,
        resources
      FROM points ORDER BY point
      """
    ) { row in
      var point = PointRecord()
      point.verdict = Self.verdict(row[0].text, row[1].text)
      point.isMember = row[2].int == 1
      point.isCancelRequested = row[3].int == 1
      point.retries = Self.retries(row[4].text ?? "")
      point.notStarted = row[5].int ?? 0
      point.result = row[6].text
      point.resultError = row[7].text
      point.resources = row[8].text
      points.append(point)
    }
    record.points = points
  }

  private func loadSubmissions(_ record: inout SweepRecord) throws(SQLiteFailure) {
    var submissions: [SubmissionRecord] = []
    try database.rows(
      """
      SELECT name, phase, nodes, elapse, absent_since, script FROM submissions ORDER BY submission
      """
    ) { row in
      var submission = SubmissionRecord(name: row[0].text ?? "", attempts: [])
      submission.phase = row[1].text.flatMap(SubmissionPhase.init) ?? .abandoned
      submission.nodes = row[2].int ?? 1
      submission.elapse = row[3].int ?? 0
      submission.absentSince = row[4].real
      submission.script = row[5].text
      submissions.append(submission)
    }
    try database.rows("SELECT submission, outcome FROM posts ORDER BY submission, number") { row in
      submissions[(row[0].int ?? 1) - 1].posts.append(row[1].text.flatMap(PostResult.init))
    }
    try database.rows(
      "SELECT submission, job, state, exit_code, pjm_code, signal, elapsed, is_over FROM jobs"
    ) { row in
      let end = JobEnd(
        state: row[2].text, exitCode: row[3].int, pjmCode: row[4].int, signal: row[5].int,
        elapsed: row[6].int)
      submissions[(row[0].int ?? 1) - 1].jobs[row[1].integer ?? 0] =
        .some(row[7].int == 1 ? end : nil)
    }
    record.submissions = submissions
  }

  private func loadAttempts(_ record: inout SweepRecord) throws(SQLiteFailure) {
    try database.rows(
      """
      SELECT point, n, submission, phase, closing, reason, blocked, execution, exit_code, cause,
        started, ended, node_seconds, tag FROM attempts ORDER BY point, n
      """
    ) { row in
      let id = AttemptID(point: row[0].int ?? 0, number: row[1].int ?? 0)
      var attempt = AttemptRecord()
      attempt.submission = row[2].int
      attempt.phase = Self.phase(row[3].text, row[4].text, row[5].text)
      attempt.isBlocked = row[6].int == 1
      attempt.execution = row[7].text.flatMap { ExecutionID($0) }
      attempt.exitCode = row[8].int
      attempt.cause = row[9].text.flatMap { Cause($0) }
      attempt.start = row[10].integer
      attempt.end = row[11].integer
      attempt.nodeSeconds = row[12].real ?? 0
      attempt.tag = row[13].text
      record.points[id.point - 1].attempts.append(attempt)
    }
    try database.rows("SELECT point, n, name, size, sha256 FROM outputs ORDER BY point, n, name") {
      let id = AttemptID(point: $0[0].int ?? 0, number: $0[1].int ?? 0)
      guard record.has(id) else { return }
      record[attempt: id].files.append(
        OutputFile(name: $0[2].text ?? "", size: $0[3].integer ?? 0, sha256: $0[4].text ?? ""))
    }
    // The attempts of a submission are those that were put into it; one that went on to another
    // submission is not the first one's any more.
    for (index, point) in record.points.enumerated() {
      for (number, attempt) in point.attempts.enumerated() {
        guard let submission = attempt.submission else { continue }
        record.submissions[submission - 1].attempts.append(
          AttemptID(point: index + 1, number: number + 1))
      }
    }
  }

  // MARK: Columns

  private static func columns(_ verdict: Verdict?) -> (verdict: String?, cause: String?) {
    switch verdict {
    case nil: (nil, nil)
    case .done: ("done", nil)
    case .failed(let cause): ("failed", cause.description)
    case .cancelled: ("cancelled", nil)
    }
  }

  private static func verdict(_ verdict: String?, _ cause: String?) -> Verdict? {
    switch verdict {
    case "done": .done
    case "failed": .failed(cause.flatMap { Cause($0) } ?? .killed)
    case "cancelled": .cancelled
    default: nil
    }
  }

  private static func columns(_ phase: AttemptPhase) -> (String, String?, String?) {
    switch phase {
    case .new: ("new", nil, nil)
    case .submitted: ("submitted", nil, nil)
    case .sealing: ("sealing", nil, nil)
    case .sealed: ("sealed", nil, nil)
    case .unknown(let reason): ("unknown", nil, reason.rawValue)
    case .refused: ("refused", nil, nil)
    case .withdrawn: ("withdrawn", nil, nil)
    case .closed(let closing): ("closed", closing.rawValue, nil)
    }
  }

  private static func phase(
    _ phase: String?, _ closing: String?, _ reason: String?
  ) -> AttemptPhase {
    switch phase {
    case "submitted": .submitted
    case "sealing": .sealing
    case "sealed": .sealed
    case "unknown": .unknown(reason.flatMap(UnknownReason.init) ?? .homeLost)
    case "refused": .refused
    case "withdrawn": .withdrawn
    case "closed": .closed(closing.flatMap(Closing.init) ?? .exited)
    default: .new
    }
  }

  private static func text(_ retries: [RetryKind: Int]) -> String {
    retries.filter { $0.value > 0 }.map { "\($0.key.rawValue)=\($0.value)" }.sorted()
      .joined(separator: " ")
  }

  private static func retries(_ text: String) -> [RetryKind: Int] {
    var retries: [RetryKind: Int] = [:]
    for pair in text.split(separator: " ") {
      let parts = pair.split(separator: "=")
      if parts.count == 2, let kind = RetryKind(rawValue: String(parts[0])),
        let count = Int(parts[1])
      {
        retries[kind] = count
      }
    }
    return retries
  }
}
