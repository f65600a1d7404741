import LuaRuntime
import Sweeps

/// Parameters between Lua and the sweeps: integers stay integers both ways.
enum ParameterReader {
  /// What is wrong with a value that should be a parameter.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// One value.
  ///
  /// - Parameter name: of the parameter, for the message.
  static func value(_ value: LuaValue, _ name: String, in state: LuaState) throws
    -> ParameterValue
  {
    switch value {
    case .integer(let number): return .integer(Int64(number))
    case .number(let number): return .double(number)
    case .boolean(let flag): return .boolean(flag)
    case .bytes(let bytes):
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Problem(description: "the parameter \"\(name)\" has a string that is not UTF-8")
      }
      guard !bytes.contains(0) else {
        throw Problem(
          description: "the parameter \"\(name)\" has a NUL byte, which no variable can hold")
      }
      return .string(text)
    default:
      throw Problem(
        description: "the parameter \"\(name)\" must have numbers, strings or booleans, not a "
          + (try state.typeName(of: value)))
    }
  }

  /// Name and value of each entry, such as a point's.
  static func parameters(_ table: LuaReference, in state: LuaState) throws
    -> [(String, ParameterValue)]
  {
    var table = table
    // A point that notes what is read of it.
    if let metatable = try state.metatable(of: table),
      let plain = try state.rawGet(metatable, "__jsonvalue").asReference, plain.type == .function,
      let values = try state.call(plain, [.reference(table)]).first?.asReference
    {
      table = values
    }
    return try state.entries(of: table).map { key, item in
      let name = try name(key, in: state)
      return (name, try value(item, name, in: state))
    }
  }

  /// Axes of a grid: arrays of values; a single value is an axis of one.
  static func axes(_ table: LuaReference, in state: LuaState) throws -> [String: [ParameterValue]] {
    var axes: [String: [ParameterValue]] = [:]
    for (key, item) in try state.entries(of: table) {
      let name = try name(key, in: state)
      guard let list = item.asReference, list.type == .table else {
        axes[name] = [try value(item, name, in: state)]
        continue
      }
      axes[name] = try values(list, name, in: state)
    }
    return axes
  }

  /// The values of an array.
  static func values(_ list: LuaReference, _ name: String, in state: LuaState) throws
    -> [ParameterValue]
  {
    let items = try state.read(list: list)
    let keys = try state.keys(of: list, limit: items.count + 1)
    guard keys.count == items.count else {
      throw Problem(
        description: "the parameter \"\(name)\" must be an array of values without holes or names")
    }
    return try items.map { try value($0, name, in: state) }
  }

  /// Axes of a sample: `{min=, max=, log=}` or `{choices=}`.
  static func sampleAxes(_ table: LuaReference, in state: LuaState) throws -> [String: SampleAxis] {
    var axes: [String: SampleAxis] = [:]
    for (key, item) in try state.entries(of: table) {
      let name = try name(key, in: state)
      guard let fields = item.asReference, fields.type == .table else {
        throw Problem(
          description: "the axis \"\(name)\" must be {min=, max=} or {choices = {…}}, not a "
            + (try state.typeName(of: item)))
      }
      axes[name] = try sampleAxis(fields, name, in: state)
    }
    return axes
  }

  private static func sampleAxis(_ table: LuaReference, _ name: String, in state: LuaState) throws
    -> SampleAxis
  {
    let valid = ["min", "max", "log", "choices"]
    for (key, _) in try state.keys(of: table) {
      guard let text = key.text, valid.contains(text) else {
        let word = try state.text(of: key)
        throw Problem(
          description: "the axis \"\(name)\": \(ArgumentCheck.unknown("key", word, valid))")
      }
    }
    let log = try state.rawGet(table, "log")
    switch log {
    case .nil, .boolean: break
    default:
      throw Problem(
        description: "the axis \"\(name)\": log must be true or false, not "
          + (try state.typeName(of: log)))
    }
    let choices = try state.rawGet(table, "choices")
    if !choices.isNil {
      guard let list = choices.asReference, list.type == .table,
        try state.keys(of: table, limit: 2).count == 1
      else {
        throw Problem(
          description: "the axis \"\(name)\": choices is an array, and stands alone")
      }
      return .choices(try values(list, name, in: state))
    }
    guard let min = try state.rawGet(table, "min").asNumber,
      let max = try state.rawGet(table, "max").asNumber
    else { throw Problem(description: "the axis \"\(name)\" needs min and max, or choices") }
    return .interval(
      min: min, max: max, logarithmic: log.isTrue)
  }

  private static func name(_ key: LuaValue, in state: LuaState) throws -> String {
    if case .bytes = key, let name = key.text { return name }
    throw Problem(
      description: "parameters have names: \(try state.text(of: key)) is none")
  }

  /// A parameter as Lua sees it.
  static func value(_ value: ParameterValue) -> LuaValue {
    switch value {
    case .integer(let number): .integer(Int(number))
    case .double(let number): .number(number)
    case .string(let text): .string(text)
    case .boolean(let flag): .boolean(flag)
    }
  }

  /// A point as a table to build.
  static func table(_ parameters: Parameters) -> LuaValue {
    .table(zip(parameters.names, parameters.values).map { (.string($0), value($1)) })
  }
}
