/// Lays out rows as aligned text; widths count terminal cells, so East Asian text lines up.
public struct TextTable: Sendable {
  /// Where a column's cells stand.
  public enum Alignment: Sendable {
    case left, right
  }

  public var headers: [String]
  public var rows: [[String]]
  public var alignments: [Alignment]

  public init(headers: [String], rows: [[String]], alignments: [Alignment] = []) {
    self.headers = headers
    self.rows = rows
    self.alignments = alignments
  }

  /// Lays the table out.
  ///
  /// - Parameter width: cells to fit into; the widest columns are cut with "…" until it fits, nil
  ///   for no bound.
  /// - Returns: the lines, without a newline at the end.
  public func rendered(width: Int? = nil) -> String {
    let columns = headers.indices.map { column in
      rows.map { $0.indices.contains(column) ? $0[column] : "" }
    }
    return Self.layout(headers, columns, alignments, width: width)
  }

  /// Lays columns out.
  ///
  /// - Parameters:
  ///   - headers: one for each column.
  ///   - columns: their cells, all of one number.
  ///   - alignments: left where there is none.
  ///   - width: cells to fit into, nil for no bound.
  ///   - heading: what stands before and after the headers and takes no room, such as a colour.
  ///   - style: the same for a cell, given by row and column.
  /// - Returns: the lines, without a newline at the end.
  public static func layout(
    _ headers: [String], _ columns: [[String]], _ alignments: [Alignment], width: Int? = nil,
    heading: (before: String, after: String)? = nil,
    style: ((_ row: Int, _ column: Int) -> (before: String, after: String)?)? = nil
  ) -> String {
    let measured = zip(headers, columns).map { Measured([$0] + $1) }
    var widths = measured.map(\.widest)
    if let width { shrink(&widths, to: width - 2 * max(0, headers.count - 1)) }
    let rows = measured.first?.cells.count ?? 0
    var out: [UInt8] = []
    out.reserveCapacity(rows * (widths.reduce(0, +) + 2 * widths.count + 1))
    for row in 0..<rows {
      if row > 0 { out.append(0x0a) }
      // Written before the next text only: no line ends with blanks.
      var blanks = 0
      if row == 0, let heading { out += heading.before.utf8 }
      for column in 0..<widths.count {
        if column > 0 { blanks += 2 }
        let isRight = alignments.indices.contains(column) && alignments[column] == .right
        var cell = measured[column].cells[row]
        var cells = measured[column].widths[row]
        if cells > widths[column] {
          cell = cut(cell, to: widths[column])
          cells = Self.width(cell)
        }
        let room = widths[column] - cells
        if isRight { blanks += room }
        if cells > 0 {
          out.append(contentsOf: repeatElement(0x20, count: blanks))
          blanks = 0
          let style = row > 0 ? style?(row - 1, column) : nil
          if let style { out += style.before.utf8 }
          out += cell.utf8
          if let style { out += style.after.utf8 }
        }
        if !isRight { blanks += room }
      }
      if row == 0, let heading { out += heading.after.utf8 }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// A column's cells as they are shown, and their widths.
  private struct Measured {
    var cells: [String]
    var widths: [Int]
    var widest = 0

    init(_ texts: [String]) {
      cells = texts
      widths = []
      widths.reserveCapacity(texts.count)
      for (row, text) in texts.enumerated() {
        var cells = text.utf8.count
        if !text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) {
          self.cells[row] = TextTable.printable(text)
          cells = TextTable.width(self.cells[row])
        }
        widths.append(cells)
        widest = max(widest, cells)
      }
    }
  }

  private static func shrink(_ widths: inout [Int], to total: Int) {
    while widths.reduce(0, +) > total, let widest = widths.max(), widest > 4,
      let column = widths.firstIndex(of: widest)
    {
      widths[column] -= 1
    }
  }

  /// At most `width` cells of a text, with "…" where something was left out.
  public static func cut(_ text: String, to width: Int) -> String {
    guard Self.width(text) > width else { return text }
    var kept = ""
    var used = 0
    for character in text {
      let cells = Self.width(String(character))
      if used + cells > width - 1 { break }
      kept.append(character)
      used += cells
    }
    return kept + "…"
  }

  /// A text that moves no cursor: control characters, escape sequences and what turns the direction
  /// of text around become visible.
  public static func printable(_ text: String) -> String {
    if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0a: result += "\\n"
      case 0x09: result += "\\t"
      case 0x1b: result += "\\27"
      case 0..<0xa0 where isControl(scalar): result += "\\\(scalar.value)"
      case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Text of several lines that moves no cursor: ``printable(_:)``, but newlines and tabs stay.
  public static func printableLines(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { isControl($0) && $0 != "\n" && $0 != "\t" }) else {
      return text
    }
    return text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
      let line = line.last == 0x0d ? line.dropLast() : line
      return line.split(separator: 0x09, omittingEmptySubsequences: false)
        .map { printable(String(decoding: Array($0), as: UTF8.self)) }.joined(separator: "\t")
    }.joined(separator: "\n")
  }

  /// Whether a terminal would do something else than show the character: C0 and C1 controls, the
  /// explicit directions of Unicode's bidirectional algorithm (UAX 9, 2), line separators.
  public static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
    default: false
    }
  }

  /// Terminal cells that a text takes.
  public static func width(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.unicodeScalars.reduce(0) { $0 + width($1) }
  }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return scalar.value == 0xad ? 0 : 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if scalar.properties.isEmojiPresentation { return 2 }
    return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// Wide and fullwidth characters: Unicode 15, EastAsianWidth.txt, neighbours merged.
  private static let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97c,
    0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6b, 0xff01...0xff60,
    0xffe0...0xffe6, 0x16fe0...0x18cd5, 0x1b000...0x1b2fb, 0x1f200...0x1f265,
    0x20000...0x3fffd,
  ]
}
