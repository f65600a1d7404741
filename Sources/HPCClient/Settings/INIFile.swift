/// A configuration file of sections and `key = value` or `key: value` lines, as the operator's tools
/// read them.
///
/// Comments begin with `#` or `;` at the start of a line, or after white space behind a value. A
/// section may be called `[x]` or `[profile x]`. Later lines win.
struct INIFile: Sendable, Hashable {
  /// One value and where it stands.
  struct Entry: Sendable, Hashable {
    var value: String
    /// From 1.
    var line: Int
  }

  /// What is no configuration.
  struct Fault: Error, Sendable, Hashable {
    var line: Int
    var what: String
  }

  /// Values by section, then by key in lower case; what stands before the first section is under
  /// the empty name.
  private(set) var sections: [String: [String: Entry]] = [:]

  /// Reads a text; `isLenient` skips lines that are neither a section nor a value, as files that
  /// belong to others may have them.
  init(parsing text: String, isLenient: Bool = false) throws(Fault) {
    var section = ""
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let number = index + 1
      let line = Self.trimmed(line)
      guard let first = line.first, first != "#", first != ";" else { continue }
      if first == "[" {
        guard let close = line.firstIndex(of: "]") else {
          if isLenient { continue }
          throw Fault(line: number, what: "a section without its closing bracket")
        }
        section = Self.sectionName(line[line.index(after: line.startIndex)..<close])
        if sections[section] == nil { sections[section] = [:] }
        continue
      }
      guard let mark = line.firstIndex(where: { $0 == "=" || $0 == ":" }), mark > line.startIndex
      else {
        if isLenient { continue }
        throw Fault(line: number, what: "neither [section] nor key = value")
      }
      let key = Self.trimmed(line[..<mark]).lowercased()
      let value = Self.withoutComment(line[line.index(after: mark)...])
      sections[section, default: [:]][key] = Entry(value: value, line: number)
    }
  }

  /// The value in a profile's section, else the one before every section.
  subscript(key: String, profile profile: String) -> Entry? {
    let entry = sections[profile]?[key] ?? sections[""]?[key]
    return entry.flatMap { $0.value.isEmpty ? nil : $0 }
  }

  private static func sectionName(_ text: Substring) -> String {
    let words = text.split(whereSeparator: \.isWhitespace)
    return (words.count > 1 && words[0] == "profile" ? words.dropFirst() : words[...])
      .joined(separator: " ")
  }

  private static func withoutComment(_ text: Substring) -> String {
    var end = text.endIndex
    var previous: Character = "="
    for index in text.indices {
      if (text[index] == "#" || text[index] == ";") && previous.isWhitespace {
        end = index
        break
      }
      previous = text[index]
    }
    return String(trimmed(text[..<end]))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let start = text.drop(while: \.isWhitespace)
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return start[...last]
  }
}
