import HPCClient
public import LuaRuntime
import Sweeps

/// Builds the `hpc` table: every function of the spec, its arguments checked before its body runs.
public final class HPCTable {
  let host: HPCHost
  let objects = ObjectTypes()
  let errors: ErrorTable
  /// Makes the function that `hpc.watch` calls with the table and the options, at its first use.
  public var makeWatch: ((LuaState) throws -> LuaReference)?
  /// Shows text in place of `print`, where there is a better way; answers false where there is not.
  public var present: ((String) -> Bool)?
  /// Functions that only prelude.lua uses, and the functions that it defines; of the table that is
  /// being made, so that each connection has its own.
  private(set) var native: LuaReference
  /// What `hpc.connect{}` has made, by its options.
  var connected: [[SettingKey: String]: (settings: Settings, table: LuaReference)] = [:]
  /// What serves each account: a Job or an error of one means nothing to another.
  var accounts: [Int: () -> JobBindings?] = [:]
  let spaces: SpaceBindings
  /// The connection of the global `hpc`.
  private var connection: LazyConnection?
  /// Is given each list of Jobs as it is made, and each Job in a list of its own: for a prompt, which
  /// completes them.
  public var sawJobs: ((LuaReference) -> Void)?
  private var csv: LuaReference?
  /// By the identity of the function or folder in Lua: which path describes it.
  private(set) var described: [UInt: String] = [:]

  /// Makes the table and sets it as the global `hpc`.
  ///
  /// - Parameters:
  ///   - state: where the table lives.
  ///   - host: what the program gives it.
  public static func install(in state: LuaState, host: HPCHost) throws -> HPCTable {
    let table = try HPCTable(state, host)
    let connection = LazyConnection([:], host: host)
    table.connection = connection
    let hpc = try table.make(connection, in: state)
    try state.set(state.globals, "hpc", .reference(hpc))
    // `require "hpc"` works too, and error messages find the names of the table's functions.
    if let package = try state.rawGet(state.globals, "package").asReference,
      let loaded = try state.rawGet(package, "loaded").asReference
    {
      try state.rawSet(loaded, "hpc", .reference(hpc))
      try state.rawSet(loaded, "hpc.task", try state.rawGet(hpc, "task"))
    }
    return table
  }

  private init(_ state: LuaState, _ host: HPCHost) throws {
    self.host = host
    let text = try state.function("tostring") { call in
      let table = try call.table(1)
      let message = try call.state.rawGet(table, "message").text ?? ""
      guard let hint = try call.state.rawGet(table, "hint").text else {
        return .value(.string(message))
      }
      return .value(.string(HPCError(code: "", message: message, hint: hint).description))
    }
    let concat = try state.function("concat") { call in
      .value(.string(try call.state.text(of: call.value(1)) + call.state.text(of: call.value(2))))
    }
    errors = ErrorTable(
      metatable: try state.make([
        "__name": "hpc.Error", "__tostring": .reference(text), "__concat": .reference(concat),
      ]))
    state.errorType = errors.metatable
    native = try state.make([:])
    spaces = try SpaceBindings(in: state)
    let errors = errors
    state.describeError = { error in
      if let error = error as? SweepError { return errors.error(error) }
      guard let error = error as? HPCError else { return LuaError(String(describing: error)) }
      return errors.error(error) { .integer(Int($0.id?.number ?? 0)) }
    }
    let log = host.log
    state.resultsDropped = { [unowned state] results in
      guard let ids = try? JobBindings.submitted(in: results, state), !ids.isEmpty else { return }
      let numbers = ids.map(String.init).joined(separator: " ")
      log(.warn, "hpc.map ended early; submitted jobs among its results: \(numbers)")
    }
  }

  /// A function(rows, columns) of Lua that makes CSV.
  public func csvText(in state: LuaState) throws -> LuaReference {
    if let csv { return csv }
    let chunk = try state.load(PackageResources.csv_lua, name: "=hpc.csv")
    let made = try state.call(chunk, [.builtin(.jsonEncode)]).first?.asReference
    guard let made else { throw LuaError("csv.lua is empty") }
    csv = made
    return made
  }

  /// A table for one connection, `hpc` itself and what `hpc.connect{}` answers.
  func make(_ connection: LazyConnection, in state: LuaState) throws -> LuaReference {
    let hpc = try state.make([:])
    native = try state.make([:])
    let bodies = try bodies(connection, in: state)
    for entry in APISpec.entries where entry.path.hasPrefix("hpc.") {
      let value: LuaValue
      switch bodies[entry.path] {
      case .builtin(let builtin): value = .builtin(builtin)
      case .value(let constant): value = constant
      case .native(let body):
        let check = ArgumentCheck(entry: entry, objects: objects)
        value = .reference(
          try state.function(entry.name) { call in
            try check.check(call)
            return try body(call)
          })
      case .computed, nil: continue
      }
      let parts = entry.path.split(separator: ".").map(String.init)
      var folder = hpc
      for part in parts.dropFirst().dropLast() {
        if let known = try state.rawGet(folder, .string(part)).asReference {
          folder = known
        } else {
          let made = try state.make([:])
          try state.rawSet(folder, .string(part), .reference(made))
          let above = described[state.identity(of: folder)] ?? "hpc"
          described[state.identity(of: made)] = "\(above).\(part)"
          folder = made
        }
      }
      try state.rawSet(folder, .string(entry.name), value)
      if let function = try state.rawGet(folder, .string(entry.name)).asReference {
        described[state.identity(of: function)] = entry.path
      }
    }
    let computed = bodies.compactMapValues {
      if case .computed(let body) = $0 { body } else { nil }
    }
    let index = try state.function("hpc") { call in
      guard let key = try call.value(2).text, let body = computed["hpc." + key] else {
        return .nothing
      }
      return try body(call)
    }
    try state.setMetatable(
      of: hpc, to: try state.make(["__name": "hpc", "__index": .reference(index)]))
    let prelude = try state.load(PackageResources.prelude_lua, name: "=hpc.prelude")
    try state.call(prelude, [.reference(hpc), .reference(native)])
    return hpc
  }

  /// The short names of a Job that have a value, in the order of the documentation; runs no Lua.
  public func shortFields(of job: LuaReference, in state: LuaState) -> [(
    key: String, value: LuaValue
  )] {
    let type = try? state.metatable(of: job)
    let observedAt = type.flatMap { try? state.rawGet($0, "observed_at").asNumber } ?? 0
    return JobObject.shortNames.compactMap { name in
      let own = (try? state.rawGet(job, .string(name))) ?? .nil
      if !own.isNil { return (name, own) }
      let value = try? JobObject.value(name, of: job, observedAt: observedAt, in: state)
      return value.flatMap { $0.isNil || $0.text == "-" ? nil : (name, $0) }
    }
  }

  /// The secrets of all connections, the account's own too before anything has asked for them.
  public var secrets: Set<String> {
    _ = try? connection?.resolve()
    return host.secrets.all
  }

  /// The spec's entry of a function, or of a path as text.
  public func entry(for value: LuaValue, in state: LuaState) -> APIEntry? {
    if let reference = value.asReference {
      return described[state.identity(of: reference)].flatMap(APISpec.entry)
    }
    return value.text.flatMap { APISpec.entry($0) ?? APISpec.entry("hpc." + $0) }
  }
}

/// How an entry of the spec is carried out.
enum APIBody {
  case builtin(LuaBuiltin)
  case value(LuaValue)
  case native(LuaBody)
  /// Read through `__index` of the table: its body gets (table, key).
  case computed(LuaBody)
}
