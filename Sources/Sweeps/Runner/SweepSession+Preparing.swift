import FoundationEssentials
import HPCClient
import Synchronization

extension SweepSession {
  /// A run that can begin.
  struct Prepared: Sendable {
    var setup: SweepEngine.Setup
    var relay: TroubleRelay
  }

  /// Opens the journal as its only writer.
  func openKeeper() async throws(SweepError) -> JournalKeeper {
    let keeper = JournalKeeper(fate: fate)
    let now = Int64(service.client.configuration.time.date().timeIntervalSince1970)
    do {
      try await keeper.open(
        path: journalPath, name: name, service: service.identity, now: now,
        // Who only steers throws nothing away: the next run does.
        isThrowaway: service.isSimulated && definition != nil, pageLimit: pageLimit)
    } catch let error as JournalError {
      throw SweepError(error)
    } catch {
      await keeper.close()
      throw SweepError(.stopped, "the process was killed")
    }
    catalog?.register(SweepCatalog.Entry(name: name, journal: journalPath))
    return keeper
  }

  /// Reads definition and journal, and makes the one fit the other.
  ///
  /// - Parameters:
  ///   - mode: how far to go.
  ///   - startsMembers: whether new points of the space are submitted.
  ///   - edits: what is done about results that came about with something else.
  func prepare(
    _ mode: SweepSettings.Mode, startsMembers: Bool, edits: EditHandling
  ) async throws -> Prepared {
    let relay = TroubleRelay()
    let shell = SweepShell(service: service, timing: timing) { relay.tell($0) }
    let stage = InputStage(shell: shell)
    let blueprint = try definition.map {
      try SweepBlueprint($0, simulatedSpeed: service.isSimulated ? service.clockRate : nil)
    }
    let keeper = try await openKeeper()
    do {
      var loaded: JournalKeeper.Loaded
      var changed: [ChangedPoint] = []
      if let blueprint, let definition, case .settled(let asking) = edits {
        try await keeper.register(definition.points)
        loaded = try await keeper.load()
        changed = try await self.changed(loaded, blueprint, stage)
        let now = await recorded(blueprint, stage)
        if !changed.isEmpty { loaded = try await settle(changed, now, loaded, keeper, asking) }
        try await check(loaded, blueprint)
        try await keeper.keep(now)
      } else {
        loaded = try await keeper.load()
      }
      let outdated = await outdated(loaded, blueprint, changed, shell, stage)
      let machine = SweepMachine(
        record: loaded.record, settings: settings(mode, startsMembers: startsMembers),
        seed: seed(), order: loaded.order, outdated: outdated.staged,
        superseded: outdated.attempts)
      return Prepared(
        setup: SweepEngine.Setup(
          machine: machine, points: loaded.points, blueprint: blueprint, shell: shell,
          stage: stage, keeper: keeper, folder: outputFolder, board: board, news: news),
        relay: relay)
    } catch {
      await keeper.close()
      throw error
    }
  }

  private func settings(_ mode: SweepSettings.Mode, startsMembers: Bool) -> SweepSettings {
    var settings = SweepSettings()
    settings.mode = mode
    settings.startsMembers = startsMembers
    settings.rootPrefix = "hpc/\(name)"
    let letters = name.lowercased().utf8.filter {
      (0x61...0x7a).contains($0) || (0x30...0x39).contains($0)
    }
    let prefix = String(decoding: letters.drop { $0 < 0x61 }.prefix(3), as: UTF8.self)
    settings.namePrefix = prefix.isEmpty ? "hpc" : prefix
    settings.timing = timing
    // Enough to keep every connection busy while the next intents become durable.
    settings.postsAtOnce = max(4, 4 * (service.connections - 1))
    guard let definition else { return settings }
    settings.maxQueued = definition.maxQueued
    settings.retries = definition.retries
    settings.budget = definition.budget.map { $0 * 3600 }
    settings.stopAfter = definition.stopAfter
    settings.pack = max(1, definition.pack.points)
    settings.atOnce = max(1, definition.pack.atOnce)
    return settings
  }

  // MARK: Edits

  /// Staged submissions whose script would be another one now: script, inputs, setup or resources
  /// have changed, or a retry has said more of them. And attempts that were posted so.
  private func outdated(
    _ loaded: JournalKeeper.Loaded, _ blueprint: SweepBlueprint?, _ changed: [ChangedPoint],
    _ shell: SweepShell, _ stage: InputStage
  ) async -> (staged: Set<Int>, attempts: Set<AttemptID>) {
    guard let blueprint, let root = loaded.record.root?.path else { return ([], []) }
    let record = loaded.record
    var staged: Set<Int> = []
    var attempts = Set(
      changed.map {
        AttemptID(point: $0.number, number: record.points[$0.number - 1].attempts.count)
      })
    // After a success failures alike stop nothing: then nobody asks what those ran that are posted.
    let others = Set(changed.map(\.number))
    let hasSuccess = record.points.indices.contains {
      record.points[$0].verdict == .done && !others.contains($0 + 1)
    }
    let writer = SubmissionWriter(blueprint: blueprint, shell: shell, stage: stage)
    for (index, submission) in record.submissions.enumerated() {
      let isStaged = submission.phase == .staged
      guard
        isStaged
          || !hasSuccess && submission.script != nil
            && submission.attempts.contains(where: { !record[attempt: $0].phase.isSettled })
      else { continue }
      let parts = submission.attempts.map { id in
        let known = loaded.points[id.point - 1]
        let point = SweepPoint(
          number: known.number, name: known.name, parameters: known.parameters)
        return SubmissionWriter.Part(id, at: point, in: record)
      }
      // What cannot be prepared any more is told when that is tried.
      let now = try? await writer.digest(name: submission.name, root: root, parts)
      guard now != submission.script else { continue }
      if isStaged { staged.insert(index + 1) } else { attempts.formUnion(submission.attempts) }
    }
    return (staged, attempts)
  }

  // MARK: Checks

  /// Refuses what can be known to go wrong, by the first point that would run.
  private func check(_ loaded: JournalKeeper.Loaded, _ blueprint: SweepBlueprint) async throws {
    if let problem = blueprint.definition.outputFolderProblem(isSimulated: service.isSimulated) {
      throw problem
    }
    let next = loaded.order.first { loaded.record.points[$0 - 1].verdict == nil }
    if let next {
      let known = loaded.points[next - 1]
      let point = SweepPoint(number: next, name: known.name, parameters: known.parameters)
      var resources = Resources()
      switch blueprint.definition.resources {
      case .fixed(let fixed): resources = fixed
      case .perPoint(let function): resources = try await function(point, 1)
      }
      if case .perPoint(let function) = blueprint.definition.inputs {
        _ = try await function(point)
      }
      try blueprint.check(point)
      let directives = try blueprint.directives(of: point, resources: resources)
      let notes = try blueprint.notes(point, directives)
      if let note = notes.first(where: { $0.severity == .error }) {
        throw SweepPlan.scriptProblem(note)
      }
    }
    if !blueprint.names.isEmpty, next != nil, let name = blueprint.unusedNames().first {
      throw SweepPlan.unusedProblem(name)
    }
  }
}

/// Carries what fails in requests to the run that they belong to.
final class TroubleRelay: Sendable {
  private let target = Mutex<(@Sendable (SweepShell.Trouble) -> Void)?>(nil)

  func connect(to engine: SweepEngine) {
    target.withLock { target in
      target = { [weak engine] trouble in Task { await engine?.heard(trouble) } }
    }
  }

  func disconnect() {
    target.withLock { $0 = nil }
  }

  func tell(_ trouble: SweepShell.Trouble) {
    target.withLock { $0 }?(trouble)
  }
}

extension SweepScript {
  /// The text, nil for a script that is on the machine.
  var text: String? { if case .text(let text) = body { text } else { nil } }
}

extension SweepEngine.Setup {
  /// A point that the journal has got since it was loaded.
  mutating func add(_ point: PointDefinition) {
    while points.count < point.number {
      points.append(PointDefinition(number: points.count + 1, name: "", parameters: Parameters([])))
    }
    points[point.number - 1] = point
  }
}
