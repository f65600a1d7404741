import HPCClient
import LuaRuntime

extension HPCTable {
  /// The body of each entry of the spec.
  func bodies(_ connection: LazyConnection, in state: LuaState) throws -> [String: APIBody] {
    var bodies: [String: APIBody] = [
      "hpc.spawn": .builtin(.spawn), "hpc.sleep": .builtin(.sleep), "hpc.map": .builtin(.map),
      "hpc.task.all": .builtin(.all), "hpc.task.race": .builtin(.race),
      "hpc.task.timeout": .builtin(.timeout), "hpc.json.decode": .builtin(.jsonDecode),
      "hpc.json.encode": .builtin(.jsonEncode), "hpc.json.null": .builtin(.jsonNull),
      "hpc.json.array": .builtin(.jsonArray), "hpc.version": .value(.string(host.version)),
    ]
    let sweeps = try SweepBindings(table: self, connection: connection, state: state)
    let jobs = try JobBindings(
      table: self, connection: connection, sweeps: sweeps, state: state)
    bodies.merge(jobs.bodies) { _, new in new }
    let files = try FileBindings(table: self, connection: connection, state: state)
    bodies.merge(files.bodies) { _, new in new }
    let store = try StoreBindings(table: self, connection: connection, state: state)
    bodies.merge(store.bodies) { _, new in new }
    bodies.merge(toolBodies(connection, in: state)) { _, new in new }
    if case .native(let body) = inLua("watch") {
      bodies["hpc.watch"] = .native { call in
        if !call.isAbsent(1),
          let interval = try call.state.rawGet(call.table(1), "interval").asNumber, interval <= 0
        {
          throw LuaError.argument(1, "option 'interval': seconds must be more than 0")
        }
        return try body(call)
      }
    }
    let watch = try state.function("watch") { [weak self] call in
      guard let watch = try self?.makeWatch?(call.state) else {
        throw LuaError("there is nothing here to watch jobs on")
      }
      return .call(watch, [.argument(1), .argument(2)])
    }
    try state.rawSet(native, "watch_screen", .reference(watch))
    bodies.merge(spaces.bodies()) { _, new in new }
    bodies.merge(sweeps.bodies()) { _, new in new }
    return bodies
  }

  /// A body that prelude.lua defines under this name in `native`.
  func inLua(_ name: LuaValue) -> APIBody {
    let native = native
    var known: LuaReference?
    return .native { call in
      guard let function = try known ?? call.state.rawGet(native, name).asReference else {
        throw LuaError("prelude.lua lacks a function")
      }
      known = function
      return .call(function, (0..<call.count).map { .argument($0 + 1) })
    }
  }

  /// `interval` and `timeout` of a table of options, checked by the spec.
  static func times(_ call: borrowing LuaCall, options position: Int) throws
    -> (interval: Duration?, timeout: Duration?)
  {
    guard !call.isAbsent(position) else { return (nil, nil) }
    let options = try call.table(position)
    let interval = try call.state.rawGet(options, "interval").asNumber
    let timeout = try call.state.rawGet(options, "timeout").asNumber
    return (
      interval.flatMap { Duration(userSeconds: $0) }, timeout.flatMap { Duration(userSeconds: $0) }
    )
  }

  /// `retry_deadline` and `timeout` of a call, checked by the spec.
  static func callOptions(_ call: borrowing LuaCall, _ position: Int) throws -> CallOptions {
    guard !call.isAbsent(position), let table = try call.value(position).asReference else {
      return CallOptions()
    }
    func seconds(_ name: LuaValue) throws -> Duration? {
      try call.state.rawGet(table, name).asNumber.flatMap { Duration(userSeconds: $0) }
    }
    return CallOptions(
      retryDeadline: try seconds("retry_deadline"), timeout: try seconds("timeout"))
  }

  // MARK: Tools

  private func toolBodies(_ connection: LazyConnection, in state: LuaState) -> [String: APIBody] {
    var bodies: [String: APIBody] = [
      "hpc.show": inLua("show"),
      "hpc.clock": .native { _ in
        let epoch = Self.epoch  // before the first time that is counted from it
        let (seconds, attoseconds) = (ContinuousClock.now - epoch).components
        return .value(.number(Double(seconds) + Double(attoseconds) * 1e-18))
      },
      "hpc.help": .native { [weak self] call in
        guard let self else { return .nothing }
        let text = try help(call)
        if present?(text) == true { return .nothing }
        guard let print = try call.state.rawGet(call.state.globals, "print").asReference
        else { return .nothing }
        return .call(print, [.string(text)])
      },
      "hpc.connect": .native { [weak self] call in
        guard let self else { return .nothing }
        var explicit: [SettingKey: String] = [:]
        for (key, value) in try call.state.entries(of: call.table(1)) {
          guard let name = key.text, let setting = SettingKey(rawValue: name) else { continue }
          explicit[setting] = try call.state.text(of: value)
        }
        let connection = LazyConnection(explicit, host: host)
        let settings = try connection.get().settings
        // Tables live as long as the program: a loop that connects must not make one each time.
        if let known = connected[explicit], known.settings.isSame(as: settings) {
          return .value(.reference(known.table))
        }
        let table = try make(connection, in: call.state)
        connected[explicit] = (settings, table)
        return .value(.reference(table))
      },
      "hpc.config": .computed { call in
        .value(try Self.config(try connection.get(), in: call.state))
      },
    ]
    for level in HPCHost.LogLevel.allCases {
      let log = host.log
      bodies["hpc.log.\(level.rawValue)"] = .native { call in
        let parts = try call.values().map { try call.state.text(of: $0) }
        log(level, parts.joined(separator: "\t"))
        return .nothing
      }
    }
    return bodies
  }

  private static let epoch = ContinuousClock.now

  private func help(_ call: borrowing LuaCall) throws -> String {
    guard !call.isAbsent(1) else { return HelpText.overview() }
    let value = try call.value(1)
    if let entry = entry(for: value, in: call.state) { return HelpText.describe(entry) }
    if let path = value.asReference.flatMap({ described[call.state.identity(of: $0)] }),
      let folder = HelpText.folder(path)
    {
      return folder
    }
    if let name = try objects.name(of: value, in: call.state) {
      if name == "hpc" { return HelpText.overview() }
      if let members = HelpText.members(of: name) { return members }
    }
    if let text = value.text {
      return HelpText.members(of: text) ?? HelpText.folder(text) ?? HelpText.unknown(text)
    }
    return "no help on a \(try call.state.typeName(of: value)); hpc.help() lists the table"
  }

  private static func config(_ connection: HPCConnection, in state: LuaState) throws -> LuaValue {
    var fields: [(key: LuaValue, value: LuaValue)] = []
    var sources: [(key: LuaValue, value: LuaValue)] = []
    for entry in connection.settings.entries {
      guard let value = entry.value else { continue }
      let number = Int(value).map { LuaValue.integer($0) } ?? Double(value).map { .number($0) }
      let isNumber = [.maxConnections, .retryDeadline, .clockRate].contains(entry.key)
      fields.append(
        (.string(entry.key.rawValue), isNumber ? number ?? .string(value) : .string(value)))
      if let source = entry.source {
        sources.append((.string(entry.key.rawValue), .string(source.description)))
      }
    }
    fields.append(("sources", .table(sources)))
    fields.append(("connections", .table(connection.connections())))
    if let simulator = connection.simulator {
      fields.append(
        (
          "sim",
          [
            "home": .string(simulator.home), "endpoint": .string(simulator.endpoint),
            "storage_endpoint": .string(simulator.storageEndpoint),
            "speed": .number(simulator.speed),
          ]
        ))
    }
    return .table(fields)
  }
}
