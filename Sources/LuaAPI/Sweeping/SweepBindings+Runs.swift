import HPCClient
import LuaRuntime
import Sweeps

extension SweepBindings {
  // MARK: Plans

  /// - Parameters:
  ///   - points: in place of the sweep's own.
  ///   - findsChanges: whether inputs are read to tell which points ran with others.
  func plan(
    _ sweep: SweepObject, of points: [Parameters]? = nil, findsChanges: Bool,
    in state: LuaState
  ) throws -> SweepPlan {
    guard var definition = sweep.definition else {
      throw errors.error(
        code: "Definition",
        "the sweep \(sweep.name) was opened by its name: only its Lua file "
          + "says what it runs", hint: "Run that file: hpc sweep plan FILE.lua.")
    }
    if let points { definition.points = points }
    let connection = try connection.get()
    var ofPoint = SweepPlan.Functions()
    if let functions = sweep.functions {
      if let function = sweep.resourceFunction {
        ofPoint.resources = { point, attempt in
          try Self.naming(point) {
            try functions.resources(function, point.parameters, attempt: attempt, in: state)
          }
        }
      }
      if let function = sweep.inputFunction {
        ofPoint.inputs = { point in
          try Self.naming(point) {
            try functions.inputs(function, point.parameters, folder: sweep.folder, in: state)
          }
        }
      }
    }
    return try SweepPlan.make(
      definition, simulator: connection.simulator.map { ($0.endpoint, $0.speed) },
      connections: connection.settings.maxConnections, functions: ofPoint,
      findsChanges: findsChanges)
  }

  /// What is wrong with an answer of a function of the point, with the point that it is about.
  private static func naming<Value>(
    _ point: SweepPoint, _ body: () throws -> Value
  ) throws -> Value {
    func named(_ problem: some CustomStringConvertible) -> SweepError {
      SweepError(.definition, "\(point.parameters.heading)\(problem)")
    }
    do {
      return try body()
    } catch let error as ResourceReader.Problem {
      throw named(error)
    } catch let error as ResourceError {
      throw named(error)
    }
  }

  func planValue(
    _ plan: SweepPlan, of sweep: SweepObject, in state: LuaState
  ) throws -> LuaValue {
    let source = sweep.definition?.script.source ?? ""
    var fields: [(key: LuaValue, value: LuaValue)] = [
      ("points", .integer(plan.points)), ("new", .integer(plan.new)),
      ("in_flight", .integer(plan.inFlight)), ("unknown", .integer(plan.unknown)),
      ("done", .integer(plan.done)), ("failed", .integer(plan.failed)),
      ("changed", .integer(plan.changed)), ("jobs", .integer(plan.jobs)),
      ("requests", .integer(plan.requests)), ("syncs", .integer(plan.syncs)),
      ("submit_seconds", .number(plan.submitSeconds)), ("node_hours", .number(plan.nodeHours)),
      ("node_hours_used", .number(plan.nodeHoursUsed)),
      ("node_hours_under_way", .number(plan.nodeHoursUnderWay)),
      ("notices", .array(plan.notices.map { .string($0.description(in: source)) })),
    ]
    if let budget = plan.budget { fields.append(("budget", .number(budget))) }
    if let script = plan.script { fields.append(("script", .string(script))) }
    if let problem = plan.problem { fields.append(("problem", .string(problem.description))) }
    if sweep.isSimulated { fields.append(("simulated", true)) }
    let text = SweepText.plan(
      plan, name: sweep.name, source: source, isSimulated: sweep.isSimulated)
    return try callModule("printable", [.table(fields), .string(text)], in: state)
  }

  /// Prints the plan in place of a run (`hpc sweep plan FILE.lua`).
  private func planInstead(_ sweep: SweepObject, in state: LuaState) throws -> LuaReturn {
    let plan = try plan(sweep, findsChanges: true, in: state)
    try callPrint([try planValue(plan, of: sweep, in: state)], in: state)
    // What cannot run is an error here too.
    host.outcome.status = plan.problem?.exitCode ?? 0
    return .values([.nil, (plan.problem.map { errors.error($0) } ?? planned).value])
  }

  private var planned: LuaError {
    errors.error(
      code: "Planned", "planned only: nothing ran", fields: [("exit_status", .integer(0))])
  }

  private func callPrint(_ values: [LuaValue], in state: LuaState) throws {
    if let print = try state.rawGet(state.globals, "print").asReference {
      try state.call(print, values)
    }
  }

  // MARK: Runs

  func run(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    switch host.sweepMode {
    case .plan: return try planInstead(sweep, in: call.state)
    case .step:
      return try execute(sweep, .step, call) { [self] call, report in
        try stepVerdict(sweep, report, in: call.state)
      }
    case .run:
      return try execute(sweep, .run, call) { [self] call, report in
        try verdict(sweep, report, in: call.state)
      }
    }
  }

  func start(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    let body = try call.state.function("run") { [self] call in
      try execute(sweep, .run, call, isBehind: true) { [self] call, report in
        try verdict(sweep, report, in: call.state)
      }
    }
    return .value(.reference(try call.state.spawn(body)))
  }

  func step(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    if host.sweepMode == .plan {
      _ = try planInstead(sweep, in: call.state)
      return .value(try stepValue(sweep, SweepReport(), in: call.state))
    }
    return try execute(sweep, .step, call) { [self] call, report in
      host.outcome.status = report.newFailed.isEmpty ? 0 : 1
      try tellStop(report, of: sweep)
      return .value(try stepValue(sweep, report, in: call.state))
    }
  }

  /// Runs the session; Ctrl-C and `task:cancel()` detach it.
  func execute(
    _ sweep: SweepObject, _ mode: SweepSettings.Mode, _ call: borrowing LuaCall,
    isBehind: Bool = false,
    then: @escaping (borrowing LuaCall, SweepReport) throws -> LuaReturn
  ) throws -> LuaReturn {
    try checkCanYield(call, sweep)
    if sweep.definition != nil {
      let plan = try plan(sweep, findsChanges: false, in: call.state)
      if let problem = plan.problem { throw errors.error(problem) }
      tell(plan.notices, of: sweep)
    }
    let session = try session(sweep)
    let (name, isSimulated, log) = (sweep.name, sweep.isSimulated, host.log)
    let output = isBehind ? host.progressBehindPrompt : host.progress
    let display = mode == .run ? self.display(sweep, on: output) : nil
    let sweeps = host.sweeps
    // What runs behind a prompt must not take what is typed there.
    let asking = isBehind ? nil : editQuestion(name)
    return .await({ () async throws -> SweepReport in
      try await sweeps.running(session, detach: { await session.detach() }) {
        let report: SweepReport
        if let display {
          report = try await display.during({ session.progress }) {
            try await session.run(mode, asking: asking)
          }
        } else {
          report = try await session.run(mode, asking: asking)
        }
        for anomaly in report.anomalies { log(.warn, "\(name): \(anomaly)") }
        if Task.isCancelled {
          log(.warn, Self.farewell(name, report))
        } else {
          log(
            .info,
            SweepText.summary(report, name: name, isSimulated: isSimulated))
        }
        return report
      }
    }) { call, report in try then(call, report) }
  }

  /// Says once what its author should know of a script before jobs run it.
  private func tell(_ notices: [ScriptNote], of sweep: SweepObject) {
    guard !sweep.hasToldNotices, !notices.isEmpty else { return }
    sweep.hasToldNotices = true
    let source = sweep.definition?.script.source ?? ""
    for note in notices {
      host.log(
        note.severity == .notice ? .info : .warn,
        "\(sweep.name): \(note.description(in: source))")
    }
  }

  /// Asks at the terminal what is to become of results that ran with something else.
  private func editQuestion(_ name: String) -> EditQuestion? {
    guard let ask = host.ask else { return nil }
    return { whatChanged in
      var question =
        "\(name): \(whatChanged).\n  [k]eep their results, [r]erun them, or [s]top here? "
      while let line = await ask(question) {
        switch line.lowercased() {
        case "k", "keep": return .keep
        case "r", "rerun": return .rerun
        case "s", "stop", "": return nil
        default: question = "  k, r or s? "
        }
      }
      return nil
    }
  }

  /// A run calls functions of Lua, which cannot run where its caller blocks in place.
  private func checkCanYield(_ call: borrowing LuaCall, _ sweep: SweepObject) throws {
    guard !call.canYield, sweep.functions != nil else { return }
    throw errors.error(
      code: "Argument", "a sweep cannot run here: its functions would never get their turn",
      hint: "Not in a comparator of table.sort, a __tostring or a gsub callback: run it before.")
  }

  func display(_ sweep: SweepObject, on output: ProgressOutput?) -> ProgressDisplay? {
    guard let output else { return nil }
    let log = host.log
    return ProgressDisplay(name: sweep.name, isSimulated: sweep.isSimulated, output: output) {
      log(.info, $0)
    }
  }

  /// What a user who detached must know.
  private static func farewell(_ name: String, _ report: SweepReport) -> String {
    let counts = report.progress.counts
    let underWay = [PointState.submitted, .running, .blocked].reduce(0) { $0 + (counts[$1] ?? 0) }
    var lines = ["\(name): detached. \(SweepText.counts(counts))"]
    if underWay > 0 { lines.append("  What is under way goes on over there.") }
    if !report.unsure.isEmpty {
      lines.append(
        "  Job ids not known yet: \(report.unsure.joined(separator: ", ")). The next run looks for "
          + "them.")
    }
    lines += [
      "  to go on    run the same file again (in the prompt s:run())",
      "  to look     hpc sweep status \(name)",
      "  to cancel   hpc sweep cancel \(name)",
    ]
    return lines.joined(separator: "\n")
  }

  private static func isVerdict(_ error: SweepError) -> Bool {
    switch error.code {
    case .pointsFailed, .stopped, .detached: true
    default: false
    }
  }

  /// What `s:run()` answers.
  private func verdict(_ sweep: SweepObject, _ report: SweepReport, in state: LuaState) throws
    -> LuaReturn
  {
    guard let error = report.error else {
      host.outcome.status = 0
      return .value(true)
    }
    guard Self.isVerdict(error) else { throw errors.error(error) }
    host.outcome.status = 1
    let row = try firstFailed(sweep, report, in: state)
    return .values([.nil, errors.error(error, row: row).value])
  }

  /// A step goes on at the next one; why it posts nothing is said, and what is no verdict raised.
  private func tellStop(_ report: SweepReport, of sweep: SweepObject) throws {
    guard let error = report.error else { return }
    guard Self.isVerdict(error) else { throw errors.error(error) }
    guard error.code == .stopped else { return }
    host.log(.warn, "\(sweep.name): \(error.message)" + (error.hint.map { "; \($0)" } ?? ""))
  }

  /// What `s:run()` answers where it steps (`hpc sweep step FILE.lua`).
  private func stepVerdict(_ sweep: SweepObject, _ report: SweepReport, in state: LuaState)
    throws -> LuaReturn
  {
    try tellStop(report, of: sweep)
    host.outcome.status = report.newFailed.isEmpty ? 0 : 1
    let counts = report.progress.counts
    if report.pending == 0, counts[.done] == report.progress.total { return .value(true) }
    let status = report.newFailed.isEmpty ? 0 : 1
    let error = errors.error(
      code: report.pending > 0 ? "Pending" : "PointsFailed",
      "\(sweep.name): \(SweepText.counts(counts))",
      fields: [
        ("exit_status", .integer(status)),
        ("row", try firstFailed(sweep, report, in: state)),
        (
          "counts",
          .table(counts.map { (key: .string($0.key.rawValue), value: .integer($0.value)) })
        ),
      ])
    return .values([.nil, error.value])
  }

  private func firstFailed(_ sweep: SweepObject, _ report: SweepReport, in state: LuaState) throws
    -> LuaValue
  {
    let books = try SweepBooks(journal: sweep.journal)
    var row: SweepRow?
    if let number = report.newFailed.first { row = try books.row(number) }
    if row == nil { row = try books.rows(states: [.failed]).first }
    return try row.map { try value(of: $0, sweep, in: state) } ?? .nil
  }

  private func stepValue(_ sweep: SweepObject, _ report: SweepReport, in state: LuaState) throws
    -> LuaValue
  {
    func rows(_ numbers: [Int]) throws -> LuaValue {
      guard !numbers.isEmpty else { return try self.rows([], sweep, in: state) }
      let books = try SweepBooks(journal: sweep.journal)
      return try self.rows(try numbers.compactMap { try books.row($0) }, sweep, in: state)
    }
    let text =
      "\(sweep.name): \(report.newDone.count) newly done, \(report.newFailed.count) newly failed, "
      + "\(report.pending) pending" + (sweep.isSimulated ? "; SIMULATED" : "")
    let fields: [(key: LuaValue, value: LuaValue)] = [
      ("new_done", try rows(report.newDone)), ("new_failed", try rows(report.newFailed)),
      ("pending", .integer(report.pending)),
    ]
    return try callModule("printable", [.table(fields), .string(text)], in: state)
  }

  // MARK: Single points

  func eval(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    let given: [(String, ParameterValue)]
    do {
      given = try ParameterReader.parameters(call.table(2), in: call.state)
      for (name, value) in given {
        try ParameterName.check(name)
        guard value.isFinite else { throw SpaceError.notFinite(name) }
      }
    } catch let error as ParameterReader.Problem {
      throw LuaError.argument(2, error.description)
    } catch let error as SpaceError {
      throw LuaError.argument(2, error.description)
    }
    let parameters = Parameters(given)
    guard var definition = sweep.definition else {
      guard let row = try SweepBooks(journal: sweep.journal).row(parameters) else {
        throw errors.error(
          code: "Definition",
          "the sweep \(sweep.name) was opened by its name and has no point "
            + "\(parameters)", hint: "Only its Lua file says how to run one.")
      }
      return try answer(row, sweep, in: call.state)
    }
    let names = definition.points.first?.names ?? definition.parameterNames
    if parameters.names.isEmpty {
      throw LuaError.argument(
        2,
        names.isEmpty
          ? "a point has parameters, such as {T = 2.1}"
          : "the points of \(sweep.name) have \(names.joined(separator: ", ")): say their values")
    }
    if names.isEmpty {
      definition.parameterNames = parameters.names
      sweep.replace(definition)
    } else if Set(names) != Set(parameters.names) {
      throw LuaError.argument(
        2,
        "the points of \(sweep.name) have \(names.joined(separator: ", ")), not "
          + parameters.names.joined(separator: ", "))
    }
    if host.sweepMode == .plan {
      if let row = try? SweepBooks(journal: sweep.journal).row(parameters), row.state == .done {
        return try answer(row, sweep, in: call.state)
      }
      try callPrint(
        [.string("\(sweep.name): the point \(parameters) has not run yet")], in: call.state)
      return .values([.nil, planned.value])
    }
    try checkCanYield(call, sweep)
    if !sweep.hasToldNotices,
      (try? SweepBooks(journal: sweep.journal).row(parameters))?.state != .done
    {
      // What else is wrong shows when it is tried: the points of a search have no common budget.
      tell(
        try plan(sweep, of: [parameters], findsChanges: false, in: call.state).notices, of: sweep)
      sweep.hasToldNotices = true
    }
    let session = try session(sweep)
    let (name, log, sweeps) = (sweep.name, host.log, host.sweeps)
    let asking = editQuestion(name)
    let display = self.display(sweep, on: host.progress).flatMap { $0.output.isTerminal ? $0 : nil }
    return .await({ () async throws -> SweepRow in
      try await sweeps.running(
        session,
        detach: {
          await session.detach()
          log(.info, "\(name): the point \(parameters) goes on over there; eval finds it again")
        }
      ) {
        guard let display else { return try await session.eval(parameters, asking: asking) }
        return try await display.during({ session.progress }) {
          try await session.eval(parameters, asking: asking)
        }
      }
    }) { [self] call, row in try answer(row, sweep, in: call.state) }
  }

  /// `row`, or nil and why it is not done.
  func answer(_ row: SweepRow, _ sweep: SweepObject, in state: LuaState) throws -> LuaReturn {
    let value = try value(of: row, sweep, in: state)
    if row.state == .done { return .value(value) }
    var cause = row.cause.map { " (\($0))" } ?? ""
    if row.cause == "elapse", let clock = try? fastClock { cause += "; \(clock)" }
    let point = row.parameters.names.isEmpty ? "" : ": point \(row.parameters)"
    let hint: String
    switch row.state {
    case .failed where row.parameters.names.isEmpty:
      hint = "retry = true runs it again; hpc sweep logs \(sweep.name) 1 shows what it wrote."
    case .failed, .cancelled: hint = "s:retry() gives it another chance."
    case .unknown: hint = "What cannot be proven is not repeated; the next run looks again."
    default: hint = "The next run or step goes on."
    }
    let error = errors.error(
      code: "PointsFailed", "\(sweep.name)\(point) is \(row.state.rawValue)\(cause)", hint: hint,
      fields: [("row", value), ("exit_status", .integer(1))])
    return .values([.nil, error.value])
  }

  func runOne(_ call: borrowing LuaCall) throws -> LuaReturn {
    let options = try call.table(1)
    let sweep = try define(options, isSingle: true, position: 1, in: call.state)
    let again = try call.state.rawGet(options, "retry").isTrue
    let plan = try plan(sweep, findsChanges: true, in: call.state)
    let saved = try? SweepBooks(journal: sweep.journal).row(1)
    if plan.changed == 0, plan.done > 0, let saved, saved.state == .done {
      host.outcome.status = 0
      return try answer(saved, sweep, in: call.state)
    }
    if host.sweepMode == .plan { return try planInstead(sweep, in: call.state) }
    let session = try session(sweep)
    let retries = again && (saved?.state == .failed || saved?.state == .cancelled)
    let mode: SweepSettings.Mode = host.sweepMode == .step ? .step : .run
    let then = { [self] (call: borrowing LuaCall, report: SweepReport) throws -> LuaReturn in
      if let error = report.error, !Self.isVerdict(error) { throw errors.error(error) }
      guard let row = try SweepBooks(journal: sweep.journal).row(1) else {
        throw errors.error(SweepError(.journal, "the journal has no point"))
      }
      let isPending = mode == .step && report.pending > 0
      host.outcome.status = row.state == .done || isPending ? 0 : 1
      if isPending {
        let error = errors.error(
          code: "Pending", "\(sweep.name) is \(row.state.rawValue)",
          fields: [
            ("exit_status", .integer(0)), ("row", try value(of: row, sweep, in: call.state)),
          ]
        )
        return .values([.nil, error.value])
      }
      return try answer(row, sweep, in: call.state)
    }
    guard retries else { return try execute(sweep, mode, call, then: then) }
    let body = try call.state.function("run") { [self] call in
      try execute(sweep, mode, call, then: then)
    }
    return .await({ try await session.retry(.all) }) { _, _ in .call(body, []) }
  }
}
