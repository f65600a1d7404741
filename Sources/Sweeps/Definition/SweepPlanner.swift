/// What a journal says of the points of a plan.
struct KnownPoints {
  private(set) var entries: [String: SweepJournal.PlanEntry] = [:]
  private(set) var nodeHoursUsed = 0.0
  private(set) var nodeHoursUnderWay = 0.0
  private(set) var hasRoot = false

  /// - Parameters:
  ///   - path: of the journal.
  ///   - simulator: endpoint of the simulator that the sweep is for, where it is one: the next run
  ///     throws away what another one left.
  init(path: String, simulator: String?) throws {
    let journal: SweepJournal
    do {
      journal = try SweepJournal(reading: path)
    } catch .missing {
      return
    }
    if let simulator, try journal.service()?.endpoint != simulator { return }
    try journal.eachPoint { key, entry in entries[key] = entry }
    nodeHoursUsed = try journal.usedNodeSeconds() / 3600
    nodeHoursUnderWay = try journal.nodeSecondsUnderWay() / 3600
    hasRoot = try journal.hasRoot()
  }
}

/// Adds up a plan point by point; keeps none of them.
struct SweepPlanner {
  private let blueprint: SweepBlueprint
  private let known: KnownPoints
  private let functions: SweepPlan.Functions
  private let findsChanges: Bool
  private var plan: SweepPlan
  /// Directives that all points have, unless a retry said otherwise.
  private var fixed: PJMDirectives?
  private var last: (resources: Resources, directives: PJMDirectives)?
  /// The points of the job that is being filled.
  private var job: [PJMDirectives] = []
  private var firstOfJob: Parameters?
  private var soundInputs: Set<SweepInput> = []
  private var trees: [SweepInput: String] = [:]
  private var changedDone = 0

  init(
    blueprint: SweepBlueprint, known: KnownPoints, functions: SweepPlan.Functions,
    findsChanges: Bool
  ) {
    self.blueprint = blueprint
    self.known = known
    self.functions = functions
    let definition = blueprint.definition
    self.findsChanges = findsChanges || definition.onEdit == .rerun
    plan = SweepPlan(
      points: definition.points.count, nodeHoursUsed: known.nodeHoursUsed,
      nodeHoursUnderWay: known.nodeHoursUnderWay, budget: definition.budget)
    plan.obstacle = definition.outputFolderProblem(isSimulated: blueprint.simulatedSpeed != nil)
  }

  mutating func add(_ index: Int, _ parameters: Parameters) throws {
    let entry = known.entries.isEmpty ? nil : known.entries[parameters.encoded]
    let point = SweepPoint(number: entry?.number ?? index + 1, name: "", parameters: parameters)
    switch entry?.state {
    case .done, .failed:
      if try isChanged(point, since: entry?.definition) {
        plan.changed += 1
        if entry?.state == .done { changedDone += 1 }
        if blueprint.definition.onEdit == .rerun { break }
      }
      if entry?.state == .done { plan.done += 1 } else { plan.failed += 1 }
      return
    case .cancelled:
      plan.failed += 1
      return
    case .submitted, .running, .blocked:
      plan.inFlight += 1
      return
    case .unknown:
      plan.unknown += 1
      return
    case .new, .waiting, nil: break
    }
    try addNew(point, entry)
  }

  private mutating func addNew(_ point: SweepPoint, _ entry: SweepJournal.PlanEntry?) throws {
    plan.new += 1
    try blueprint.check(point)
    let directives = try directives(of: point, entry)
    if plan.new == 1 { try showFirst(point, directives) }
    // One of a kind is enough: it already keeps the sweep from running.
    if plan.obstacle == nil, plan.new == 1 || functions.inputs != nil {
      let inputs = try inputs(of: point)
      do throws(SweepError) {
        try InputTree.check(inputs, known: &soundInputs)
      } catch {
        plan.obstacle = error
        if functions.inputs != nil {
          plan.obstacle?.message = point.parameters.heading + error.message
        }
      }
    }
    let hours = Self.nodeHours(directives, directives.elapse ?? ScriptLint.standardElapse)
    if hours > plan.largest?.nodeHours ?? -1 {
      plan.largest = .init(parameters: point.parameters, nodeHours: hours)
    }
    if job.isEmpty { firstOfJob = point.parameters }
    job.append(directives)
    if job.count >= blueprint.definition.pack.points { try closeJob() }
  }

  private static func nodeHours(_ directives: PJMDirectives, _ elapse: Int) -> Double {
    Double(directives.nodes) * Double(elapse) / 3600
  }

  private mutating func closeJob() throws {
    guard !job.isEmpty else { return }
    let (directives, elapse) = try SubmissionWriter.together(
      job, atOnce: blueprint.definition.pack.atOnce)
    plan.jobs += 1
    plan.nodeHours += Self.nodeHours(directives, elapse)
    if plan.notices.allSatisfy({ $0.severity != .error }) {
      let place = firstOfJob?.heading ?? ""
      let kind = job.count > 1 ? "the job of \(job.count) points from \(place)" : place
      plan.notices += ScriptLint.limits(of: directives).map { note in
        ScriptNote(line: 0, severity: .error, message: kind + note.message)
      }
    }
    job.removeAll(keepingCapacity: true)
  }

  private mutating func directives(
    of point: SweepPoint, _ entry: SweepJournal.PlanEntry?
  ) throws -> PJMDirectives {
    let more = entry?.resources.flatMap { Resources(json: $0) }
    if let fixed, more == nil { return fixed }
    var wanted = Resources()
    var isFixed = false
    if let resources = functions.resources {
      wanted = try resources(point, entry?.nextAttempt ?? 1)
    } else if case .fixed(let own) = blueprint.definition.resources {
      wanted = own
      isFixed = !blueprint.hasDirectivesOfPoints
    }
    var directives: PJMDirectives
    if let last, last.resources == wanted, !blueprint.hasDirectivesOfPoints {
      directives = last.directives
    } else {
      directives = try blueprint.directives(of: point, resources: wanted)
      last = (wanted, directives)
    }
    if isFixed { fixed = directives }
    if let more { try directives.merge(more) }
    return directives
  }

  // MARK: Inputs

  private func inputs(of point: SweepPoint) throws -> [SweepInput] {
    if let inputs = functions.inputs { return try inputs(point) }
    if case .fixed(let own) = blueprint.definition.inputs { return own }
    return []
  }

  /// Whether a point with a verdict ran with something else than would run now.
  private mutating func isChanged(_ point: SweepPoint, since definition: String?) throws -> Bool {
    guard findsChanges, let definition else { return false }
    var lines: [String] = []
    for input in try inputs(of: point) {
      var digest = trees[input]
      if digest == nil, case .local(let path, let name) = input {
        // What cannot be read now is another one in any case; a run tells why.
        digest = (try? InputTree(path: path, name: name).digest) ?? ""
        trees[input] = digest
      }
      lines.append(input.identity(tree: digest ?? ""))
    }
    return blueprint.definition(withInputs: InputTree.digest(of: lines)) != definition
  }

  // MARK: The script

  private mutating func showFirst(_ point: SweepPoint, _ directives: PJMDirectives) throws {
    plan.notices = try blueprint.notes(point, directives)
    let id = AttemptName(AttemptID(point: max(point.number, 1), number: 1))
    let attempt = try blueprint.attempt(id, at: point, previous: nil, earlier: [], inputs: [])
    guard case .text(let text) = attempt.program else { return }
    let head = ScriptHeader(text)
    let taken = Set(head.directives.map(\.number))
    let rest = text.split(separator: "\n", omittingEmptySubsequences: false)
      .enumerated().filter { !taken.contains($0.offset + 1) }.map(\.element)
    let hasInterpreter = rest.first?.hasPrefix("#!") == true
    let (said, _) = try SubmissionWriter.together([directives], atOnce: 1)
    let lines = said.lines.map { "#PJM \($0)\n" }.joined()
    let gap = attempt.setup.isEmpty || attempt.setup.hasSuffix("\n") ? "" : "\n"
    plan.script =
      ((hasInterpreter ? "\(rest[0])\n" : "") + lines + attempt.setup + gap
      + rest.dropFirst(hasInterpreter ? 1 : 0).joined(separator: "\n"))
      .replacing(JobScript.rootToken, with: "hpc/\(blueprint.definition.name)-…")
  }

  // MARK: The end

  mutating func finish(connections: Int, latency: Double) throws -> SweepPlan {
    try closeJob()
    plan.latency = latency
    plan.submitSeconds = Double(plan.jobs) * latency / Double(max(1, connections - 1))
    if plan.jobs > 0 {
      // The root's, one of scripts and inputs for each batch that is staged ahead, one back.
      let batch = min(max(2 * blueprint.definition.maxQueued, 20), 2000)
      plan.syncs = (known.hasRoot ? 0 : 1) + (plan.jobs + batch - 1) / batch + 1
      plan.requests = plan.jobs + plan.syncs * 2 + 2
    } else if plan.inFlight + plan.unknown > 0 {
      plan.syncs = 1
      plan.requests = plan.syncs * 2 + 1
    }
    if changedDone > 0, plan.obstacle == nil, blueprint.definition.onEdit == .ask {
      plan.obstacle = SweepError(
        .answerNeeded,
        "script, inputs or version changed since \(changedDone) of \(plan.points) points ran",
        hint: "on_edit = \"keep\" keeps their results, \"rerun\" runs them anew")
    }
    // Functions are asked for new points alone, and without these nothing is missed.
    if plan.new > 0 { plan.unused = blueprint.unusedNames() }
    return plan
  }
}
