/// What running a sweep would mean; made from the definition and the journal alone.
public struct SweepPlan: Sendable, Hashable {
  /// Points of the space.
  public var points: Int
  /// Of them those that a run would submit, those whose jobs may be on the machine, those of which
  /// nothing can be proven, done ones, and failed or cancelled ones.
  public var new = 0
  public var inFlight = 0
  public var unknown = 0
  public var done = 0
  public var failed = 0
  /// Points that ran with another script, other inputs or another version.
  public var changed = 0
  /// Jobs for the new points.
  public var jobs = 0
  /// Requests to the API and syncs among them, at least; nothing that waits is counted.
  public var requests = 0
  public var syncs = 0
  /// Seconds to submit all, at a latency of so many seconds, with one connection kept free.
  public var submitSeconds = 0.0
  public var latency = 0.0
  /// Limits of the new points' jobs, all together.
  public var nodeHours = 0.0
  /// What earlier runs used, and the limits of the jobs in flight.
  public var nodeHoursUsed: Double
  public var nodeHoursUnderWay: Double
  public var budget: Double?
  /// The new point with the largest limit.
  public var largest: Largest?
  /// The script of the first new point as it would run, with its `#PJM` lines.
  public var script: String?
  public var notices: [ScriptNote] = []
  /// Parameters that nothing uses.
  public var unused: [String] = []
  /// What keeps it from running besides ``notices`` and ``unused``.
  var obstacle: SweepError?

  public struct Largest: Sendable, Hashable {
    public var parameters: Parameters
    public var nodeHours: Double
  }

  /// What must be mended before it can run: the plan's own errors.
  public var problem: SweepError? {
    if let obstacle { return obstacle }
    if let name = unused.first { return Self.unusedProblem(name) }
    if let note = notices.first(where: { $0.severity == .error }) {
      return Self.scriptProblem(note)
    }
    return budgetProblem
  }

  static func scriptProblem(_ note: ScriptNote) -> SweepError {
    SweepError(.definition, "the script cannot run as it is: \(note)")
  }

  static func unusedProblem(_ name: String) -> SweepError {
    SweepError(
      .definition,
      "nothing uses the parameter \(name): no {{\(name)}}, $\(name) or ${\(name)} in the script",
      hint: "Say unused = {\"\(name)\"} where that is meant")
  }

  private var budgetProblem: SweepError? {
    // What is not to be submitted needs no more.
    guard let budget, new > 0, nodeHours + nodeHoursUsed + nodeHoursUnderWay > budget else {
      return nil
    }
    var message = "plan needs \(Self.hours(nodeHours)) node-hours"
    if nodeHoursUsed + nodeHoursUnderWay > 0 { message += " more" }
    if nodeHoursUsed > 0 { message += ", \(Self.hours(nodeHoursUsed)) are used" }
    if nodeHoursUnderWay > 0 { message += ", \(Self.hours(nodeHoursUnderWay)) are under way" }
    message += ", budget is \(Self.hours(budget))"
    if let largest, !largest.parameters.names.isEmpty {
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

  /// Functions of the point, for plans: called in the order of the points on the caller's thread.
  public struct Functions {
    /// What a point's job asks for at an attempt; nil for the definition's own where these are
    /// fixed, and for no limits otherwise.
    public var resources: ((SweepPoint, Int) throws -> Resources)?
    /// A point's inputs; nil for the definition's own where these are fixed, else for none.
    public var inputs: ((SweepPoint) throws -> [SweepInput])?

    public init(
      resources: ((SweepPoint, Int) throws -> Resources)? = nil,
      inputs: ((SweepPoint) throws -> [SweepInput])? = nil
    ) {
      self.resources = resources
      self.inputs = inputs
    }
  }

  /// Makes a plan without network and without a lock.
  ///
  /// - Parameters:
  ///   - definition: the sweep.
  ///   - simulator: the one in this process that it is for, nil for a real machine.
  ///   - connections: to the API, all together.
  ///   - latency: seconds that a submission takes.
  ///   - functions: those of the point.
  ///   - findsChanges: whether ``changed`` is counted, for which inputs must be read; a sweep that
  ///     runs edited points anew counts it in any case.
  /// - Returns: the plan, with what is wrong in ``problem``.
  /// - Throws: ``SweepError`` for templates, values and directives that cannot be read, and whatever
  ///   the closures throw.
  public static func make(
    _ definition: SweepDefinition, simulator: (endpoint: String, speed: Double)? = nil,
    connections: Int = 10,
    latency: Double = 1, functions: Functions = Functions(), findsChanges: Bool = true
  ) throws -> SweepPlan {
    let blueprint = try SweepBlueprint(definition, simulatedSpeed: simulator?.speed)
    let known = try KnownPoints(
      path: definition.journalPath(isSimulated: simulator != nil), simulator: simulator?.endpoint)
    var planner = SweepPlanner(
      blueprint: blueprint, known: known, functions: functions, findsChanges: findsChanges)
    for (index, parameters) in definition.points.enumerated() {
      try planner.add(index, parameters)
    }
    return try planner.finish(connections: connections, latency: latency)
  }
}
