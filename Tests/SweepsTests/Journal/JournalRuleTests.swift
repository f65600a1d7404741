import Testing

@testable import Sweeps

/// The rules of the protocol that stand in SQL: no fault elsewhere can write against them.
@Suite struct JournalRuleTests {
  private let file: JournalFile

  init() throws {
    file = try JournalFile()
  }

  private static let id = AttemptID(point: 1, number: 1)

  private static func attempt(_ phase: AttemptPhase, code: Int? = nil) -> AttemptRecord {
    var attempt = AttemptRecord()
    attempt.phase = phase
    attempt.exitCode = code
    return attempt
  }

  private static func submission(
    _ posts: [PostResult?], name: String = "ising00001"
  ) -> SubmissionRecord {
    var submission = SubmissionRecord(name: name, attempts: [id])
    submission.posts = posts
    return submission
  }

  private static func commit(_ change: (inout JournalCommit) -> Void) -> JournalCommit {
    var commit = JournalCommit()
    change(&commit)
    return commit
  }

  @Test(
    arguments: [
      ([.unclear, nil], false), ([.accepted, nil], false), ([nil, nil], false),
      ([.unclear, .unclear], false), ([.accepted, .notSent], true), ([.notSent, nil], true),
      ([.expired, .denied, .refused, .notSent, .accepted], true),
    ] as [([PostResult?], Bool)])
  func atMostOnePostIsNotDefinitelyRefused(posts: [PostResult?], isAllowed: Bool) throws {
    let journal = try file.journal(points: 1)
    let commit = Self.commit { $0.submissions[1] = Self.submission(posts) }
    if isAllowed {
      try journal.apply(commit)
    } else {
      #expect(throws: JournalError.self) { try journal.apply(commit) }
      #expect(try journal.load().submissions.isEmpty)
    }
  }

  @Test func theOutcomeOfAPostIsFinal() throws {
    let journal = try file.journal(points: 1)
    try journal.apply(Self.commit { $0.submissions[1] = Self.submission([nil]) })
    try journal.apply(Self.commit { $0.submissions[1] = Self.submission([.unclear]) })
    let error = #expect(throws: JournalError.self) {
      try journal.apply(Self.commit { $0.submissions[1] = Self.submission([.notSent]) })
    }
    #expect(error?.description.contains("the outcome of a POST is final") == true)
  }

  @Test(
    arguments: [
      AttemptPhase.new, .submitted, .sealing, .sealed, .unknown(.homeLost), .refused, .withdrawn,
    ])
  func theNextAttemptOnlyAfterTheLastIsClosed(phase: AttemptPhase) throws {
    let journal = try file.journal(points: 1)
    try journal.apply(Self.commit { $0.attempts[Self.id] = Self.attempt(phase) })
    let next = AttemptID(point: 1, number: 2)
    let error = #expect(throws: JournalError.self) {
      try journal.apply(Self.commit { $0.attempts[next] = Self.attempt(.new) })
    }
    #expect(error?.description.contains("only after n is closed") == true)
    try journal.apply(
      Self.commit {
        $0.attempts[Self.id] = Self.attempt(.closed(.notStarted))
        $0.attempts[next] = Self.attempt(.new)
      })
    #expect(throws: JournalError.self) {
      try journal.apply(
        Self.commit { $0.attempts[.init(point: 1, number: 4)] = Self.attempt(.new) })
    }
  }

  @Test func aClosedAttemptStaysClosedAsItIs() throws {
    let journal = try file.journal(points: 1)
    try journal.apply(Self.commit { $0.attempts[Self.id] = Self.attempt(.closed(.notStarted)) })
    for phase in [AttemptPhase.new, .sealed, .closed(.exited)] {
      #expect(throws: JournalError.self) {
        try journal.apply(Self.commit { $0.attempts[Self.id] = Self.attempt(phase) })
      }
    }
    #expect(throws: SQLiteFailure.self) { try journal.database.execute("DELETE FROM attempts") }
  }

  @Test(arguments: [(AttemptPhase.closed(.runLost), 0), (.closed(.exited), 1), (.sealed, 0)])
  func doneOnlyWithARecordOfCodeZero(phase: AttemptPhase, code: Int) throws {
    let journal = try file.journal(points: 1)
    var done = PointRecord()
    done.verdict = .done
    #expect(throws: JournalError.self) {
      try journal.apply(
        Self.commit {
          $0.attempts[Self.id] = Self.attempt(phase, code: code)
          $0.points[1] = done
        })
    }
    try journal.apply(
      Self.commit {
        $0.attempts[Self.id] = Self.attempt(.closed(.exited), code: 0)
        $0.points[1] = done
      })
    #expect(try journal.load().points[0].verdict == .done)
  }

  @Test func jobNamesAreUniqueAndTenLong() throws {
    let journal = try file.journal(points: 1)
    try journal.apply(Self.commit { $0.submissions[1] = Self.submission([]) })
    for name in ["ising00001", "short", "eleven_long"] {
      #expect(throws: JournalError.self) {
        try journal.apply(Self.commit { $0.submissions[2] = Self.submission([], name: name) })
      }
    }
  }

  @Test func aMutantOfTheProtocolIsStoppedByTheJournalItself() throws {
    // It posts again what a crash left unsure: the second intent cannot be written.
    let journal = try file.journal(points: 1)
    try journal.apply(Self.commit { $0.submissions[1] = Self.submission([nil]) })
    #expect(throws: JournalError.self) {
      try journal.apply(Self.commit { $0.submissions[1] = Self.submission([nil, nil]) })
    }
  }

  @Test func theSchemaExplainsItself() throws {
    let journal = try file.journal(points: 2)
    var texts: [String] = []
    try journal.database.rows("SELECT sql FROM sqlite_schema WHERE type IN ('table', 'view')") {
      texts.append($0[0].text ?? "")
    }
    #expect(texts.count == 9)
    #expect(texts.allSatisfy { $0.contains("--") })
    try journal.apply(Self.commit { $0.attempts[Self.id] = Self.attempt(.unknown(.homeLost)) })
    var states: [String] = []
    try journal.database.rows("SELECT state FROM states ORDER BY point") {
      states.append($0[0].text ?? "")
    }
    #expect(states == ["unknown", "new"])
  }
}
