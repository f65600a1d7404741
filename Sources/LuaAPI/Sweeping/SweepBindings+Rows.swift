import HPCClient
import LuaRuntime
import ObjectStore
import Sweeps

extension SweepBindings {
  // MARK: Rows

  /// What sweeps.lua makes a row of.
  private func raw(_ row: SweepRow) -> LuaValue {
    func integer(_ number: Int?) -> LuaValue { number.map { .integer($0) } ?? .nil }
    func number(_ number: Double?) -> LuaValue { number.map { .number($0) } ?? .nil }
    func text(_ text: String?) -> LuaValue { text.map { .string($0) } ?? .nil }
    let fields: [(key: LuaValue, value: LuaValue)] = [
      ("parameters", ParameterReader.table(row.parameters)), ("point", .integer(row.point)),
      ("state", .string(row.state.rawValue)), ("attempts", .integer(row.attempts)),
      ("job_id", integer(row.jobID.map { Int($0) })), ("exit_code", integer(row.exitCode)),
      ("cause", text(row.cause)), ("nodes", integer(row.nodes)),
      ("seconds", row.seconds.map { Int(exactly: $0).map { .integer($0) } ?? .number($0) } ?? .nil),
      ("node_hours", number(row.nodeHours)), ("dir", text(row.folder)),
      ("result", text(row.result)), ("result_error", text(row.resultError)),
      ("files", .array(row.files.map { .string($0.name) })), ("remote", text(row.remoteFolder)),
    ]
    return .table(fields)
  }

  /// A function(point, stream) of Lua that reads logs.
  private func logReader(_ sweep: SweepObject, in state: LuaState) throws -> LuaValue {
    .reference(
      try state.function("logs") { [self] call in
        let isError = try call.string(2) == "stderr"
        let point = try call.integer(1)
        let session = try session(sweep)
        return .await({ try await session.logs(point) }) { _, logs in
          .value(.bytes(isError ? logs.stderr : logs.stdout))
        }
      })
  }

  private func names(_ rows: [SweepRow], _ sweep: SweepObject) -> LuaValue {
    let names = rows.first?.parameters.names ?? sweep.definition?.points.first?.names ?? []
    return .array(names.map { .string($0) })
  }

  func value(of row: SweepRow, _ sweep: SweepObject, in state: LuaState) throws -> LuaValue {
    try callModule(
      "row",
      [
        raw(row), names([row], sweep), try logReader(sweep, in: state),
        .boolean(sweep.isSimulated),
      ], in: state)
  }

  func rows(_ rows: [SweepRow], _ sweep: SweepObject, in state: LuaState) throws -> LuaValue {
    try callModule(
      "rows",
      [
        .array(rows.map(raw)), names(rows, sweep), try logReader(sweep, in: state),
        .boolean(sweep.isSimulated),
      ], in: state)
  }

  // MARK: Looking

  func status(_ sweep: SweepObject, in state: LuaState) throws -> LuaReturn {
    // A run in progress knows more than its journal.
    if let session = sweep.madeSession {
      return .await({ try await session.status() }) { [self] call, status in
        .value(try value(of: status, in: call.state))
      }
    }
    return reading(sweep) { books throws(SweepError) in
      try books.status()
    } then: { [self] call, status in
      if let status { return .value(try value(of: status, in: call.state)) }
      let text = "\(sweep.name): nothing ran yet"
      return .value(
        try callModule(
          "printable", [.table([("name", .string(sweep.name)), ("total", 0)]), .string(text)],
          in: call.state))
    }
  }

  /// What a journal says, read beside the Lua thread: it may wait for a writer. Nil before the first
  /// run of a sweep, when there is no journal yet.
  private func reading<Value: Sendable>(
    _ sweep: SweepObject, _ read: @escaping @Sendable (SweepBooks) throws(SweepError) -> Value,
    then: @escaping (borrowing LuaCall, Value?) throws -> LuaReturn
  ) -> LuaReturn {
    let (path, isDefined) = (sweep.journal, sweep.definition != nil)
    return .await(
      { () async throws -> Value? in
        try await DiskWork.run { () throws(SweepError) -> Value? in
          do throws(SweepError) {
            return try read(SweepBooks(journal: path))
          } catch {
            guard isDefined, !LocalPath.exists(path) else { throw error }
            return nil
          }
        }
      }, then: then)
  }

  private func value(of status: SweepStatus, in state: LuaState) throws -> LuaValue {
    let counts = status.progress.counts.sorted { $0.key.rawValue < $1.key.rawValue }
    let causes = status.causes.sorted { $0.key < $1.key }
    var fields: [(key: LuaValue, value: LuaValue)] = [
      ("name", .string(status.name)), ("total", .integer(status.progress.total)),
      ("counts", .table(counts.map { (.string($0.key.rawValue), .integer($0.value)) })),
      ("causes", .table(causes.map { (.string($0.key), .integer($0.value)) })),
      ("node_hours", .number(status.progress.nodeHoursUsed)),
      ("node_hours_under_way", .number(status.progress.nodeHoursUnderWay)),
      ("journal", .string(status.journal)), ("endpoint", .string(status.service.endpoint)),
      ("account", .string(status.service.account)),
      ("unsure", .array(status.unsure.map { .string($0) })),
    ]
    if let owner = status.owner {
      fields.append(
        (
          "owner",
          .table([
            ("pid", .integer(Int(owner.pid))), ("host", .string(owner.host)),
            ("since", .integer(Int(owner.since))),
          ])
        ))
    }
    if status.isSimulated { fields.append(("simulated", true)) }
    return try callModule(
      "printable", [.table(fields), .string(SweepText.status(status))], in: state)
  }

  func results(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    let query = try query(call, options: 2)
    guard query.isFresh else {
      guard let session = sweep.madeSession, query.states != [.done] else {
        return selecting(sweep, query) { [self] call, found in
          .value(try rows(found, sweep, in: call.state))
        }
      }
      return .await({ try await session.rows(states: query.states, all: query.all) }) {
        [self] call, found in
        .value(try rows(found, sweep, in: call.state))
      }
    }
    let session = try session(sweep)
    return .await({ try await session.refreshResults() }) { [self] _, _ in
      selecting(sweep, query) { [self] call, found in
        .value(try rows(found, sweep, in: call.state))
      }
    }
  }

  func csv(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    let path = SweepText.path(
      try call.string(2), in: sweep.folder, isSimulated: sweep.isSimulated)
    let query = try query(call, options: 3)
    let write = { [self] (call: borrowing LuaCall, found: [SweepRow]) throws -> LuaReturn in
      let rows = try rows(found, sweep, in: call.state)
      let text = try callModule("csv_text", [rows], in: call.state)
      _ = try callModule("write", [.string(path), text], in: call.state)
      return .value(.string(path))
    }
    guard query.isFresh else { return selecting(sweep, query, then: write) }
    let session = try session(sweep)
    return .await({ try await session.refreshResults() }) { [self] _, _ in
      selecting(sweep, query, then: write)
    }
  }

  private struct Query {
    var states: Set<PointState>?
    var all = false
    var isFresh = false
  }

  private func query(_ call: borrowing LuaCall, options position: Int) throws -> Query {
    var query = Query(states: [.done])
    guard !call.isAbsent(position) else { return query }
    let options = try call.table(position)
    query.all = try call.state.rawGet(options, "all").isTrue
    query.isFresh = try call.state.rawGet(options, "fresh").isTrue
    let states = try call.state.rawGet(options, "state")
    if states.isNil {
      if query.all { query.states = nil }
    } else {
      let words = try ResourceReader.texts(states, "state", in: call.state)
      query.states = Set(words.compactMap(PointState.init(rawValue:)))
    }
    return query
  }

  private func selecting(
    _ sweep: SweepObject, _ query: Query,
    then: @escaping (borrowing LuaCall, [SweepRow]) throws -> LuaReturn
  ) -> LuaReturn {
    let (states, all) = (query.states, query.all)
    return reading(sweep) { books throws(SweepError) in
      try books.rows(states: states, all: all)
    } then: { call, found in
      try then(call, found ?? [])
    }
  }

  func logs(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    let point = try number(call, 2, sweep)
    let session = try session(sweep)
    return .await({ try await session.logs(point) }) { [self] call, logs in
      .value(
        try callModule(
          "logs", [.bytes(logs.stdout), .bytes(logs.stderr), .boolean(sweep.isSimulated)],
          in: call.state))
    }
  }

  /// A point by its number, its row, or its parameters.
  private func number(_ call: borrowing LuaCall, _ position: Int, _ sweep: SweepObject) throws
    -> Int
  {
    if let number = try call.value(position).asInteger { return number }
    let table = try call.table(position)
    if try table.isRow(in: call.state),
      let number = try call.state.rawGet(table, "point").asInteger
    {
      return number
    }
    do {
      let parameters = Parameters(try ParameterReader.parameters(table, in: call.state))
      guard let row = try SweepBooks(journal: sweep.journal).row(parameters) else {
        throw errors.error(code: "Argument", "\(sweep.name) has no point \(parameters)")
      }
      return row.point
    } catch let error as ParameterReader.Problem {
      throw LuaError.argument(position, error.description)
    }
  }

  // MARK: Steering

  func retry(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    var selection = PointSelection.all
    var resources: Resources?
    if !call.isAbsent(2) {
      let options = try call.table(2)
      selection.cause = try call.state.rawGet(options, "cause").text
      if let cause = selection.cause, !Cause.canBeMeant(by: cause) {
        let near = NearestName.find(cause, in: Cause.words).map { " (did you mean \($0)?)" } ?? ""
        throw LuaError.argument(
          2,
          "option 'cause': one of \(Cause.words.joined(separator: ", ")), or such as 'exit 127', "
            + "expected, got '\(cause)'\(near)")
      }
      selection.points = try numbers(try call.state.rawGet(options, "points"), call.state)
      let wish = try call.state.rawGet(options, "resources")
      if !wish.isNil {
        do {
          resources = try ResourceReader.resources(wish, in: call.state)
        } catch let error as ResourceReader.Problem {
          throw LuaError.argument(2, error.description)
        } catch let error as ResourceError {
          throw LuaError.argument(2, error.description)
        }
      }
    }
    let (chosen, wish, journal) = (selection, resources, sweep.journal)
    // Opened by its name and not running here: that needs no account.
    let session =
      sweep.definition == nil && sweep.madeSession == nil ? nil : try session(sweep)
    return .await({
      if let session { return try await session.retry(chosen, resources: wish) }
      return try await SweepSession.retry(journal: journal, chosen, resources: wish)
    }) { _, points in .value(.integer(points.count)) }
  }

  func cancel(_ call: borrowing LuaCall, _ sweep: SweepObject) throws -> LuaReturn {
    var selection = PointSelection.all
    selection.points = try numbers(try call.value(2), call.state)
    let session = try session(sweep)
    let chosen = selection
    return .await({ try await session.cancel(chosen) }) { _, count in .value(.integer(count)) }
  }

  private func numbers(_ value: LuaValue, _ state: LuaState) throws -> Set<Int>? {
    guard let list = value.asReference else { return nil }
    return Set(try state.read(list: list).compactMap(\.asInteger))
  }
}

extension LuaReference {
  /// Whether it is a row of a sweep.
  func isRow(in state: LuaState) throws -> Bool {
    try ObjectTypes().name(of: .reference(self), in: state) == "Row"
  }
}
