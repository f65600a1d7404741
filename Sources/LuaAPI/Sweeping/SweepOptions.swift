import FoundationEssentials
import LuaRuntime
import Sweeps

/// Reads the options of `hpc.sweep{…}` and `hpc.run{…}`, whose names and types the spec has checked,
/// into a definition. Functions of the point stay Lua functions, called on the Lua loop.
struct SweepOptions {
  let table: LuaReference
  let state: LuaState
  /// Absolute; what relative paths are relative to.
  let folder: String
  let functions: PointFunctions
  let spaces: SpaceBindings

  typealias Problem = ResourceReader.Problem

  /// The definition, with its points.
  ///
  /// - Parameter isSingle: for `hpc.run`: one point without parameters.
  func definition(isSingle: Bool) throws -> SweepDefinition {
    var definition = SweepDefinition(
      name: try text("name") ?? "", folder: folder, points: [], script: try script())
    if isSingle {
      definition.points = [Parameters([])]
    } else {
      try readSpace(into: &definition)
    }
    definition.setup = try text("setup") ?? ""
    definition.resources = try resources()
    definition.inputs = try inputs()
    definition.outputs = try ResourceReader.outputs(try get("outputs"), in: state)
    if let function = try function("result") { definition.result = functions.result(function) }
    if let count = try positive("max_queued") { definition.maxQueued = count }
    if let count = try positive("stop_after") { definition.stopAfter = count }
    definition.retries = try ResourceReader.retries(try get("retries"), in: state)
    definition.pack = try ResourceReader.pack(try get("pack"), in: state)
    definition.budget = try budget()
    definition.workFolder = try text("workdir")
    if let keep = try text("keep").flatMap(JobScript.Keep.init(rawValue:)) {
      definition.keep = keep
    }
    if let rule = try text("on_edit").flatMap(SweepDefinition.EditRule.init(rawValue:)) {
      definition.onEdit = rule
    }
    let version = try get("version")
    definition.version = version.isNil ? "" : try state.text(of: version)
    let unused = try get("unused")
    if !unused.isNil {
      definition.unused = Set(try ResourceReader.texts(unused, "unused", in: state))
    }
    definition.standIn = try standIn()
    let names = functions.names
    definition.namesRead = { names.all }
    return definition
  }

  // MARK: Points

  private func readSpace(into definition: inout SweepDefinition) throws {
    let value = try get("space")
    if value.isNil {
      for name in ["where", "order", "repeats", "max_points"] where !(try get(name)).isNil {
        throw Problem(description: "option '\(name)' needs a space")
      }
      return
    }
    guard var space = spaces.space(value, in: state) else {
      throw Problem(
        description: "option 'space': hpc.grid{…} or one of hpc.space expected, got "
          + (try state.typeName(of: value)))
    }
    if let times = try positive("repeats") { space = try space.repeated(times) }
    let limit = try positive("max_points") ?? Space.confirmationLimit
    guard space.count <= limit else {
      throw Problem(
        description: "option 'space': \(space.count) points are more than \(limit); "
          + "if that is meant, confirm it with max_points = \(space.count)")
    }
    var filter: ((Parameters) throws -> Bool)?
    if let function = try function("where") {
      filter = { [functions, state] point in try functions.keeps(function, point, in: state) }
    }
    definition.points = try space.select(limit: nil, where: filter)
    if let order = try function("order") {
      definition.points = try functions.sorted(definition.points, by: order, in: state)
    }
    definition.space = space.summary
  }

  // MARK: Script

  private func script() throws -> SweepScript {
    var markers = Template.Markers.braces
    if let list = try get("markers").asReference {
      markers = try SpaceBindings.markers(list, position: 1, in: state)
    }
    let template = try get("template")
    let isTemplate = template.isNil || template.isTrue
    let given = try text("script")
    let remote = try text("remote")
    switch (given, remote) {
    case (nil, nil):
      throw Problem(
        description: "option 'script' is missing: a file beside this one, or text with a newline")
    case (_?, _?): throw Problem(description: "options 'script' and 'remote' exclude each other")
    case (nil, let path?):
      return SweepScript(.remote(path), source: path, markers: markers, isTemplate: isTemplate)
    case (let text?, nil) where text.utf8.contains(0x0a):
      return SweepScript(.text(text), source: "script", markers: markers, isTemplate: isTemplate)
    case (let name?, nil):
      let path = name.hasPrefix("/") ? name : "\(folder)/\(name)"
      guard let bytes = FileManager.default.contents(atPath: path) else {
        throw Problem(
          description: "option 'script': there is no file \(path) "
            + "(a script given as text has a newline)")
      }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Problem(description: "option 'script': \(path) is not UTF-8 text")
      }
      return SweepScript(.text(text), source: name, markers: markers, isTemplate: isTemplate)
    }
  }

  // MARK: Rules of the point

  private func resources() throws -> ResourceRule {
    if let function = try function("resources") { return functions.resources(function) }
    return .fixed(try ResourceReader.resources(try get("resources"), in: state))
  }

  private func inputs() throws -> InputRule {
    if let function = try function("inputs") {
      return functions.inputs(function, folder: folder)
    }
    return .fixed(try ResourceReader.inputs(try get("inputs"), folder: folder, in: state))
  }

  // MARK: Plain options

  private func budget() throws -> Double? {
    guard let table = try get("budget").asReference else { return nil }
    try ResourceReader.check(table, keys: ["node_hours"], option: "budget", in: state)
    let value = try state.rawGet(table, "node_hours")
    guard let hours = value.asNumber, hours >= 0 else {
      throw Problem(description: "option 'budget': node_hours must be a number, 0 or more")
    }
    return hours
  }

  private func standIn() throws -> SweepDefinition.StandIn? {
    guard let table = try get("sim").asReference else { return nil }
    try ResourceReader.check(table, keys: ["run", "seconds"], option: "sim", in: state)
    guard let run = try state.rawGet(table, "run").text else {
      throw Problem(description: "option 'sim': run, the text of a script, is missing")
    }
    let given = try state.rawGet(table, "seconds")
    let seconds = given.isNil ? 0 : given.asNumber ?? -1
    guard seconds >= 0, seconds.isFinite else {
      throw Problem(
        description: "option 'sim': seconds must be 0 or more, not \(try state.text(of: given))")
    }
    return SweepDefinition.StandIn(text: run, seconds: seconds)
  }

  private func get(_ name: String) throws -> LuaValue { try state.rawGet(table, .string(name)) }

  private func text(_ name: String) throws -> String? {
    guard case .bytes(let bytes) = try get(name) else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Problem(description: "option '\(name)': string is not valid UTF-8")
    }
    return text
  }

  private func function(_ name: String) throws -> LuaReference? {
    guard let value = try get(name).asReference, value.type == .function else { return nil }
    return value
  }

  private func positive(_ name: String) throws -> Int? {
    let value = try get(name)
    if value.isNil { return nil }
    guard let number = value.asInteger, number >= 1 else {
      throw Problem(
        description: "option '\(name)': a whole number, 1 or more, expected, got "
          + (try state.text(of: value)))
    }
    // More than this is no limit at all, and must not overflow where it is doubled.
    return min(number, 1 << 40)
  }
}
