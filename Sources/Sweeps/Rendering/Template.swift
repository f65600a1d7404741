/// A text with places for parameters, such as `{{T}}`, `{{name|sh}}`, `{{text|raw}}`, `{{T|%.3f}}`.
///
/// What stands between the markers is a place only where it is a name, alone or with a filter; any
/// other text between them (`awk '{{print $1}}'`, `user@host`) stays as it is.
public struct Template: Sendable {
  /// What opens and closes a place.
  public struct Markers: Sendable, Hashable {
    public var open: String
    public var close: String

    /// `{{` and `}}`.
    public static let braces = Markers(open: "{{", close: "}}")

    public init(open: String, close: String) {
      self.open = open
      self.close = close
    }
  }

  enum Filter: Sendable, Hashable {
    /// As it is, where all its characters are safe.
    case verbatim
    /// As one word of a shell.
    case shell
    /// As it is, whatever it holds.
    case raw
    /// Through a format of C.
    case format(ValueFormat)
  }

  enum Segment: Sendable, Hashable {
    case text(String)
    case place(name: String, filter: Filter, line: Int)
  }

  /// What the text is called in messages.
  public let source: String
  /// The markers in use.
  public let markers: Markers
  let segments: [Segment]

  /// Reads a template; throws one error with every filter that is none.
  public init(
    _ text: String, source: String = "", markers: Markers = .braces
  ) throws(TemplateError) {
    self.source = source
    self.markers = markers
    var reader = TemplateReader(text: text, markers: markers)
    segments = reader.read()
    if !reader.problems.isEmpty {
      throw TemplateError(source: source, problems: reader.problems)
    }
  }

  /// A text without places.
  public init(literal text: String, source: String = "") {
    self.source = source
    markers = .braces
    segments = [.text(text)]
  }

  /// The names of all places.
  public var names: Set<String> {
    Set(
      segments.compactMap { if case .place(let name, _, _) = $0 { name } else { nil } })
  }

  /// What values must suit: the name and filter of each place, each pair once.
  struct Demand: Hashable {
    var name: String
    fileprivate var filter: Filter

    /// Whether a value can be inserted so.
    func accepts(_ value: ParameterValue) -> Bool {
      switch filter {
      case .raw, .shell: return true
      case .verbatim:
        if case .string(let text) = value { return ShellText.isSafe(text) }
        return true
      case .format(let format): return format.text(value) != nil
      }
    }
  }

  /// What values must suit, built-in names apart.
  var demands: Set<Demand> {
    Set(
      segments.compactMap { segment in
        guard case .place(let name, let filter, _) = segment,
          !ParameterName.builtIn.contains(name), filter != .raw, filter != .shell
        else { return nil }
        return Demand(name: name, filter: filter)
      })
  }

  /// Refuses names that are neither known nor built in.
  public func check(known: some Sequence<String>) throws(TemplateError) {
    let known = Set(known).union(ParameterName.builtIn)
    var problems: [TemplateError.Problem] = []
    for case .place(let name, _, let line) in segments where !known.contains(name) {
      let near = nearest(to: name, among: known).map { ": did you mean \($0)?" } ?? ""
      problems.append(
        .init(line: line, message: "unknown name \(markers.open)\(name)\(markers.close)\(near)"))
    }
    if !problems.isEmpty { throw TemplateError(source: source, problems: problems) }
  }

  /// The text with the values in their places; throws one error with every place that has no
  /// value or whose value needs a filter.
  public func render(_ value: (String) -> ParameterValue?) throws(TemplateError) -> String {
    var result = ""
    var problems: [TemplateError.Problem] = []
    for segment in segments {
      switch segment {
      case .text(let text):
        result += text
      case .place(let name, let filter, let line):
        guard let value = value(name) else {
          problems.append(
            .init(line: line, message: "unknown name \(markers.open)\(name)\(markers.close)"))
          continue
        }
        do throws(Refusal) {
          result += try expanded(value, name: name, filter: filter)
        } catch {
          problems.append(.init(line: line, message: error.message))
        }
      }
    }
    if !problems.isEmpty { throw TemplateError(source: source, problems: problems) }
    return result
  }

  private struct Refusal: Error {
    var message: String
  }

  private func expanded(
    _ value: ParameterValue, name: String, filter: Filter
  ) throws(Refusal) -> String {
    let text = value.text
    switch filter {
    case .raw: return text
    case .shell: return ShellText.quoted(text)
    case .verbatim:
      // Folders of the sweep are safe by construction, and `{{previous}}` is empty the first time.
      if ParameterName.builtIn.contains(name) || ShellText.isSafe(text) { return text }
      let (open, close) = (markers.open, markers.close)
      throw Refusal(
        message: "the value of \(name), \(ShellText.quoted(text)), is no plain word: say "
          + "\(open)\(name)|sh\(close) to quote it or \(open)\(name)|raw\(close) to insert it as "
          + "it is")
    case .format(let format):
      guard let text = format.text(value) else {
        throw Refusal(message: "\(format.description) cannot format \(name) = \(text)")
      }
      return text
    }
  }
}

/// The known name with the fewest edits, where at most a third of the letters differ.
func nearest(to name: String, among known: Set<String>) -> String? {
  let candidates = known.map { (distance: editDistance(name, $0), name: $0) }
  guard let best = candidates.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }),
    best.distance <= max(1, name.count / 3)
  else { return nil }
  return best.name
}

private func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a.lowercased()), Array(b.lowercased()))
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.count]
}
