/// The only user of a journal that is open for writing, on a thread of its own.
actor JournalKeeper {
  /// What a test may let happen around a step that makes something durable, in place of a killed
  /// process; opening or making the journal is the first.
  enum Fate: Sendable {
    case proceed
    /// The process ends before, or right after, the rows are durable.
    case dieBefore, dieAfter
  }

  /// Thrown where ``Fate`` said so.
  struct Died: Error {}

  /// Everything that a run starts from.
  struct Loaded: Sendable {
    var record: SweepRecord
    var points: [PointDefinition]
    var order: [Int]
    var recorded: RecordedDefinition?
  }

  private let executor = DiskExecutor("hpc-journal")
  private var journal: SweepJournal?
  /// Definitions that points were prepared with, to be written with the next commit.
  private var notes: [Int: String] = [:]
  private var steps = 0
  private let fate: @Sendable (Int) -> Fate

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  init(fate: @escaping @Sendable (Int) -> Fate = { _ in .proceed }) {
    self.fate = fate
  }

  /// Opens or makes the journal.
  ///
  /// - Parameter isThrowaway: one of another service is removed first.
  func open(
    path: String, name: String, service: JournalService, now: Int64, isThrowaway: Bool,
    pageLimit: Int? = nil
  ) throws {
    try step { () throws(JournalError) in
      do throws(JournalError) {
        journal = try SweepJournal(path: path, name: name, service: service, now: now)
      } catch {
        guard isThrowaway, case .otherService = error else { throw error }
        JournalFiles.remove(path)
        journal = try SweepJournal(path: path, name: name, service: service, now: now)
      }
      if let pageLimit { try journal?.limit(pages: pageLimit) }
    }
  }

  private func step(_ body: () throws(JournalError) -> Void) throws {
    steps += 1
    let fate = fate(steps)
    if fate == .dieBefore { throw Died() }
    try body()
    if fate == .dieAfter { throw Died() }
  }

  /// Gives the journal and its lock back.
  func close() {
    journal = nil
  }

  private func opened() throws(JournalError) -> SweepJournal {
    guard let journal else { throw .failed(path: "", reason: "it was closed") }
    return journal
  }

  func register(_ points: [Parameters]) throws {
    let journal = try opened()
    try step { () throws(JournalError) in try journal.register(points: points) }
  }

  func load() throws(JournalError) -> Loaded {
    let journal = try opened()
    return Loaded(
      record: try journal.load(), points: try journal.definitions(), order: try journal.order(),
      recorded: try journal.definition())
  }

  func keep(_ definition: RecordedDefinition) throws {
    let journal = try opened()
    guard try journal.definition() != definition else { return }
    try step { () throws(JournalError) in try journal.keep(definition) }
  }

  func keep(resultsUnder definitions: [Int: String]) throws {
    let journal = try opened()
    try step { () throws(JournalError) in try journal.keep(resultsUnder: definitions) }
  }

  /// Number and definition of a point that is asked for by itself.
  func ask(for parameters: Parameters) throws(JournalError) -> PointDefinition? {
    let journal = try opened()
    return try journal.point(try journal.ask(for: parameters))
  }

  /// What points are prepared with; durable with the next commit.
  func note(_ definition: String, of points: [Int]) {
    for number in points { notes[number] = definition }
  }

  func apply(_ commit: JournalCommit) throws {
    let journal = try opened()
    try step { () throws(JournalError) in
      try journal.apply(commit, notes: notes)
      notes = [:]
    }
  }

  /// True for a point without a verdict.
  func isOpen(_ point: Int) throws(JournalError) -> Bool {
    try opened().isOpen(point)
  }

  /// Takes verdicts back.
  ///
  /// - Returns: the numbers of the points.
  func reopen(
    resources: String? = nil, isDoneToo: Bool = false, _ isMeant: (Int, PointRecord) -> Bool
  ) throws(JournalError) -> [Int] {
    let journal = try opened()
    var record = try journal.load()
    var commit = JournalCommit()
    for number in record.points.indices.map({ $0 + 1 })
    where isMeant(number, record.points[number - 1]) {
      guard let reopened = record.reopen(number, resources: resources, isDoneToo: isDoneToo) else {
        continue
      }
      commit.points[number] = record.points[number - 1]
      if let id = reopened.attempt { commit.attempts[id] = record[attempt: id] }
    }
    if !commit.isEmpty { try journal.apply(commit) }
    return commit.points.keys.sorted()
  }

  func rows(
    of numbers: Set<Int>?, all: Bool, folder: String
  ) throws(JournalError) -> [SweepRow] {
    try opened().rows(of: numbers, all: all, folder: folder)
  }

  func keep(results: [Int: (result: String?, error: String?)]) throws(JournalError) {
    try opened().keep(results: results)
  }
}

/// A journal's file and what belongs to it.
enum JournalFiles {
  static func remove(_ path: String) {
    for suffix in ["", "-journal"] { _ = try? LocalFile.remove(path + suffix) }
  }
}
