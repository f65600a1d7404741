import Foundation
import Testing

@testable import Sweeps

@Suite struct SweepJournalTests {
  private let file: JournalFile

  init() throws {
    file = try JournalFile()
  }

  @Test func whatTheModelWritesIsReadBack() throws {
    for seed in Schedule.seeds(4) {
      let file = try JournalFile()
      let journal = try file.journal(points: 5)
      defer { withExtendedLifetime(file) {} }
      var schedule = Schedule(seed: seed)
      schedule.settings.pack = Int(seed % 2) + 1
      schedule.prepare = { _, client in client.mirror = journal }
      let result = schedule.run()
      #expect(schedule.problems(of: result).isEmpty, "seed \(seed)")
      let loaded = try journal.load()
      #expect(loaded.points == result.record.points, "seed \(seed)")
      #expect(loaded.root == result.record.root)
      #expect(loaded.sealSyncs == result.record.sealSyncs)
      for (found, expected) in zip(loaded.submissions, result.record.submissions) {
        var own = expected
        own.attempts = expected.attempts.filter {
          let submission = result.record[attempt: $0].submission
          return submission.map { result.record.submissions[$0 - 1].name } == expected.name
        }
        #expect(found == own, "seed \(seed)")
      }
    }
  }

  @Test func aSecondWriterIsRefusedWithTheFirstOnesName() throws {
    var journal: SweepJournal? = try file.open()
    let error = #expect(throws: JournalError.self) { try file.open() }
    guard case .busy(_, let owner) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(owner.pid == getpid())
    #expect(error?.description.contains("is being run by pid \(getpid()) on ") == true)
    #expect(SweepJournal.owner(of: file.path)?.pid == getpid())
    // To look at it is allowed.
    let reader = try SweepJournal(reading: file.path)
    #expect(try reader.load().points.isEmpty)
    withExtendedLifetime(journal) {}
    journal = nil
    #expect(SweepJournal.owner(of: file.path) == nil)
    _ = try file.open()
  }

  @Test func anotherServiceIsRefused() throws {
    _ = try file.open()
    let other = JournalService(endpoint: "http://127.0.0.1:1", account: "SIM")
    let error = #expect(throws: JournalError.self) { try file.open(service: other) }
    #expect(
      error?.description.contains(
        "belongs to https://hpc.example as AK…7Q, not to http://127.0.0.1:1 as SIM") == true)
    _ = try file.open()
  }

  @Test func filesThatAreNoJournalsStayAsTheyAre() throws {
    let text = Data("not a database, but somebody's file\n".utf8)
    try text.write(to: URL(filePath: file.path))
    #expect(throws: JournalError.foreign(path: file.path)) { try file.open() }
    #expect(throws: JournalError.foreign(path: file.path)) {
      try SweepJournal(reading: file.path)
    }
    #expect(try Data(contentsOf: URL(filePath: file.path)) == text)

    let other = try JournalFile()
    let database = try SQLiteDatabase(path: other.path, readOnly: false)
    try database.execute("CREATE TABLE mine (x); PRAGMA user_version = 1;")
    #expect(throws: JournalError.foreign(path: other.path)) { try other.open() }
    #expect(throws: JournalError.missing(path: "/none/x")) { try SweepJournal(reading: "/none/x") }
    #expect(throws: JournalError.self) {
      try SweepJournal(path: "/none/x", name: "x", service: JournalFile.service, now: 0)
    }
  }

  @Test func aNewerVersionIsRefusedAndUntouched() throws {
    do {
      let journal = try file.open()
      try journal.database.execute("PRAGMA user_version = 7")
    }
    let before = try Data(contentsOf: URL(filePath: file.path))
    let error = #expect(throws: JournalError.self) { try file.open() }
    #expect(
      error == .newer(path: file.path, version: 7, known: JournalSchema.migrations.count))
    #expect(throws: JournalError.self) { try SweepJournal(reading: file.path) }
    #expect(try Data(contentsOf: URL(filePath: file.path)) == before)
  }

  @Test func damageIsRefusedWithTheRecovery() throws {
    do {
      _ = try file.journal(points: 500)
    }
    var bytes = try Data(contentsOf: URL(filePath: file.path))
    for index in 8192..<min(bytes.count, 60_000) { bytes[index] = UInt8(index % 251) }
    try bytes.write(to: URL(filePath: file.path))
    let error = #expect(throws: JournalError.self) { try file.open() }
    guard case .corrupt = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.description.contains(".dump") == true)
    #expect(try Data(contentsOf: URL(filePath: file.path)) == bytes)
  }

  /// What a rescue by `.dump` may leave, and what would be taken for other points.
  @Test(arguments: [
    "DELETE FROM points WHERE point = 2", "DELETE FROM submissions WHERE submission = 1",
    "UPDATE attempts SET n = n + 9 WHERE point = 1",
  ])
  func missingRowsAreRefused(statement: String) throws {
    let file = try JournalFile()
    do {
      let journal = try file.journal(points: 3)
      var schedule = Schedule(seed: 3)
      schedule.settings.pack = 2
      schedule.prepare = { _, client in client.mirror = journal }
      _ = schedule.run()
      try journal.database.execute("PRAGMA foreign_keys = OFF")
      try journal.database.execute(statement)
    }
    let error = #expect(throws: JournalError.self) { try file.open() }
    guard case .corrupt = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    withExtendedLifetime(file) {}
  }

  @Test func aFullDiskStopsClearlyAndLosesNothing() throws {
    let journal = try file.journal(points: 50)
    let before = try journal.load()
    let pages = try journal.database.value("PRAGMA page_count")?.int ?? 0
    try journal.database.execute("PRAGMA max_page_count = \(pages + 1)")
    var commit = JournalCommit()
    for number in 1...500 {
      var name = String(number)
      while name.count < 10 { name = "a" + name }
      commit.submissions[number] = SubmissionRecord(name: name, attempts: [])
    }
    #expect(throws: JournalError.full(path: file.path)) { try journal.apply(commit) }
    #expect(try journal.load() == before)
    try journal.database.execute("PRAGMA max_page_count = \(pages + 1000)")
    try journal.apply(commit)
    #expect(try journal.load().submissions.count == 500)
  }

  @Test func olderVersionsAreBroughtUpOrLeft() throws {
    let second = "CREATE TABLE extra (x INTEGER); INSERT INTO extra SELECT count(*) FROM points;"
    do { _ = try file.journal(points: 3) }
    do {
      let journal = try SweepJournal(
        path: file.path, name: "ising", service: JournalFile.service, now: 0,
        migrations: JournalSchema.migrations + [second])
      #expect(try journal.database.value("SELECT x FROM extra") == .integer(3))
      let version = Int64(JournalSchema.migrations.count + 1)
      #expect(try journal.database.value("PRAGMA user_version") == .integer(version))
      #expect(try journal.load().points.count == 3)
    }
    let other = try JournalFile()
    do { _ = try other.journal(points: 3) }
    #expect(throws: JournalError.self) {
      try SweepJournal(
        path: other.path, name: "ising", service: JournalFile.service, now: 0,
        migrations: JournalSchema.migrations + [second, "nonsense"])
    }
    #expect(try other.open().load().points.count == 3)
  }

  @Test func theSecondVersionCanBeLookedAtAsItIs() throws {
    do {
      let old = try SQLiteDatabase(path: file.path, readOnly: false)
      try old.execute(JournalSchema.version1 + JournalSchema.version2)
      try old.execute(
        """
        PRAGMA application_id = \(JournalSchema.applicationID);
        PRAGMA user_version = 2;
        INSERT INTO sweep (id, name, endpoint, account, created, fingerprint)
          VALUES (1, 'ising', 'https://hpc.example', 'AK…7Q', 0, 'f');
        INSERT INTO points (point, name, key, parameters, position, definition)
          VALUES (1, 'T=1', 'a', '{"T":1}', 0, 'd');
        """)
    }
    let reader = try SweepJournal(reading: file.path)
    #expect(try reader.definitions().map(\.definition) == ["d"])
    #expect(try reader.definition()?.inputs == nil)
    #expect(try reader.service()?.fingerprint == "f")
    #expect(try reader.rows(all: true, folder: "").map(\.state) == [.new])
  }

  @Test func attemptsOfTheFirstVersionKeepTheirNames() throws {
    do {
      let old = try SQLiteDatabase(path: file.path, readOnly: false)
      try old.execute(JournalSchema.version1)
      try old.execute(
        """
        PRAGMA application_id = \(JournalSchema.applicationID);
        PRAGMA user_version = 1;
        INSERT INTO sweep (id, name, endpoint, account, created, root, root_ready)
          VALUES (1, 'ising', 'https://hpc.example', 'AK…7Q', 0, 'hpc/ising-1', 1);
        INSERT INTO points (point, name, key, parameters, position)
          VALUES (1, 'T=1', 'a', '{"T":1}', 0), (2, 'T=2', 'b', '{"T":2}', 1);
        INSERT INTO submissions VALUES (1, 'isi0000001', 'submitted', 1, 60, NULL),
          (2, 'isi0000002', 'staged', 1, 60, NULL);
        INSERT INTO attempts (point, n, submission, phase, closing)
          VALUES (1, 1, 1, 'closed', 'run_lost'), (1, 2, 2, 'submitted', NULL),
            (2, 1, NULL, 'new', NULL);
        """)
    }
    // It can be looked at as it is.
    let reader = try SweepJournal(reading: file.path)
    #expect(try reader.rows(all: true, folder: "").map(\.attempts) == [2, 1])
    #expect(try reader.logPlace(of: 1)?.attempt.description == "1.2")
    #expect(try reader.load().points[0].attempts.map(\.tag) == ["", ""])
    #expect(try reader.service()?.fingerprint == nil)
    #expect(try reader.definitions().map(\.kept) == [nil, nil])
    #expect(try reader.definition()?.version == nil)
    #expect(try reader.database.value("PRAGMA user_version") == .integer(1))

    let service = JournalService(
      endpoint: "https://hpc.example", account: "AK…7Q", fingerprint: "f", bucket: "b/")
    do {
      let journal = try file.open(service: service)
      let record = try journal.load()
      #expect(record.points[0].attempts.map(\.tag) == ["", ""])
      #expect(record.points[1].attempts.map(\.tag) == [nil])
      #expect(record.submissions.map(\.script) == [nil, nil])
      #expect(record.name(of: AttemptID(point: 1, number: 2)).description == "1.2")
    }
    let key = JournalService(
      endpoint: "https://hpc.example", account: "AK…7Q", fingerprint: "g", bucket: "b/")
    #expect(throws: JournalError.self) { try file.open(service: key) }
  }

  @Test func aKeyThatLooksAlikeAndAnotherBucketAreRefused() throws {
    func service(_ fingerprint: String?, _ bucket: String?) -> JournalService {
      JournalService(
        endpoint: "https://hpc.example", account: "AK…7Q", fingerprint: fingerprint,
        bucket: bucket)
    }
    do { _ = try file.open(service: service("a", "data/")) }
    let key = #expect(throws: JournalError.self) { try file.open(service: service("b", "data/")) }
    #expect(key?.description.contains("another access key of https://hpc.example") == true)
    let bucket = #expect(throws: JournalError.self) {
      try file.open(service: service("a", "data/pp/"))
    }
    #expect(
      bucket?.description.contains("keeps its files in the bucket data/, not in data/pp/") == true)
    _ = try file.open(service: service("a", "data/"))
  }

  @Test func oneFileHasOneWriterWhateverItIsCalled() throws {
    let link = file.folder.appending(path: "link.sweep").path
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: "ising.sweep")
    func open(_ path: String) throws(JournalError) -> SweepJournal {
      try SweepJournal(path: path, name: "ising", service: JournalFile.service, now: 0)
    }
    // The link leads to a file that is not there yet.
    for (first, second) in [(link, file.path), (file.path, link)] {
      let journal = try open(first)
      let error = #expect(throws: JournalError.self) { try open(second) }
      guard case .busy = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(SweepJournal.owner(of: second)?.pid == getpid())
      withExtendedLifetime(journal) {}
    }
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "ising.sweep")
  }

  @Test func aLockThatWasRemovedStopsTheFirstWriter() throws {
    let first = try file.journal(points: 1)
    var commit = JournalCommit()
    commit.points[1] = PointRecord()
    try FileManager.default.removeItem(atPath: file.path + ".lock")
    // Nobody came: it takes the lock anew and goes on.
    try first.apply(commit)
    try FileManager.default.removeItem(atPath: file.path + ".lock")
    var second: SweepJournal? = try file.open()
    let error = #expect(throws: JournalError.self) { try first.apply(commit) }
    #expect(error?.description.contains("is being run by pid \(getpid()) on ") == true)
    commit.points[1]?.result = "7"
    try second?.apply(commit)
    second = nil
    // It is gone again, but has written: what the first one holds is old.
    let late = #expect(throws: JournalError.self) { try first.apply(commit) }
    #expect(late?.description.contains("was written by another process") == true)
    #expect(SweepError(try #require(late)).exitCode == 75)
  }

  @Test func aJournalThatIsNoLongerThereStopsItsWriter() throws {
    let journal = try file.journal(points: 1)
    try FileManager.default.moveItem(atPath: file.path, toPath: file.path + ".away")
    var commit = JournalCommit()
    commit.points[1] = PointRecord()
    let error = #expect(throws: JournalError.self) { try journal.apply(commit) }
    #expect(error?.description.contains("was moved or removed") == true)
  }

  @Test func whatAKilledCreationLeavesIsNoJournalYet() throws {
    do { _ = try file.journal(points: 3) }
    let whole = try Data(contentsOf: URL(filePath: file.path))
    let leftovers: [(journal: Data?, creating: Data?, rollback: Data?)] =
      [
        (nil, nil, nil), (Data(), nil, nil), (Data(), nil, Data(repeating: 1, count: 512)),
        (nil, Data(), nil), (nil, whole, nil), (nil, whole, Data(repeating: 7, count: 900)),
      ]
      + stride(from: 512, to: whole.count, by: 4096).map { (nil, whole.prefix($0), nil) }
    for (index, leftover) in leftovers.enumerated() {
      let file = try JournalFile()
      try leftover.journal?.write(to: URL(filePath: file.path))
      try leftover.creating?.write(to: URL(filePath: file.path + ".creating"))
      try leftover.rollback?.write(to: URL(filePath: file.path + "-journal"))
      try leftover.rollback?.write(to: URL(filePath: file.path + ".creating-journal"))
      #expect(throws: JournalError.missing(path: file.path), "\(index)") {
        try SweepJournal(reading: file.path)
      }
      #expect(try file.journal(points: 2).load().points.count == 2, "\(index)")
      let names = try FileManager.default.contentsOfDirectory(atPath: file.folder.path).sorted()
      #expect(names == ["ising.sweep", "ising.sweep.lock"], "\(index)")
    }
  }

  @Test func anEditedSpaceKeepsNumbersAndDropsMembers() throws {
    let journal = try file.open()
    try journal.register(points: try Space.grid(["T": [1, 2, 3]]).select())
    try journal.register(points: try Space.list([["T": 4], ["T": 3.0], ["T": 1]]).select())
    let points = try journal.definitions()
    #expect(points.map(\.name) == ["T=1", "T=2", "T=3", "T=4"])
    #expect(points.map(\.parameters["T"]) == [1, 2, 3, 4])
    #expect(try journal.load().points.map(\.isMember) == [true, false, true, true])
    #expect(try journal.order() == [4, 3, 1])
    try journal.register(points: try Space.grid(["T": [2]]).select())
    #expect(try journal.order() == [2])
  }

  @Test func parametersKeepTheirKinds() throws {
    let journal = try file.open()
    let row: [String: ParameterValue] = [
      "i": 1, "d": 2.5, "w": 3.0, "s": "a\"b\n", "b": true, "big": .integer(.max), "e": "",
    ]
    try journal.register(points: try Space.list([row, row.merging(["i": 2]) { $1 }]).select())
    let points = try journal.definitions()
    for (name, value) in row { #expect(points[0].parameters[name] == value, "\(name)") }
    #expect(Set(points.map(\.name)).count == 2)
  }

  @Test func pointsThatLookAlikeHaveTheirOwnNames() throws {
    let journal = try file.open()
    try journal.register(points: try Space.grid(["s": ["a b", "a_b", "a/b"]]).select())
    #expect(try journal.definitions().map(\.name) == ["s=a_b", "s=a_b#2", "s=a_b#3"])
  }
}
