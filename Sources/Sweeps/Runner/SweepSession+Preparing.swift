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
  func prepare(_ mode: SweepSettings.Mode, startsMembers: Bool) async throws -> Prepared {
    let relay = TroubleRelay()
    let shell = SweepShell(service: service, timing: timing) { relay.tell($0) }
    let stage = InputStage(shell: shell)
    let blueprint = try definition.map {
      try SweepBlueprint($0, simulatedSpeed: service.isSimulated ? service.clockRate : nil)
    }
    let keeper = try await openKeeper()
    do {
      var loaded: JournalKeeper.Loaded
      if let blueprint, let definition {
        try await keeper.register(definition.points)
        loaded = try await keeper.load()
        let changed = try await self.changed(loaded, blueprint, stage)
        if !changed.isEmpty { loaded = try await settle(changed, loaded, keeper) }
        try await check(loaded, blueprint)
        try await keeper.keep(
          RecordedDefinition(
            space: definition.space, digest: blueprint.digest, source: definition.script.text))
      } else {
        loaded = try await keeper.load()
      }
      let outdated = await outdated(loaded, blueprint, shell, stage)
      let machine = SweepMachine(
        record: loaded.record, settings: settings(mode, startsMembers: startsMembers),
        seed: seed(), order: loaded.order, outdated: outdated)
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

  /// A point with a verdict that ran with something else than would run now.
  private struct Changed {
    var number: Int
    var isDone: Bool
  }

  private func changed(
    _ loaded: JournalKeeper.Loaded, _ blueprint: SweepBlueprint, _ stage: InputStage
  ) async throws -> [Changed] {
    var changed: [Changed] = []
    var shared: String?
    for point in loaded.points {
      let record = loaded.record.points[point.number - 1]
      guard record.isMember, let verdict = record.verdict, verdict != .cancelled,
        let ran = point.definition
      else { continue }
      let now: String
      switch blueprint.definition.inputs {
      case .fixed(let inputs):
        if shared == nil {
          shared = blueprint.definition(withInputs: try await stage.digest(of: inputs))
        }
        now = shared ?? ""
      case .perPoint(let function):
        let inputs = try await function(
          SweepPoint(number: point.number, name: point.name, parameters: point.parameters))
        now = blueprint.definition(withInputs: try await stage.digest(of: inputs))
      }
      if now != ran { changed.append(Changed(number: point.number, isDone: verdict == .done)) }
    }
    return changed
  }

  /// What `on_edit` says of points that ran with something else.
  private func settle(
    _ changed: [Changed], _ loaded: JournalKeeper.Loaded, _ keeper: JournalKeeper
  ) async throws -> JournalKeeper.Loaded {
    guard let definition else { return loaded }
    switch definition.onEdit {
    case .keep: return loaded
    case .rerun:
      let numbers = Set(changed.map(\.number))
      _ = try await keeper.reopen(isDoneToo: true) { number, _ in numbers.contains(number) }
      return try await keeper.load()
    case .ask:
      // What failed has no results to lose: it waits for a retry in any case.
      let done = changed.count(where: \.isDone)
      guard done > 0 else { return loaded }
      let members = loaded.record.points.count(where: \.isMember)
      throw SweepError(
        .answerNeeded,
        "\(Self.whatChanged(definition, loaded.recorded)) since \(done) of \(members) points ran"
          + Self.changedLine(definition, loaded.recorded),
        hint: "on_edit = \"keep\" keeps their results, \"rerun\" runs them anew")
    }
  }

  private static func whatChanged(
    _ definition: SweepDefinition, _ recorded: RecordedDefinition?
  ) -> String {
    guard definition.script.text != recorded?.source else {
      return "inputs or version changed"
    }
    return (definition.script.source.isEmpty ? "the script" : definition.script.source) + " changed"
  }

  /// ` (line 7)`: the first line that differs.
  private static func changedLine(
    _ definition: SweepDefinition, _ recorded: RecordedDefinition?
  ) -> String {
    guard let old = recorded?.source, let new = definition.script.text, old != new else {
      return ""
    }
    let before = old.split(separator: "\n", omittingEmptySubsequences: false)
    let after = new.split(separator: "\n", omittingEmptySubsequences: false)
    let same = zip(before, after).prefix { $0 == $1 }.count
    return " (line \(same + 1))"
  }

  /// Staged submissions whose script would be another one now: script, inputs, setup or resources
  /// have changed, or a retry has said more of them.
  private func outdated(
    _ loaded: JournalKeeper.Loaded, _ blueprint: SweepBlueprint?, _ shell: SweepShell,
    _ stage: InputStage
  ) async -> Set<Int> {
    guard let blueprint, let root = loaded.record.root?.path else { return [] }
    let writer = SubmissionWriter(blueprint: blueprint, shell: shell, stage: stage)
    var outdated: Set<Int> = []
    for (index, submission) in loaded.record.submissions.enumerated()
    where submission.phase == .staged {
      let parts = submission.attempts.map { id in
        let known = loaded.points[id.point - 1]
        let point = SweepPoint(
          number: known.number, name: known.name, parameters: known.parameters)
        return SubmissionWriter.Part(id, at: point, in: loaded.record)
      }
      // What cannot be prepared any more is told when that is tried.
      let now = try? await writer.digest(name: submission.name, root: root, parts)
      if now != submission.script { outdated.insert(index + 1) }
    }
    return outdated
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
