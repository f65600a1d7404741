import LuaRuntime

/// Holds the arguments of a call against the spec, in Lua's own wording, before any work begins.
struct ArgumentCheck {
  let entry: APIEntry
  let objects: ObjectTypes

  /// Throws for the first argument that does not fit.
  func check(_ call: borrowing LuaCall) throws {
    let receiver = entry.kind == .method ? 1 : 0
    for (index, parameter) in entry.parameters.enumerated() where parameter.name != "..." {
      let position = index + 1 + receiver
      if call.isAbsent(position) {
        if parameter.isOptional { continue }
        throw LuaError.type(position, expected: parameter.type.luaName)
      }
      if let problem = try problem(call.value(position), parameter.type, call.state) {
        throw LuaError.argument(position, problem)
      }
    }
  }

  /// What is wrong with a value; nil when it fits.
  private func problem(_ value: LuaValue, _ type: APIType, _ state: LuaState) throws -> String? {
    switch type {
    case .any: return nil
    case .string:
      if case .bytes = value { return nil }
    case .boolean:
      if case .boolean = value { return nil }
    case .integer:
      if value.asInteger != nil { return nil }
      if value.asNumber != nil { return "number has no integer representation" }
    case .number:
      if value.asNumber != nil { return nil }
    case .seconds:
      if let number = value.asNumber {
        return number >= 0 && number.isFinite
          ? nil : "seconds must be 0 or more and finite, got \(try state.text(of: value))"
      }
    case .function:
      if value.asReference?.type == .function { return nil }
    case .table, .keys, .named:
      if value.asReference?.type == .table { return nil }
    case .object(let name):
      if try objects.name(of: value, in: state) == name { return nil }
    case .jobReference, .syncReference:
      return try referenceProblem(value, type, state)
    case .array(let element):
      return try arrayProblem(value, element, state)
    case .words(let words):
      guard case .bytes = value, let word = value.text else { break }
      return words.contains(word) ? nil : Self.unknown("value", word, words)
    case .oneOf(let types):
      return try alternativesProblem(value, types, state)
    case .options(let fields):
      return try optionsProblem(value, fields, state)
    }
    return "\(type.luaName) expected, got \(try typeName(value, state))"
  }

  private func referenceProblem(_ value: LuaValue, _ type: APIType, _ state: LuaState) throws
    -> String?
  {
    if try objects.number(of: value, in: state) != nil { return nil }
    let kind = type.isJobReference ? "Job" : "Sync"
    switch value {
    case .integer, .number, .bytes:
      return
        "\(kind == "Job" ? "a job" : "a sync") has a positive integer for its id, got \(try Self.quoted(value, state))"
    default:
      return "id or \(kind) expected, got \(try typeName(value, state))"
    }
  }

  private func arrayProblem(_ value: LuaValue, _ element: APIType, _ state: LuaState) throws
    -> String?
  {
    guard let table = value.asReference, table.type == .table else {
      return "array expected, got \(try typeName(value, state))"
    }
    if case .any = element { return nil }
    let count = try state.length(of: table)
    // With other keys alone it is no empty list but a mistake that would do nothing.
    if count == 0, element.isJobReference, let key = try state.entries(of: table).first?.0 {
      return "array expected, got a table with the key \(try Self.quoted(key, state))"
    }
    for index in 0..<count {
      let item = try state.get(table, .integer(index + 1))
      if let problem = try problem(item, element, state) {
        return "element \(index + 1): \(problem)"
      }
    }
    return nil
  }

  private func alternativesProblem(_ value: LuaValue, _ types: [APIType], _ state: LuaState) throws
    -> String?
  {
    let problems = try types.map { try (type: $0, problem: problem(value, $0, state)) }
    if problems.contains(where: { $0.problem == nil }) { return nil }
    // The alternative that the value looks like tells best what is wrong.
    let likely = problems.first { $0.type.looksLike(value) }
    if let likely { return likely.problem }
    let names = types.map(\.luaName).joined(separator: " or ")
    return "\(names) expected, got \(try typeName(value, state))"
  }

  private func optionsProblem(_ value: LuaValue, _ fields: [APIParameter], _ state: LuaState) throws
    -> String?
  {
    guard let table = value.asReference, table.type == .table else {
      return "table expected, got \(try typeName(value, state))"
    }
    var given: [String: LuaValue] = [:]
    for (key, value) in try state.entries(of: table) {
      guard case .bytes = key, let name = key.text else {
        return "options have names, got the key \(try Self.quoted(key, state))"
      }
      given[name] = value
    }
    let names = fields.map(\.name)
    if let stranger = given.keys.filter({ !names.contains($0) }).min() {
      return Self.unknown("option", stranger, names)
    }
    for field in fields {
      guard let value = given[field.name] else {
        if field.isOptional { continue }
        return "option '\(field.name)' is missing: \(field.summary)"
      }
      if let problem = try problem(value, field.type, state) {
        return "option '\(field.name)': \(problem)"
      }
    }
    return nil
  }

  private func typeName(_ value: LuaValue, _ state: LuaState) throws -> String {
    try state.typeName(of: value)
  }

  /// A value as a message shows it, strings in quotes and bounded.
  private static func quoted(_ value: LuaValue, _ state: LuaState) throws -> String {
    guard case .bytes = value, let text = value.text else { return try state.text(of: value) }
    return "'\(TextTable.printable(String(text.prefix(60))))'"
  }

  /// `unknown option 'jobfle', did you mean 'jobfile'?`
  static func unknown(_ what: String, _ word: String, _ valid: [String]) -> String {
    let shown = TextTable.printable(String(word.prefix(60)))
    if let nearest = NearestName.find(word, in: valid) {
      return "unknown \(what) '\(shown)', did you mean '\(nearest)'?"
    }
    return "unknown \(what) '\(shown)'; valid: \(valid.joined(separator: ", "))"
  }
}

extension APIType {
  /// The name that Lua's own messages would use.
  var luaName: String {
    switch self {
    case .integer, .number, .seconds: "number"
    case .array, .options, .table, .keys, .named: "table"
    case .words, .string: "string"
    case .jobReference: "id or Job"
    case .syncReference: "id or Sync"
    case .oneOf(let types): types.map(\.luaName).joined(separator: " or ")
    case .boolean, .function, .any, .object: description
    }
  }

  var isJobReference: Bool {
    if case .jobReference = self { true } else { false }
  }

  /// Whether a value is of the same Lua type, so that it was probably meant.
  func looksLike(_ value: LuaValue) -> Bool {
    switch (self, value) {
    case (.string, .bytes), (.words, .bytes), (.integer, .integer), (.integer, .number),
      (.number, .integer), (.jobReference, .integer), (.jobReference, .number),
      (.jobReference, .bytes), (.syncReference, .integer):
      true
    case (.array, .reference(let reference)), (.options, .reference(let reference)),
      (.table, .reference(let reference)), (.keys, .reference(let reference)):
      reference.type == .table
    default: false
    }
  }
}
