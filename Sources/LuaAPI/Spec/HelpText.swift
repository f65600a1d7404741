/// Turns entries of the spec into text for people.
public enum HelpText {
  /// The help of one entry: signature, parameters with units, results, errors, an example.
  public static func describe(_ entry: APIEntry) -> String {
    var lines = [entry.signature, "  " + entry.summary]
    let parameters = entry.parameters.flatMap { parameter in
      [row(parameter, depth: 0)] + parameter.type.optionFields.map { row($0, depth: 1) }
    }
    if !parameters.isEmpty { lines += ["", "Parameters"] + aligned(parameters) }
    if entry.kind != .field, !entry.returns.isEmpty {
      lines += ["", "Returns"] + aligned(entry.returns.map { ("  \($0.type)", $0.summary) })
    }
    if entry.kind == .field, let value = entry.returns.first, !value.summary.isEmpty {
      lines.append("  " + value.summary)
    }
    if !entry.errors.isEmpty { lines += ["", "Errors"] + entry.errors.map { "  " + $0 } }
    if !entry.notes.isEmpty { lines += [""] + entry.notes.map { "  " + $0 } }
    if !entry.example.isEmpty {
      lines += ["", "Example"] + entry.example.split(separator: "\n").map { "  " + $0 }
    }
    return lines.joined(separator: "\n")
  }

  /// The map of the whole table, one line an entry.
  public static func overview() -> String {
    let functions = APISpec.entries.filter { $0.kind == .function || $0.path.hasPrefix("hpc.") }
    return aligned(functions.map { ($0.path, $0.summary) }).joined(separator: "\n")
      + "\n\nhpc.help(hpc.jobs.submit) tells more of one."
  }

  /// The members of a class such as `Job`.
  public static func members(of name: String) -> String? {
    // Folders of functions, `hpc.Error` apart, are no classes.
    let name = name == "hpc.Error" ? "Error" : name
    guard name.first?.isUppercase == true else { return nil }
    let members = APISpec.entries.filter {
      $0.path.hasPrefix(name + ".") || $0.path.hasPrefix(name + ":")
    }
    guard !members.isEmpty else { return nil }
    return aligned(members.map { ($0.signature, $0.summary) }).joined(separator: "\n")
  }

  /// The entries below a path such as `hpc.jobs`, with or without `hpc.`.
  public static func folder(_ path: String) -> String? {
    let path = path.hasPrefix("hpc") ? path : "hpc." + path
    let entries = APISpec.entries.filter { $0.path.hasPrefix(path + ".") }
    guard !entries.isEmpty else { return nil }
    return aligned(entries.map { ($0.signature, $0.summary) }, width: 60).joined(separator: "\n")
  }

  /// What to say of a name that nothing has, with the one that was probably meant.
  public static func unknown(_ name: String) -> String {
    let shown = TextTable.printable(String(name.prefix(60)))
    let word = name.hasPrefix("hpc.") ? String(name.dropFirst(4)) : name
    var best: (path: String, rank: Int)?
    for path in APISpec.entries.map(\.path) {
      let whole = path.hasPrefix("hpc.") ? String(path.dropFirst(4)) : path
      let last = path.split { $0 == "." || $0 == ":" }.last.map(String.init) ?? path
      let near = [whole, last].compactMap { NearestName.edits(from: word, to: $0) }
      // Functions before members of the same name.
      guard let edits = near.min() else { continue }
      let rank = 2 * edits + (path.hasPrefix("hpc.") ? 0 : 1)
      if rank < best?.rank ?? .max { best = (path, rank) }
    }
    guard let best else { return "there is no \(shown); hpc.help() lists what is explained" }
    return "there is no \(shown), did you mean \(best.path)?"
  }

  private static func row(_ parameter: APIParameter, depth: Int) -> (String, String) {
    let indent = String(repeating: "  ", count: depth + 1)
    let words = parameter.type.words
    let fields = parameter.type.optionFields.isEmpty ? parameter.type.summary : "table"
    let optional = parameter.isOptional ? ", optional" : ""
    var summary = parameter.summary
    if fields != parameter.type.description, !words.isEmpty {
      summary += ": " + words.joined(separator: ", ")
    }
    return ("\(indent)\(parameter.name) (\(fields)\(optional))", summary)
  }

  private static func aligned(_ rows: [(String, String)], width most: Int = 44) -> [String] {
    let width = min(most, rows.map { $0.0.count }.max() ?? 0)
    return rows.map { left, right in
      right.isEmpty
        ? left : left + String(repeating: " ", count: max(0, width - left.count) + 2) + right
    }
  }
}
