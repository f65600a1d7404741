import LuaRuntime
import Sweeps
import Synchronization

/// Lua functions of the point, as closures that a runner calls from any thread. They see the
/// parameters as a table that notes which of them are read: those count as used.
final class PointFunctions: Sendable {
  let caller: LuaCaller
  let names = ReadNames()
  /// Functions of sweeps.lua, by name.
  private let helpers: [String: LuaReference]

  /// Parameters that any function has read.
  final class ReadNames: Sendable {
    private let names = Mutex<Set<String>>([])

    var all: Set<String> { names.withLock { $0 } }

    func insert(_ name: String) { names.withLock { _ = $0.insert(name) } }
  }

  /// - Parameters:
  ///   - module: what sweeps.lua returns.
  ///   - caller: runs the functions.
  init(_ module: LuaReference, caller: LuaCaller, in state: LuaState) throws {
    self.caller = caller
    var helpers: [String: LuaReference] = [:]
    let names = names
    let note = try state.function("note") { call in
      if let name = try call.value(1).text { names.insert(name) }
      return .nothing
    }
    guard let make = try state.rawGet(module, "tracker").asReference else {
      throw LuaError("sweeps.lua lacks a function")
    }
    helpers["tracked"] = try state.call(make, [.reference(note)]).first?.asReference
    for name in ["sorted", "call_result"] {
      helpers[name] = try state.rawGet(module, .string(name)).asReference
    }
    self.helpers = helpers
  }

  private func helper(_ name: String) throws -> LuaReference {
    guard let helper = helpers[name] else { throw LuaError("sweeps.lua lacks a function") }
    return helper
  }

  /// The table that a function gets for a point.
  private func point(_ parameters: Parameters, in state: LuaState) throws -> LuaValue {
    try state.call(helper("tracked"), [ParameterReader.table(parameters)]).first ?? .nil
  }

  // MARK: On the Lua thread

  /// `where`.
  func keeps(_ function: LuaReference, _ parameters: Parameters, in state: LuaState) throws -> Bool
  {
    try state.call(function, [try point(parameters, in: state)]).first?.isTrue ?? false
  }

  /// `order`: equal points stay as they are.
  func sorted(_ points: [Parameters], by order: LuaReference, in state: LuaState) throws
    -> [Parameters]
  {
    let tables = try points.map { try point($0, in: state) }
    let answer = try state.call(helper("sorted"), [.array(tables), .reference(order)])
    guard let list = answer.first?.asReference else { return points }
    return try state.read(list: list).compactMap { $0.asInteger.map { points[$0 - 1] } }
  }

  /// `resources`, called in place.
  func resources(
    _ function: LuaReference, _ parameters: Parameters, attempt: Int, in state: LuaState
  ) throws -> Resources {
    let values = try state.call(
      function, [try point(parameters, in: state), .integer(attempt)])
    return try ResourceReader.resources(values.first ?? .nil, in: state)
  }

  /// `inputs`, called in place.
  func inputs(
    _ function: LuaReference, _ parameters: Parameters, folder: String, in state: LuaState
  ) throws -> [SweepInput] {
    let values = try state.call(function, [try point(parameters, in: state)])
    return try ResourceReader.inputs(values.first ?? .nil, folder: folder, in: state)
  }

  // MARK: From any thread

  func resources(_ function: LuaReference) -> ResourceRule {
    .perPoint { [self] point, attempt in
      try await caller.call(function) { state in
        [try self.point(point.parameters, in: state), .integer(attempt)]
      } read: { state, values in
        try ResourceReader.resources(values.first ?? .nil, in: state)
      }
    }
  }

  func inputs(_ function: LuaReference, folder: String) -> InputRule {
    .perPoint { [self] point in
      try await caller.call(function) { state in
        [try self.point(point.parameters, in: state)]
      } read: { state, values in
        try ResourceReader.inputs(values.first ?? .nil, folder: folder, in: state)
      }
    }
  }

  /// `result`: its fields as JSON.
  func result(
    _ function: LuaReference
  ) -> @Sendable (SweepPoint, SweepFiles) async throws -> String? {
    { [self] point, files in
      let helper = try helper("call_result")
      return try await caller.call(helper) { state in
        let log = try state.function("log") { call in
          let stream: SweepLogs.Stream = try call.string(1) == "stderr" ? .err : .out
          return .await({ try await files.log(stream) }) { _, bytes in .value(.bytes(bytes)) }
        }
        return [
          .reference(function), ParameterReader.table(point.parameters),
          .string(files.folder), .array(files.files.map { .string($0.name) }), .reference(log),
        ]
      } read: { _, values in
        values.first?.text
      }
    }
  }
}
