/// Asks somebody what is to become of results that came about with something else than would run
/// now. Is told what has changed; nil where there is no answer.
public typealias EditQuestion = @Sendable (_ whatChanged: String) async -> SweepDefinition.EditRule?

/// What is done about results that came about with something else than would run now.
enum EditHandling {
  /// As `on_edit` says, somebody asked where that is to be.
  case settled(EditQuestion?)
  /// Nothing, for what only steers.
  case ignored
}

/// A point with a verdict that ran with something else than would run now.
struct ChangedPoint: Sendable {
  var number: Int
  var isDone: Bool
  /// What it would run with now.
  var definition: String
  /// Its user has kept its result under this very definition.
  var isKept: Bool
}

extension SweepSession {
  func changed(
    _ loaded: JournalKeeper.Loaded, _ blueprint: SweepBlueprint, _ stage: InputStage
  ) async throws -> [ChangedPoint] {
    var changed: [ChangedPoint] = []
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
      guard now != ran else { continue }
      changed.append(
        ChangedPoint(
          number: point.number, isDone: verdict == .done, definition: now,
          isKept: point.kept == now))
    }
    return changed
  }

  /// What the journal keeps of the definition, to show at the next run what has changed.
  func recorded(
    _ blueprint: SweepBlueprint, _ stage: InputStage
  ) async -> RecordedDefinition {
    let definition = blueprint.definition
    var inputs: String?
    // One that is missing is told when it is to be uploaded: what is under way is collected first.
    if case .fixed(let fixed) = definition.inputs { inputs = try? await stage.lines(of: fixed) }
    return RecordedDefinition(
      space: definition.space, digest: blueprint.digest, source: definition.script.text,
      version: definition.version, inputs: inputs)
  }

  /// What `on_edit`, or whoever is asked, says of points that ran with something else.
  func settle(
    _ changed: [ChangedPoint], _ now: RecordedDefinition, _ loaded: JournalKeeper.Loaded,
    _ keeper: JournalKeeper, _ asking: EditQuestion?
  ) async throws -> JournalKeeper.Loaded {
    guard let definition else { return loaded }
    // What failed has no results to lose: it waits for a retry in any case.
    let open = changed.filter { $0.isDone && !$0.isKept }
    var rule = definition.onEdit
    if rule == .ask {
      guard !open.isEmpty else { return loaded }
      let members = loaded.record.points.count(where: \.isMember)
      let edit = Edit(before: loaded.recorded, now: now, script: definition.script.source)
      let message =
        "\(edit.subject) changed since \(open.count) of \(members) points ran\(edit.place)"
      guard let answer = await answer(to: message, asking), answer != .ask else {
        throw SweepError(
          .answerNeeded, message,
          hint: "on_edit = \"keep\" keeps their results, \"rerun\" runs them anew")
      }
      rule = answer
    }
    if rule == .rerun {
      let numbers = Set(changed.map(\.number))
      _ = try await keeper.reopen(isDoneToo: true) { number, _ in numbers.contains(number) }
      return try await keeper.load()
    }
    if !open.isEmpty {
      try await keeper.keep(
        resultsUnder: Dictionary(
          open.map { ($0.number, $0.definition) }, uniquingKeysWith: { first, _ in first }))
    }
    return loaded
  }
}

/// What has changed from one definition to the next, in words.
struct Edit {
  /// `ising.sh`, `the input ising.awk and the version`.
  var subject: String
  /// ` (line 7)`: the first line of the script that differs; empty where none does.
  var place = ""

  init(before: RecordedDefinition?, now: RecordedDefinition, script: String) {
    var parts: [String] = []
    let isText = now.source != nil && before?.source != nil
    let hasScriptChanged = isText && now.source != before?.source
    if hasScriptChanged { parts.append(script.isEmpty ? "the script" : script) }
    let inputs = Self.inputs(before?.inputs, now.inputs)
    if inputs.count > 3 {
      parts.append("\(inputs.count) inputs")
    } else if !inputs.isEmpty {
      parts.append("the input\(inputs.count > 1 ? "s" : "") \(inputs.joined(separator: ", "))")
    }
    if let old = before?.version, let new = now.version, old != new {
      parts.append("the version (\"\(old)\" before, \"\(new)\" now)")
    }
    if parts.isEmpty, before?.version != nil, before?.digest != now.digest {
      parts.append(isText ? "markers or template" : "the script")
    }
    if parts.isEmpty {
      parts.append(now.inputs == nil ? "the inputs of points" : "script, inputs or version")
    }
    subject = parts.dropLast().joined(separator: ", ")
    subject += (parts.count > 1 ? " and " : "") + (parts.last ?? "")
    guard hasScriptChanged, let old = before?.source, let new = now.source else { return }
    let pairs = zip(
      old.split(separator: "\n", omittingEmptySubsequences: false),
      new.split(separator: "\n", omittingEmptySubsequences: false))
    let line = pairs.prefix { $0 == $1 }.count + 1
    place = parts.count > 1 ? " (\(parts[0]): line \(line))" : " (line \(line))"
  }

  /// Names of inputs that are others than before, have come, or have gone.
  private static func inputs(_ before: String?, _ now: String?) -> [String] {
    guard let before, let now, before != now else { return [] }
    func lines(_ text: String) -> [Substring] { text.split(separator: "\n") }
    let (old, new) = (Set(lines(before)), Set(lines(now)))
    var names: [String] = []
    for line in lines(now).filter({ !old.contains($0) })
      + lines(before).filter({ !new.contains($0) })
    {
      let name = String(line.split(separator: " ", maxSplits: 1).last ?? "")
      if !names.contains(name) { names.append(name) }
    }
    return names
  }
}
