import FoundationEssentials
import HPCClient
import LuaRuntime
import ObjectStore
import Sweeps
import Synchronization

/// `hpc.sweep`, `hpc.run` and the methods of a Sweep.
final class SweepBindings {
  let table: HPCTable
  let connection: LazyConnection
  let type: LuaObjectType<SweepObject>
  let caller: LuaCaller
  /// What sweeps.lua returns, once it is loaded.
  /// Functions for this table's Lua files: another connection has others.
  private let native: LuaReference
  private var loaded: LuaReference?
  /// Sweeps whose session was made, by journal: a second handle tells the run of the first one.
  private var known: [String: SweepObject] = [:]

  init(table: HPCTable, connection: LazyConnection, state: LuaState) throws {
    self.table = table
    native = table.native
    self.connection = connection
    caller = LuaCaller(state)
    table.host.sweeps.add(caller)
    let type = try state.objectType("Sweep", holding: SweepObject.self)
    self.type = type
    try addMethods(in: state)
  }

  var host: HPCHost { table.host }
  var errors: ErrorTable { table.errors }

  func bodies() -> [String: APIBody] {
    [
      "hpc.sweep": .native { [self] call in try sweep(call) },
      "hpc.run": .native { [self] call in try runOne(call) },
    ]
  }

  // MARK: The type

  private func addMethods(in state: LuaState) throws {
    let methods = try state.make([:])
    let bodies = methodBodies()
    for entry in APISpec.entries where entry.kind == .method && entry.path.hasPrefix("Sweep:") {
      guard let body = bodies[entry.name] else { continue }
      let check = ArgumentCheck(entry: entry, objects: table.objects)
      let type = type
      let method = try state.function(entry.name) { call in
        let sweep = try call.object(1, type)
        try check.check(call)
        return try body(call, sweep)
      }
      try state.rawSet(methods, .string(entry.name), .reference(method))
    }
    let type = type
    let index = try state.function("Sweep") { call in
      let sweep = try call.object(1, type)
      switch try call.value(2).text {
      case "name": return .value(.string(sweep.name))
      case "journal": return .value(.string(sweep.journal))
      case let name?: return .value(try call.state.rawGet(methods, .string(name)))
      case nil: return .value(.nil)
      }
    }
    let text = try state.function("tostring") { call in
      let sweep = try call.object(1, type)
      guard let status = try? SweepBooks(journal: sweep.journal).status() else {
        let points = sweep.definition?.points.count ?? 0
        return .value(.string("sweep \(sweep.name): \(points) points, nothing ran yet"))
      }
      let text = SweepText.counts(status.progress.counts)
      let simulated = sweep.isSimulated ? "; SIMULATED" : ""
      return .value(.string("sweep \(sweep.name): \(text)\(simulated)"))
    }
    try state.rawSet(type.metatable, "__index", .reference(index))
    try state.rawSet(type.metatable, "__tostring", .reference(text))
  }

  typealias Method = (borrowing LuaCall, SweepObject) throws -> LuaReturn

  private func methodBodies() -> [String: Method] {
    [
      "plan": { [self] call, sweep in
        let plan = try plan(sweep, findsChanges: true, in: call.state)
        return .value(try planValue(plan, of: sweep, in: call.state))
      },
      "run": { [self] call, sweep in try run(call, sweep) },
      "step": { [self] call, sweep in try step(call, sweep) },
      "start": { [self] call, sweep in try start(call, sweep) },
      "eval": { [self] call, sweep in try eval(call, sweep) },
      "status": { [self] call, sweep in try status(sweep, in: call.state) },
      "results": { [self] call, sweep in try results(call, sweep) },
      "csv": { [self] call, sweep in try csv(call, sweep) },
      "logs": { [self] call, sweep in try logs(call, sweep) },
      "retry": { [self] call, sweep in try retry(call, sweep) },
      "cancel": { [self] call, sweep in try cancel(call, sweep) },
    ]
  }

  /// sweeps.lua, loaded at the first use.
  func module(in state: LuaState) throws -> LuaReference {
    if let loaded { return loaded }
    let chunk = try state.load(PackageResources.sweeps_lua, name: "=hpc.sweeps")
    let hpc = try state.make([
      "json": ["encode": .builtin(.jsonEncode), "decode": .builtin(.jsonDecode)]
    ])
    try state.rawSet(native, "csv_text", .reference(try table.csvText(in: state)))
    try state.rawSet(native, "script", host.script.map { .string($0) } ?? .nil)
    let answer = try state.call(chunk, [.reference(hpc), .reference(native)])
    guard let module = answer.first?.asReference else { throw LuaError("sweeps.lua is empty") }
    loaded = module
    return module
  }

  /// Calls a function of sweeps.lua.
  func callModule(_ name: String, _ arguments: [LuaValue], in state: LuaState) throws
    -> LuaValue
  {
    guard let function = try state.rawGet(module(in: state), .string(name)).asReference else {
      throw LuaError("sweeps.lua lacks '\(name)'")
    }
    return try state.call(function, arguments).first ?? .nil
  }

  // MARK: Opening

  private func sweep(_ call: borrowing LuaCall) throws -> LuaReturn {
    let state = call.state
    if call.isAbsent(1) {
      guard let catalog = host.catalog else { return .value(try list([], in: state)) }
      return .await({ await DiskWork.run { catalog.list() } }) { [self] call, found in
        .value(try list(found, in: call.state))
      }
    }
    let what = try call.value(1)
    if let options = what.asReference {
      let sweep = try define(options, isSingle: false, position: 1, in: state)
      return .value(.reference(try state.make(sweep, as: type)))
    }
    let sweep = try open(try call.string(1), in: state)
    return .value(.reference(try state.make(sweep, as: type)))
  }

  var isSimulated: Bool {
    get throws { try connection.get().simulator != nil }
  }

  /// The simulator's clock, where it runs faster than ours.
  var fastClock: FastClock? {
    get throws { FastClock(rate: try connection.client().configuration.clockRate) }
  }

  /// A sweep of a table of options.
  func define(
    _ options: LuaReference, isSingle: Bool, position: Int, in state: LuaState
  ) throws -> SweepObject {
    let functions = try PointFunctions(module(in: state), caller: caller, in: state)
    let reader = SweepOptions(
      table: options, state: state, folder: try callerFolder(in: state), functions: functions,
      spaces: table.spaces)
    let definition: SweepDefinition
    do {
      definition = try reader.definition(isSingle: isSingle)
    } catch let error as ResourceReader.Problem {
      throw LuaError.argument(position, error.description)
    } catch let error as SpaceError {
      throw LuaError.argument(position, "option 'space': \(error.description)")
    } catch let error as ResourceError {
      throw LuaError.argument(position, "option 'resources': \(error.description)")
    }
    let simulated = try isSimulated
    let sweep = SweepObject(
      name: definition.name, journal: definition.journalPath(isSimulated: simulated),
      folder: definition.folder, isSimulated: simulated)
    sweep.definition = definition
    sweep.functions = functions
    func function(_ option: LuaValue) throws -> LuaReference? {
      try state.rawGet(options, option).asReference.flatMap { $0.type == .function ? $0 : nil }
    }
    sweep.resourceFunction = try function("resources")
    sweep.inputFunction = try function("inputs")
    return sweep
  }

  /// An existing sweep: beside the file that calls, by its path, or from the catalogue.
  func open(_ name: String, in state: LuaState) throws -> SweepObject {
    let simulated = try isSimulated
    let suffix = simulated ? ".sim.sweep" : ".sweep"
    let folder = try callerFolder(in: state)
    let path = name.hasSuffix(".sweep") ? name : name + suffix
    let places = [path.hasPrefix("/") ? path : "\(folder)/\(path)"]
    var journal = places.first { FileManager.default.fileExists(atPath: $0) }
    if journal == nil, !name.contains("/") {
      let entries = host.catalog?.entries().filter { $0.name == name } ?? []
      if entries.count > 1 {
        throw errors.error(
          code: "Argument",
          "several sweeps are called \(name): "
            + entries.map(\.journal).joined(separator: ", "),
          hint: "Name one by its path.")
      }
      journal = entries.first?.journal
    }
    guard let journal else {
      let names = Set(host.catalog?.entries().map(\.name) ?? [])
      let near = NearestName.find(name, in: names.sorted())
        .map { "Did you mean \($0)?" }
      throw errors.error(
        code: "Argument", "there is no sweep \"\(name)\": no \(places[0]), and none is registered",
        hint: simulatedHint(places[0]) ?? near ?? "hpc.sweep() lists those of this computer.")
    }
    if let sweep = known[journal] { return sweep }
    let bare = journal.split(separator: "/").last.map(String.init) ?? name
    return SweepObject(
      name: String(bare.dropLast(bare.hasSuffix(".sim.sweep") ? 10 : 6)), journal: journal,
      folder: String(journal.dropLast(bare.utf8.count + 1)),
      isSimulated: journal.hasSuffix(".sim.sweep"))
  }

  /// For a sweep that so far has run on the simulator alone.
  private func simulatedHint(_ path: String) -> String? {
    guard path.hasSuffix(".sweep"), !path.hasSuffix(".sim.sweep") else { return nil }
    let simulated = String(path.dropLast(6)) + ".sim.sweep"
    guard LocalPath.exists(simulated) else { return nil }
    return "The simulator has run it: \(simulated) is a name too."
  }

  /// Every sweep of this computer, as rows.
  private func list(_ found: [SweepCatalog.Listed], in state: LuaState) throws -> LuaValue {
    var columns: [LuaValue] = ["name", "points", "done", "failed", "open", "run_by", "journal"]
    let rows = found.map { entry, result -> LuaValue in
      let status: SweepStatus
      switch result {
      case .success(let found): status = found
      case .failure(let error):
        if columns.count == 7 { columns.append("problem") }
        return .table([
          ("name", .string(entry.name)), ("journal", .string(entry.journal)),
          ("problem", .string(error.message)),
        ])
      }
      let counts = status.progress.counts
      return .table([
        ("name", .string(status.name)), ("points", .integer(status.progress.total)),
        ("done", .integer(counts[.done] ?? 0)), ("failed", .integer(counts[.failed] ?? 0)),
        (
          "open",
          .integer(
            status.progress.total - (counts[.done] ?? 0) - (counts[.failed] ?? 0)
              - (counts[.cancelled] ?? 0))
        ),
        ("run_by", status.owner.map { .string($0.description) } ?? .nil),
        ("journal", .string(status.journal)),
      ])
    }
    return try callModule("table", [.array(rows), .array(columns)], in: state)
  }

  /// Folder of the Lua file that calls, absolute; in the prompt the working directory.
  func callerFolder(in state: LuaState) throws -> String {
    let working = FileManager.default.currentDirectoryPath
    guard let path = try callModule("caller", [], in: state).text,
      let slash = path.lastIndex(of: "/")
    else { return working }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    return folder.hasPrefix("/") ? folder : folder == "." ? working : "\(working)/\(folder)"
  }

  // MARK: Sessions

  /// The sweep's session; made when it is first needed.
  func session(_ sweep: SweepObject) throws -> SweepSession {
    if let session = sweep.madeSession { return session }
    let log = host.log
    let name = sweep.name
    let clock = try fastClock
    let hasTold = Atomic(false)
    let session = try sweep.session(
      {
        let connection = try connection.get()
        return SweepService(
          client: try connection.client(), store: try connection.store(),
          storagePrefix: connection.settings.storagePrefix,
          connections: connection.settings.maxConnections,
          isSimulated: connection.simulator != nil)
      }, catalog: host.catalog
    ) { news in
      switch news {
      case .settled(let row):
        guard row.state == .failed else { return }
        var cause = row.cause.map { ": \($0)" } ?? ""
        if row.cause == "elapse", let clock, !hasTold.exchange(true, ordering: .relaxed) {
          cause += "; \(clock)"
        }
        let point = row.parameters.names.isEmpty ? "" : " point \(row.point) \(row.parameters)"
        log(.warn, "\(name):\(point) failed\(cause)")
      case .note(let text): log(.info, "\(name): \(text)")
      }
    }
    known[sweep.journal] = sweep
    return session
  }
}
