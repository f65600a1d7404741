/// Keeps effects behind the rows that they rest on.
///
/// Everything that is decided goes in here, rows and effects in order. An effect comes out only
/// when every row that was changed before it is durable: that is what `[D]` means in
/// `exactly-once.md`. Rows that pile up while a commit is under way go into one next commit.
struct JournalGate: Sendable {
  /// Effects that wait for the commit under way.
  var held: [Effect] = []
  /// Effects that came since, behind the next commit.
  private(set) var waiting: [Effect] = []
  private(set) var isCommitting = false
  private var released: [Effect] = []

  /// True where nothing is on its way.
  var isIdle: Bool { !isCommitting && waiting.isEmpty && released.isEmpty }

  mutating func add(_ effect: Effect) {
    waiting.append(effect)
  }

  /// The commit under way is durable.
  mutating func acknowledge() {
    isCommitting = false
    released += held
    held = []
  }

  /// What can be done now.
  mutating func flush(_ commit: () -> JournalCommit) -> [SweepAction] {
    var actions = released.map(SweepAction.perform)
    released = []
    guard !isCommitting else { return actions }
    let rows = commit()
    if rows.isEmpty {
      actions += waiting.map(SweepAction.perform)
    } else {
      actions.append(.commit(rows))
      held = waiting
      isCommitting = true
    }
    waiting = []
    return actions
  }
}

/// Which rows have changed since the last commit was given out.
struct ChangedRows: Sendable {
  var root = false
  var points: Set<Int> = []
  var attempts: Set<AttemptID> = []
  var submissions: Set<Int> = []
  var sealSyncs: Set<Int64> = []

  /// The rows as they are now; none are changed after that.
  mutating func take(from record: SweepRecord) -> JournalCommit {
    var commit = JournalCommit()
    if root { commit.root = record.root }
    for number in points {
      var point = record.points[number - 1]
      point.attempts = []
      commit.points[number] = point
    }
    for id in attempts { commit.attempts[id] = record[attempt: id] }
    for number in submissions { commit.submissions[number] = record.submissions[number - 1] }
    for request in sealSyncs { commit.sealSyncs[request] = .some(record.sealSyncs[request]) }
    self = ChangedRows()
    return commit
  }
}
