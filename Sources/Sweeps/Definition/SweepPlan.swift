/// What running a sweep would mean; made from the definition and the journal alone.
public struct SweepPlan: Sendable, Hashable {
  /// Points of the space, and of them those without a verdict, done, and failed or cancelled.
  public var points: Int
  public var new: Int
  public var done: Int
  public var failed: Int
  /// Points that ran with another script, other inputs or another version.
  public var changed: Int
  /// Jobs for the new points.
  public var jobs: Int
  /// Requests to the API and syncs among them, at least; nothing that waits is counted.
  public var requests: Int
  public var syncs: Int
  /// Seconds to submit all, at a latency of so many seconds, with one connection kept free.
  public var submitSeconds: Double
  public var latency: Double
  /// Limits of the new points' jobs, all together.
  public var nodeHours: Double
  /// What earlier runs used.
  public var nodeHoursUsed: Double
  public var budget: Double?
  /// The new point with the largest limit.
  public var largest: Largest?
  /// The script of the first new point as it would run, with its `#PJM` lines.
  public var script: String?
  public var notices: [ScriptNote]
  /// Parameters that nothing uses.
  public var unused: [String]

  public struct Largest: Sendable, Hashable {
    public var parameters: Parameters
    public var nodeHours: Double
  }

  /// What must be mended before it can run: the plan's own errors.
  public var problem: SweepError? {
    if let name = unused.first { return Self.unusedProblem(name) }
    if let note = notices.first(where: { $0.severity == .error }) {
      return SweepError(.definition, "the script cannot run as it is: \(note)")
    }
    return budgetProblem
  }

  static func unusedProblem(_ name: String) -> SweepError {
    SweepError(
      .definition,
      "nothing uses the parameter \(name): no {{\(name)}}, $\(name) or ${\(name)} in the script",
      hint: "Say unused = {\"\(name)\"} where that is meant")
  }

  private var budgetProblem: SweepError? {
    guard let budget, nodeHours + nodeHoursUsed > budget else { return nil }
    var message = "plan needs \(Self.hours(nodeHours)) node-hours"
    if nodeHoursUsed > 0 { message += " more, \(Self.hours(nodeHoursUsed)) are used" }
    message += ", budget is \(Self.hours(budget))"
    if let largest {
      message +=
        "; the largest point is \(largest.parameters): \(Self.hours(largest.nodeHours)) node-hours"
    }
    return SweepError(.definition, message)
  }

  /// `612`, `0.5`, `1.25`.
  static func hours(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return Int64(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
  }

  /// Makes a plan without network and without a lock.
  ///
  /// - Parameters:
  ///   - definition: the sweep.
  ///   - simulatedSpeed: of the simulator that it is for, nil for a real machine.
  ///   - connections: to the API, all together.
  ///   - latency: seconds that a submission takes.
  ///   - resources: what a point's job asks for, called in the order of the points on the caller's
  ///     thread; nil for the definition's own where these are fixed, and for no limits otherwise.
  ///   - inputsDigest: digest of a point's inputs, for the count of changed points.
  /// - Returns: the plan, with what is wrong in ``problem``.
  /// - Throws: ``SweepError`` for templates and directives that cannot be read, and whatever the
  ///   closures throw.
  public static func make(
    _ definition: SweepDefinition, simulatedSpeed: Double? = nil, connections: Int = 10,
    latency: Double = 1, resources: ((SweepPoint) throws -> Resources)? = nil,
    inputsDigest: (SweepPoint) throws -> String = { _ in "" }
  ) throws -> SweepPlan {
    let blueprint = try SweepBlueprint(definition, simulatedSpeed: simulatedSpeed)
    let known = try KnownPoints(
      path: definition.journalPath(isSimulated: simulatedSpeed != nil))
    var planner = Planner(blueprint: blueprint, known: known)
    for (index, parameters) in definition.points.enumerated() {
      try planner.add(index, parameters, resources: resources, inputsDigest: inputsDigest)
    }
    return planner.plan(connections: connections, latency: latency)
  }
}

/// What a journal says of the points of a plan.
private struct KnownPoints {
  struct Entry {
    var verdict: String?
    var definition: String?
    var number: Int
  }

  private(set) var entries: [String: Entry] = [:]
  private(set) var nodeSeconds = 0.0
  private(set) var hasRoot = false

  init(path: String) throws {
    let journal: SweepJournal
    do {
      journal = try SweepJournal(reading: path)
    } catch .missing {
      return
    }
    try journal.eachPoint { key, number, verdict, definition in
      entries[key] = Entry(verdict: verdict, definition: definition, number: number)
    }
    nodeSeconds = try journal.usedNodeSeconds()
    hasRoot = try journal.hasRoot()
  }
}

/// Adds up a plan point by point; keeps none of them.
private struct Planner {
  let blueprint: SweepBlueprint
  let known: KnownPoints
  private var plan: SweepPlan
  private var fixed: (directives: PJMDirectives, nodeHours: Double)?
  private var lastHeader: (text: String, resources: Resources, directives: PJMDirectives)?

  init(blueprint: SweepBlueprint, known: KnownPoints) {
    self.blueprint = blueprint
    self.known = known
    plan = SweepPlan(
      points: blueprint.definition.points.count, new: 0, done: 0, failed: 0, changed: 0, jobs: 0,
      requests: 0, syncs: 0, submitSeconds: 0, latency: 0, nodeHours: 0,
      nodeHoursUsed: known.nodeSeconds / 3600, budget: blueprint.definition.budget, largest: nil,
      script: nil, notices: [], unused: [])
  }

  mutating func add(
    _ index: Int, _ parameters: Parameters, resources: ((SweepPoint) throws -> Resources)?,
    inputsDigest: (SweepPoint) throws -> String
  ) throws {
    let entry = known.entries.isEmpty ? nil : known.entries[parameters.encoded]
    if let entry, entry.verdict != nil {
      let point = SweepPoint(number: entry.number, name: "", parameters: parameters)
      if let ran = entry.definition {
        let now = blueprint.definition(withInputs: try inputsDigest(point))
        if ran != now { plan.changed += 1 }
      }
      if entry.verdict == "done" { plan.done += 1 } else { plan.failed += 1 }
      return
    }
    plan.new += 1
    let hours: Double
    if let fixed, plan.new > 1 {
      hours = fixed.nodeHours
    } else {
      let point = SweepPoint(
        number: entry?.number ?? index + 1, name: "", parameters: parameters)
      let directives = try directives(of: point, resources)
      hours =
        Double(directives.nodes) * Double(directives.elapse ?? ScriptLint.standardElapse) / 3600
      if plan.new == 1 {
        try showFirst(point, directives)
      } else if plan.notices.allSatisfy({ $0.severity != .error }) {
        // One of a kind is enough: it already keeps the sweep from running.
        plan.notices += ScriptLint.limits(of: directives).map { note in
          ScriptNote(line: 0, severity: .error, message: "\(parameters): \(note.message)")
        }
      }
      if resources == nil, blueprint.variableHeader == nil { fixed = (directives, hours) }
    }
    plan.nodeHours += hours
    if hours > plan.largest?.nodeHours ?? -1 {
      plan.largest = .init(parameters: parameters, nodeHours: hours)
    }
  }

  private mutating func directives(
    of point: SweepPoint, _ resources: ((SweepPoint) throws -> Resources)?
  ) throws -> PJMDirectives {
    var wanted = Resources()
    if let resources {
      wanted = try resources(point)
    } else if case .fixed(let own) = blueprint.definition.resources {
      wanted = own
    }
    let header = try blueprint.header(of: point)
    if let last = lastHeader, last.resources == wanted, last.text == header {
      return last.directives
    }
    let directives = try blueprint.directives(of: point, script: header, resources: wanted)
    lastHeader = (header, wanted, directives)
    return directives
  }

  private mutating func showFirst(_ point: SweepPoint, _ directives: PJMDirectives) throws {
    let id = AttemptName(AttemptID(point: max(point.number, 1), number: 1))
    let attempt = try blueprint.attempt(id, at: point, previous: nil, earlier: [], inputs: [])
    guard case .text(let text) = attempt.program else { return }
    let lines = directives.lines.map { "#PJM \($0)\n" }.joined()
    let rest = text.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("#PJM") }
    let hasInterpreter = rest.first?.hasPrefix("#!") == true
    let first = hasInterpreter ? "\(rest[0])\n" : ""
    plan.script =
      first + lines + blueprint.setup
      + (blueprint.setup.isEmpty || blueprint.setup.hasSuffix("\n") ? "" : "\n")
      + rest.dropFirst(hasInterpreter ? 1 : 0).joined(separator: "\n")
      .replacing(JobScript.rootToken, with: "hpc/\(blueprint.definition.name)-…")
    plan.notices = ScriptLint.notes(script: text, directives: directives)
  }

  mutating func plan(connections: Int, latency: Double) -> SweepPlan {
    let pack = max(1, blueprint.definition.pack.points)
    plan.jobs = (plan.new + pack - 1) / pack
    plan.latency = latency
    plan.submitSeconds = Double(plan.jobs) * latency / Double(max(1, connections - 1))
    if plan.jobs > 0 {
      // The root's, one of scripts and inputs for each batch that is staged ahead, one back.
      let batch = min(max(2 * blueprint.definition.maxQueued, 20), 2000)
      plan.syncs = (known.hasRoot ? 0 : 1) + (plan.jobs + batch - 1) / batch + 1
      plan.requests = plan.jobs + plan.syncs * 2 + 2
    }
    plan.unused = blueprint.unusedNames()
    return plan
  }
}
