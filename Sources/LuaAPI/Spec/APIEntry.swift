/// One thing of the `hpc` table, described once: bindings check it, and help, completion, the
/// LuaCATS definitions and the luacheck std come from it (`lua-api.md`).
public struct APIEntry: Sendable {
  /// What the entry is.
  public enum Kind: Sendable {
    /// Called with a dot.
    case function
    /// Called with a colon on a value of its class.
    case method
    /// A value: a computed property of a class, or a field of the table.
    case field
  }

  public var kind: Kind
  /// Where it is found: `hpc.jobs.submit`, `Job:cancel`, `Job.state`.
  public var path: String
  /// One sentence.
  public var summary: String
  /// In order; those of a method without the receiver.
  public var parameters: [APIParameter]
  /// What a call answers, or what the field holds.
  public var returns: [APIReturn]
  /// What can go wrong, one sentence each.
  public var errors: [String]
  /// Further sentences for the help text.
  public var notes: [String]
  /// A few lines of Lua.
  public var example: String

  public init(
    _ kind: Kind, _ path: String, _ summary: String, parameters: [APIParameter] = [],
    returns: [APIReturn] = [], errors: [String] = [], notes: [String] = [], example: String = ""
  ) {
    self.kind = kind
    self.path = path
    self.summary = summary
    self.parameters = parameters
    self.returns = returns
    self.errors = errors
    self.notes = notes
    self.example = example
  }

  /// The last part of the path.
  public var name: String {
    String(
      path[
        (path.lastIndex { $0 == "." || $0 == ":" }.map(path.index(after:)) ?? path.startIndex)...])
  }

  /// `hpc.jobs.submit(job, [options]) --> Job`
  public var signature: String {
    guard kind != .field else {
      return returns.first.map { "\(path): \($0.type.description)" } ?? path
    }
    let list = parameters.map { $0.isOptional ? "[\($0.name)]" : $0.name }
    let results = returns.map(\.type.description).joined(separator: ", ")
    return "\(path)(\(list.joined(separator: ", ")))" + (results.isEmpty ? "" : " --> \(results)")
  }
}

/// A parameter, or an option within a table of options.
public struct APIParameter: Sendable {
  public var name: String
  public var type: APIType
  public var isOptional: Bool
  /// What it means, with its unit and default.
  public var summary: String

  public init(_ name: String, _ type: APIType, optional: Bool = false, _ summary: String) {
    self.name = name
    self.type = type
    self.isOptional = optional
    self.summary = summary
  }
}

/// One result of a call.
public struct APIReturn: Sendable {
  public var type: APIType
  public var summary: String

  public init(_ type: APIType, _ summary: String) {
    self.type = type
    self.summary = summary
  }
}

/// The types that parameters and results have, as a Lua user would name them.
public indirect enum APIType: Sendable, CustomStringConvertible {
  case string, integer, number, boolean, table, function, any
  /// A span of time: a number of seconds.
  case seconds
  /// An object with a metatable of ours.
  case object(String)
  /// A job: its id as an integer or digits, or a Job.
  case jobReference
  /// A sync: its request id as an integer or digits, or a Sync.
  case syncReference
  case array(APIType)
  case oneOf([APIType])
  /// One of a few words.
  case words([String])
  /// A table whose keys are known.
  case options([APIParameter])
  /// A table with keys of these names, which its reader checks: for completion.
  case keys([String])
  /// A table whose every value is of one type, under names of the user's choice.
  case named(APIType)

  public var description: String {
    switch self {
    case .string: "string"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .table: "table"
    case .function: "function"
    case .any: "any"
    case .seconds: "seconds"
    case .object(let name): name
    case .jobReference: "integer | Job"
    case .syncReference: "integer | Sync"
    case .array(let element):
      element.description.contains(" | ") ? "(\(element))[]" : "\(element)[]"
    case .oneOf(let types): types.map(\.description).joined(separator: " | ")
    case .words(let words): words.map { "\"\($0)\"" }.joined(separator: " | ")
    case .options(let fields): "{" + fields.map { "\($0.name)=" }.joined(separator: ", ") + "}"
    case .keys, .named: "table"
    }
  }

  /// The names of the keys that such a table may have, in the order of the documentation.
  public var keyNames: [String] {
    switch self {
    case .options(let fields): fields.map(\.name)
    case .keys(let names): names
    case .oneOf(let types): types.flatMap(\.keyNames)
    default: []
    }
  }

  /// The known keys, where the type is a table of options or may be one.
  public var optionFields: [APIParameter] {
    switch self {
    case .options(let fields): fields
    case .oneOf(let types): types.flatMap(\.optionFields)
    default: []
    }
  }

  /// The words that a string may be, each once, where they are few and known.
  public var words: [String] {
    switch self {
    case .words(let words): words
    case .array(let element): element.words
    case .oneOf(let types):
      types.reduce(into: [String]()) { all, type in
        all += type.words.filter { !all.contains($0) }
      }
    default: []
    }
  }

  /// The type in a few words, for tables of parameters: long lists of words are strings there.
  var summary: String {
    if description.count <= 30 { return description }
    switch self {
    case .words: return "string"
    case .array(let element):
      return element.summary.contains(" | ") ? "(\(element.summary))[]" : "\(element.summary)[]"
    case .oneOf(let types):
      let parts = types.map(\.summary)
      return parts.enumerated().filter { !parts[..<$0.offset].contains($0.element) }
        .map(\.element).joined(separator: " | ")
    default: return description
    }
  }
}
