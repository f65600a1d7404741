import JSON

/// Parameters as a JSON object, with whole doubles told from integers (`1.0`, `1`).
enum ParameterJSON {
  /// Lets the points of one space share their names.
  final class Names {
    fileprivate var last: [String] = []
  }

  static func text(_ parameters: Parameters) -> String {
    let members = zip(parameters.names, parameters.values).map { name, value in
      JSONValue.Member(key: name, value: json(value))
    }
    return String(decoding: JSONValue.object(members).encoded(), as: UTF8.self)
  }

  static func json(_ value: ParameterValue) -> JSONValue {
    switch value {
    case .integer(let value): .int(value)
    case .double(let value): .double(value)
    case .string(let value): .string(value)
    case .boolean(let value): .bool(value)
    }
  }

  static func parameters(_ text: String, _ shared: Names) -> Parameters {
    let members = (try? JSONValue(parsing: Array(text.utf8)))?.object ?? []
    let names = members.map(\.key)
    if names != shared.last { shared.last = names }
    return Parameters(names: shared.last, values: members.map { value($0.value) })
  }

  private static func value(_ json: JSONValue) -> ParameterValue {
    switch json {
    case .bool(let value): .boolean(value)
    case .int(let value): .integer(value)
    case .string(let value): .string(value)
    default: json.double.map(ParameterValue.double) ?? .string("")
    }
  }
}
