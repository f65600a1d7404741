import LuaAPI

/// Breaks lines of prose between words.
enum WordWrap {
  /// - Parameters:
  ///   - text: lines; colour sequences would be counted as cells.
  ///   - width: cells in a line. What goes on below stands where the last column of the line begins
  ///     (after two blanks or more), or where its text does.
  static func text(_ text: String, width: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { TextTable.width(String($0)) > width ? wrapped(String($0), width) : String($0) }
      .joined(separator: "\n")
  }

  private static func wrapped(_ line: String, _ width: Int) -> String {
    var indent = indentation(of: line, width)
    // Where a column is too narrow for prose, the whole line is there to be used.
    if width - indent < 20 { indent = min(line.prefix { $0 == " " }.count, max(0, width - 20)) }
    var lines: [String] = []
    var current = String(line.prefix { $0 == " " })
    var isEmpty = true
    for word in line.drop(while: { $0 == " " }).split(
      separator: " ", omittingEmptySubsequences: false)
    {
      let cells = TextTable.width(String(word))
      if !isEmpty, TextTable.width(current) + 1 + cells > width {
        while current.last == " " { current.removeLast() }
        lines.append(current)
        current = String(repeating: " ", count: indent)
        isEmpty = true
      }
      if isEmpty, word.isEmpty, !lines.isEmpty { continue }
      current += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    lines.append(current)
    return lines.joined(separator: "\n")
  }

  private static func indentation(of line: String, _ width: Int) -> Int {
    var column = 0
    var found = 0
    var blanks = 0
    for character in line {
      if character == " " {
        blanks += 1
      } else {
        if blanks >= 2 || (found == 0 && blanks == column) { found = column }
        blanks = 0
      }
      column += TextTable.width(String(character))
      if column > width / 2 { break }
    }
    return found
  }
}
