import FoundationEssentials
import HPCClient
import ObjectStore

/// One sweep of this process: runs it, steps it, steers it. The journal is locked while a run lasts
/// and at no other time.
public actor SweepSession {
  /// Absolute paths of the journal and of the folder of outputs.
  public nonisolated let journalPath: String
  public nonisolated let outputFolder: String
  public nonisolated let name: String
  /// Nil for a journal that was opened by itself: it is settled and collected, nothing new is
  /// submitted, and no result function runs.
  public nonisolated let definition: SweepDefinition?
  let service: SweepService
  let catalog: SweepCatalog?
  let news: @Sendable (SweepNews) -> Void
  nonisolated let board = ProgressBoard()
  let fate: @Sendable (Int) -> JournalKeeper.Fate
  /// Pages that the journal may have, for tests of a full disk.
  let pageLimit: Int?
  let seed: @Sendable () -> UInt64
  let timing: SweepTiming
  private(set) var engine: SweepEngine?
  private var running: Task<Result<SweepReport, SweepError>, Never>?
  private var question: Task<SweepDefinition.EditRule?, Never>?
  private(set) var isDetaching = false
  private var engineWaiters: [CheckedContinuation<Void, Never>] = []

  /// A sweep by its definition.
  ///
  /// - Parameters:
  ///   - definition: what its user says.
  ///   - service: where its jobs run.
  ///   - catalog: where its journal is noted.
  ///   - news: told what happens, from any thread.
  public init(
    _ definition: SweepDefinition, service: SweepService, catalog: SweepCatalog? = nil,
    news: @escaping @Sendable (SweepNews) -> Void = { _ in }
  ) {
    self.init(
      definition, journal: definition.journalPath(isSimulated: service.isSimulated),
      name: definition.name, service: service, catalog: catalog, news: news)
  }

  /// An existing journal by its path.
  public init(
    journal path: String, service: SweepService, catalog: SweepCatalog? = nil,
    news: @escaping @Sendable (SweepNews) -> Void = { _ in }
  ) throws(SweepError) {
    let name = try SweepBooks(journal: path).status().name
    self.init(nil, journal: path, name: name, service: service, catalog: catalog, news: news)
  }

  init(
    _ definition: SweepDefinition?, journal path: String, name: String, service: SweepService,
    catalog: SweepCatalog? = nil, news: @escaping @Sendable (SweepNews) -> Void = { _ in },
    timing: SweepTiming? = nil,
    seed: @escaping @Sendable () -> UInt64 = { UInt64.random(in: 0...UInt64.max) },
    fate: @escaping @Sendable (Int) -> JournalKeeper.Fate = { _ in .proceed },
    pageLimit: Int? = nil
  ) {
    self.definition = definition
    self.name = name
    self.service = service
    self.catalog = catalog
    self.news = news
    self.fate = fate
    self.pageLimit = pageLimit
    self.seed = seed
    self.timing = timing ?? SweepTiming().scaled(by: service.clockRate)
    journalPath = path
    outputFolder = (path.hasSuffix(".sweep") ? String(path.dropLast(6)) : path) + ".out"
  }

  /// How far it is; of the last run where none is in progress. To be called from any thread.
  public nonisolated var progress: SweepProgress { board.progress }

  public var isRunning: Bool { running != nil }

  // MARK: Running

  /// Runs until every point has its verdict, or does one step. A run that is in progress is waited
  /// for instead; after one that is detaching another begins.
  ///
  /// - Parameters:
  ///   - mode: how far to go.
  ///   - asking: asks somebody about results of points that ran with something else; nil where
  ///     nobody can be asked.
  /// - Returns: how it ended; a verdict that is no success is the report's ``SweepReport/error``.
  /// - Throws: why nothing was begun: another process, an answer that is needed, the definition.
  public func run(
    _ mode: SweepSettings.Mode = .run, asking: EditQuestion? = nil
  ) async throws(SweepError) -> SweepReport {
    while let running {
      if !isDetaching {
        guard await engine?.machine.settings.startsMembers == false else { break }
      }
      _ = await running.value
    }
    if running == nil { begin { try await $0.perform(mode, asking) } }
    guard let running else { throw SweepError(.stopped, "the run is over") }
    return try await running.value.get()
  }

  /// Runs in the background; ``wait()`` gives its report.
  public func start() {
    if running == nil { begin { try await $0.perform(.run, nil) } }
  }

  /// The report of the run in progress; nil where there is none.
  public func wait() async throws(SweepError) -> SweepReport? {
    guard let running else { return nil }
    return try await running.value.get()
  }

  /// Submits no more, waits for the answers to what is being posted, and ends the run; its report
  /// names what is not known yet.
  public func detach() async {
    guard let running else { return }
    isDetaching = true
    question?.cancel()
    await engineOrEnd()
    await engine?.receive(.detach)
    _ = await running.value
  }

  private func begin(
    _ body: @escaping @Sendable (isolated SweepSession) async throws -> SweepReport
  ) {
    isDetaching = false
    running = Task {
      let result: Result<SweepReport, SweepError>
      do {
        result = .success(try await body(self))
      } catch let error as SweepError {
        result = .failure(error)
      } catch let error as JournalError {
        result = .failure(SweepError(error))
      } catch {
        result = .failure(SweepError(.definition, "\(error)"))
      }
      self.engine = nil
      self.running = nil
      self.announceEngine()
      return result
    }
  }

  /// Returns once a run that is being prepared has begun, or come to nothing.
  private func engineOrEnd() async {
    guard running != nil, engine == nil else { return }
    await withCheckedContinuation { engineWaiters.append($0) }
  }

  private func announceEngine() {
    for waiter in engineWaiters { waiter.resume() }
    engineWaiters = []
  }

  private func perform(
    _ mode: SweepSettings.Mode, _ asking: EditQuestion?
  ) async throws -> SweepReport {
    let prepared = try await prepare(
      mode, startsMembers: definition != nil, edits: .settled(asking))
    return try await drive(prepared, mode)
  }

  /// What the user wants of results that came about with something else than would run now; nil
  /// where nobody answers.
  func answer(
    to whatChanged: String, _ asking: EditQuestion?
  ) async -> SweepDefinition.EditRule? {
    guard let asking, !isDetaching else { return nil }
    let asked = Task { await asking(whatChanged) }
    question = asked
    defer { question = nil }
    let answer = await asked.value
    return isDetaching ? nil : answer
  }

  private func drive(
    _ prepared: Prepared, _ mode: SweepSettings.Mode, first events: [SweepEvent] = []
  ) async throws -> SweepReport {
    let engine = SweepEngine(prepared.setup)
    prepared.relay.connect(to: engine)
    self.engine = engine
    announceEngine()
    for event in events { await engine.receive(event) }
    let end = await engine.run()
    prepared.relay.disconnect()
    switch end {
    case .outcome(let outcome):
      return await report(outcome, of: engine, mode)
    case .failed(let error): throw error
    case .died: throw SweepError(.stopped, "the process was killed")
    }
  }

  // MARK: Steering

  /// Cancels points that have no verdict; tells a run that is in progress, else makes a step.
  ///
  /// - Returns: how many.
  public func cancel(_ selection: PointSelection = .all) async throws(SweepError) -> Int {
    await engineOrEnd()
    if let engine {
      if let count = await engine.cancel(selection) { return count }
      _ = await running?.value
    }
    let numbers = try await read { books throws(SweepError) in
      try books.rows(all: true).filter {
        !$0.state.isVerdict && selection.points?.contains($0.point) != false
      }.map(\.point)
    }
    guard !numbers.isEmpty else { return 0 }
    if running != nil { return try await cancel(selection) }
    begin {
      let prepared = try await $0.prepare(.step, startsMembers: false, edits: .ignored)
      return try await $0.drive(prepared, .step, first: [.cancel(numbers)])
    }
    guard let running else { return 0 }
    _ = try await running.value.get()
    return numbers.count
  }

  /// Takes the verdicts of failed and cancelled points back; a run that is in progress takes them
  /// up, else the next one does.
  ///
  /// - Parameters:
  ///   - selection: which.
  ///   - resources: what their next attempts ask for, over the sweep's own.
  /// - Returns: their numbers.
  public func retry(
    _ selection: PointSelection = .all, resources: Resources? = nil
  ) async throws(SweepError) -> [Int] {
    try Self.check(resources)
    await engineOrEnd()
    if let engine, let numbers = await engine.retry(selection, resources: resources?.json) {
      return numbers
    }
    if let running { _ = await running.value }
    return try await Self.reopen(selection, resources, in: try await openKeeper())
  }

  /// The same by a journal alone, for a sweep that this process does not run.
  ///
  /// - Parameter path: absolute path of the journal.
  public static func retry(
    journal path: String, _ selection: PointSelection = .all, resources: Resources? = nil
  ) async throws(SweepError) -> [Int] {
    try check(resources)
    let status = try await DiskWork.run { () throws(SweepError) in
      try SweepBooks(journal: path).status()
    }
    let keeper = JournalKeeper()
    do {
      try await keeper.open(
        path: path, name: status.name, service: status.service,
        now: Int64(Date().timeIntervalSince1970), isThrowaway: false)
    } catch {
      throw (error as? JournalError).map { SweepError($0) } ?? SweepError(.stopped, "\(error)")
    }
    return try await reopen(selection, resources, in: keeper)
  }

  private static func check(_ resources: Resources?) throws(SweepError) {
    do throws(ResourceError) {
      try resources?.check()
    } catch {
      throw SweepError(.argument, "\(error)")
    }
  }

  private static func reopen(
    _ selection: PointSelection, _ resources: Resources?, in keeper: JournalKeeper
  ) async throws(SweepError) -> [Int] {
    let result: Result<[Int], JournalError>
    do throws(JournalError) {
      result = .success(
        try await keeper.reopen(resources: resources?.json) { selection.isFailed($0, $1) })
    } catch {
      result = .failure(error)
    }
    await keeper.close()
    do throws(JournalError) {
      return try result.get()
    } catch {
      throw SweepError(error)
    }
  }

  /// One point by itself: runs it unless it has a verdict, and waits for that.
  ///
  /// - Parameters:
  ///   - parameters: numbers are compared by value.
  ///   - asking: as for ``run(_:asking:)``.
  /// - Returns: its row; ``SweepRow/state`` says the verdict.
  /// - Throws: why it could not be run to its end.
  public func eval(
    _ parameters: Parameters, asking: EditQuestion? = nil
  ) async throws(SweepError) -> SweepRow {
    do {
      return try await evaluate(try ordered(parameters), asking)
    } catch let error as SweepError {
      throw error
    } catch let error as JournalError {
      throw SweepError(error)
    } catch {
      throw SweepError(.definition, "\(error)")
    }
  }

  private var isChecked = false

  private func evaluate(
    _ parameters: Parameters, _ asking: EditQuestion?
  ) async throws -> SweepRow {
    while true {
      if isChecked, let row = try? await row(parameters), row.state.isVerdict { return row }
      if let engine {
        guard let point = try await engine.setup.keeper.ask(for: parameters) else { continue }
        await engine.want(point)
        if let row = try await row(point.parameters), row.state.isVerdict { return row }
        // It ended without this point, or before it heard of it: its end says which.
        if let running { try? await stopOf(running.value) }
        continue
      }
      if let running {
        _ = await running.value
        continue
      }
      begin {
        let prepared = try await $0.prepare(
          .run, startsMembers: false, edits: .settled(asking))
        $0.isChecked = true
        guard let point = try await prepared.setup.keeper.ask(for: parameters),
          try await prepared.setup.keeper.isOpen(point.number)
        else {
          await prepared.setup.keeper.close()
          return SweepReport()
        }
        var setup = prepared
        setup.setup.add(point)
        return try await $0.drive(setup, .run, first: [.want([point.number])])
      }
      guard let running else { continue }
      let report = try await running.value.get()
      if let row = try await row(parameters) {
        if row.state.isVerdict { return row }
        if let error = report.error, error.code != .pointsFailed { throw error }
        return row
      }
    }
  }

  private func row(_ parameters: Parameters) async throws(SweepError) -> SweepRow? {
    try await read { books throws(SweepError) in try books.row(parameters) }
  }

  private func stopOf(_ result: Result<SweepReport, SweepError>) throws {
    if let error = try result.get().error, error.code != .pointsFailed { throw error }
  }

  /// The parameters in the order of the sweep's names.
  private func ordered(_ parameters: Parameters) throws(SweepError) -> Parameters {
    let names = definition.map { $0.points.first?.names ?? $0.parameterNames } ?? []
    guard !names.isEmpty else { return parameters }
    for name in parameters.names where !names.contains(name) {
      let near = nearest(to: name, among: Set(names)).map { ": did you mean \($0)?" } ?? ""
      throw SweepError(.argument, "the sweep has no parameter \(name)\(near)")
    }
    var values: [ParameterValue] = []
    for name in names {
      guard let value = parameters[name] else {
        throw SweepError(.argument, "the parameter \(name) is missing")
      }
      values.append(value)
    }
    return Parameters(names: names, values: values)
  }
}
