import LuaRuntime
import Sweeps

/// `resources`, `outputs`, `inputs`, `retries` and `pack` as Lua tables say them.
enum ResourceReader {
  /// What is wrong with an option.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// Refuses keys that are none of `valid`, and positions, with the nearest name.
  static func check(
    _ table: LuaReference, keys valid: [String], option: String, in state: LuaState
  ) throws {
    for (key, _) in try state.keys(of: table) {
      guard case .bytes = key, let text = key.text else {
        throw Problem(
          description: "option '\(option)': keys have names, got \(try state.text(of: key))")
      }
      guard valid.contains(text) else {
        throw Problem(
          description: "option '\(option)': \(ArgumentCheck.unknown("key", text, valid))")
      }
    }
  }

  private static func table(_ value: LuaValue, _ option: String, in state: LuaState) throws
    -> LuaReference
  {
    guard let table = value.asReference, table.type == .table else {
      throw Problem(
        description: "option '\(option)': table expected, got \(try state.typeName(of: value))")
    }
    return table
  }

  /// `{node=, elapse=, rscgrp=, group=, mpi=, pjm=}`; nil is no wish at all.
  static func resources(_ value: LuaValue, in state: LuaState) throws -> Resources {
    if value.isNil { return Resources() }
    let table = try table(value, "resources", in: state)
    try check(
      table, keys: ["node", "elapse", "rscgrp", "group", "mpi", "pjm"], option: "resources",
      in: state)
    func text(_ key: String) throws -> String? {
      let value = try state.rawGet(table, .string(key))
      if value.isNil { return nil }
      if let whole = value.asInteger { return "\(whole)" }
      guard case .bytes = value, let text = value.text else {
        throw Problem(
          description: "option 'resources': \(key) cannot be \(try state.text(of: value))")
      }
      return text
    }
    var resources = Resources(
      node: try text("node"), rscgrp: try text("rscgrp"), group: try text("group"))
    let elapse = try state.rawGet(table, "elapse")
    if !elapse.isNil {
      let given = elapse.asInteger.map { "\($0)" } ?? elapse.text ?? ""
      guard let seconds = Elapse.seconds(given) else {
        let shown = try elapse.text.map { "\"\($0)\"" } ?? state.text(of: elapse)
        throw Problem(
          description:
            "option 'resources': elapse is whole seconds, \"2h\" or \"02:00:00\", not \(shown)")
      }
      resources.elapse = seconds
    }
    if let count = try state.rawGet(table, "mpi").asInteger, count < 1 {
      throw Problem(description: "option 'resources': mpi is 1 process or more, not \(count)")
    }
    if let mpi = try text("mpi") {
      resources.mpi = mpi.utf8.allSatisfy { (0x30...0x39).contains($0) } ? "proc=\(mpi)" : mpi
    }
    let lines = try state.rawGet(table, "pjm")
    if !lines.isNil { resources.pjm = try texts(lines, "resources.pjm", in: state) }
    try resources.check()
    return resources
  }

  /// A string, or an array of strings.
  static func texts(_ value: LuaValue, _ option: String, in state: LuaState) throws -> [String] {
    if case .bytes = value, let text = value.text { return [text] }
    return try state.read(list: try table(value, option, in: state)).map { item in
      guard case .bytes = item, let text = item.text else {
        throw Problem(
          description: "option '\(option)': strings expected, got \(try state.typeName(of: item))")
      }
      return text
    }
  }

  /// `{"energy.json", optional = {"log-*.txt"}}`
  static func outputs(_ value: LuaValue, in state: LuaState) throws -> [SweepOutput] {
    if value.isNil { return [] }
    if case .bytes = value, let text = value.text { return [SweepOutput(text)] }
    let table = try table(value, "outputs", in: state)
    for (key, _) in try state.keys(of: table) where key.asInteger == nil {
      let word = try state.text(of: key)
      guard word == "optional" else {
        throw Problem(
          description: "option 'outputs': \(ArgumentCheck.unknown("key", word, ["optional"]))")
      }
    }
    let required = try texts(.reference(table), "outputs", in: state)
    let others = try state.rawGet(table, "optional")
    let optional = others.isNil ? [] : try texts(others, "outputs", in: state)
    let all =
      required.map { SweepOutput($0) } + optional.map { SweepOutput($0, isRequired: false) }
    for output in all where !isWithinFolder(output.pattern) {
      throw Problem(
        description:
          "option 'outputs': \"\(output.pattern)\" is no name or pattern within the work folder")
    }
    return all
  }

  /// Whether a name or pattern can only mean something below the work folder.
  private static func isWithinFolder(_ pattern: String) -> Bool {
    let parts = (pattern.hasSuffix("/") ? pattern.dropLast() : pattern[...])
      .split(separator: "/", omittingEmptySubsequences: false)
    return !parts.contains { $0.isEmpty || $0 == ".." }
  }

  /// Paths, `[name] = path`, and outputs of other rows.
  ///
  /// - Parameter folder: what relative paths are relative to.
  static func inputs(_ value: LuaValue, folder: String, in state: LuaState) throws -> [SweepInput] {
    if value.isNil { return [] }
    if case .bytes = value, let text = value.text { return [local(text, name: nil, folder)] }
    let table = try table(value, "inputs", in: state)
    if let output = try remoteOutput(table, in: state) { return [.linked(output)] }
    let listed = try state.read(list: table)
    var inputs: [SweepInput] = []
    for item in listed { inputs.append(try input(item, name: nil, folder, in: state)) }
    for (key, item) in try state.entries(of: table).sorted(by: {
      $0.key.text ?? "" < $1.key.text ?? ""
    }) {
      guard case .bytes = key, let name = key.text else { continue }
      inputs.append(try input(item, name: name, folder, in: state))
    }
    return inputs
  }

  private static func input(
    _ value: LuaValue, name: String?, _ folder: String, in state: LuaState
  ) throws -> SweepInput {
    if case .bytes = value, let text = value.text { return local(text, name: name, folder) }
    if let table = value.asReference, var output = try remoteOutput(table, in: state) {
      if let name { output.name = name }
      return .linked(output)
    }
    throw Problem(
      description: "option 'inputs': a path or row:output(name) expected, got "
        + (try state.typeName(of: value)))
  }

  private static func local(_ path: String, name: String?, _ folder: String) -> SweepInput {
    var bare = path[...]
    while bare.hasPrefix("./") { bare = bare.dropFirst(2) }
    while bare.count > 1, bare.hasSuffix("/") { bare.removeLast() }
    let parts = bare.split(separator: "/")
    // What lies outside has no relative path to keep.
    let isInside = !bare.hasPrefix("/") && !parts.contains("..")
    return .local(
      path: bare.hasPrefix("/") ? String(bare) : "\(folder)/\(bare)",
      name: name ?? (isInside ? String(bare) : parts.last.map(String.init) ?? String(bare)))
  }

  private static func remoteOutput(_ table: LuaReference, in state: LuaState) throws
    -> RemoteOutput?
  {
    guard try ObjectTypes().name(of: .reference(table), in: state) == "Output",
      let path = try state.rawGet(table, "path").text,
      let name = try state.rawGet(table, "name").text
    else { return nil }
    return RemoteOutput(path: path, name: name)
  }

  /// A number, or one by cause.
  static func retries(_ value: LuaValue, in state: LuaState) throws -> SweepSettings.Retries {
    if value.isNil { return .standard }
    if let count = value.asInteger {
      guard count >= 0 else {
        throw Problem(description: "option 'retries': 0 or more expected, got \(count)")
      }
      return .number(count)
    }
    let table = try table(value, "retries", in: state)
    // What never started costs no retry and is tried again anyway (`exactly-once.md`).
    let valid = RetryKind.allCases.map(\.rawValue)
    try check(table, keys: valid, option: "retries", in: state)
    var retries = SweepSettings.Retries.standard
    for kind in RetryKind.allCases {
      let value = try state.rawGet(table, .string(kind.rawValue))
      if value.isNil { continue }
      guard let count = value.asInteger, count >= 0 else {
        throw Problem(
          description:
            "option 'retries': \(kind.rawValue) must be 0 or more, not \(try state.text(of: value))"
        )
      }
      retries.byCause[kind] = count
    }
    return retries
  }

  /// `{points=, at_once=}`, or the number of points.
  static func pack(_ value: LuaValue, in state: LuaState) throws -> SweepDefinition.Pack {
    if value.isNil { return SweepDefinition.Pack() }
    func positive(_ value: LuaValue, _ key: String, _ standard: Int) throws -> Int {
      if value.isNil { return standard }
      guard let count = value.asInteger, count >= 1 else {
        throw Problem(
          description:
            "option 'pack': \(key) must be 1 or more, not \(try state.text(of: value))")
      }
      return min(count, 1 << 40)
    }
    if value.asNumber != nil {
      return SweepDefinition.Pack(points: try positive(value, "points", 1), atOnce: 1)
    }
    let table = try table(value, "pack", in: state)
    try check(table, keys: ["points", "at_once"], option: "pack", in: state)
    return SweepDefinition.Pack(
      points: try positive(try state.rawGet(table, "points"), "points", 1),
      atOnce: try positive(try state.rawGet(table, "at_once"), "at_once", 1))
  }
}
