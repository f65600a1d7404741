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
    let cells = ([headers] + rows).map { $0.map(Self.printable) }
    let count = headers.count
    var widths = (0..<count).map { column in
      cells.map { $0.indices.contains(column) ? Self.width($0[column]) : 0 }.max() ?? 0
    }
    if let width { Self.shrink(&widths, to: width - 2 * max(0, count - 1)) }
    let lines = cells.map { row in
      var line = (0..<count).map { column in
        let cell = row.indices.contains(column) ? row[column] : ""
        return Self.pad(
          Self.cut(cell, to: widths[column]), to: widths[column],
          alignments.indices.contains(column) ? alignments[column] : .left)
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
    return lines.joined(separator: "\n")
  }

  private static func shrink(_ widths: inout [Int], to total: Int) {
    while widths.reduce(0, +) > total, let widest = widths.max(), widest > 4,
      let column = widths.firstIndex(of: widest)
    {
      widths[column] -= 1
    }
  }

  private static func pad(_ text: String, to width: Int, _ alignment: Alignment) -> String {
    let blank = String(repeating: " ", count: max(0, width - Self.width(text)))
    return alignment == .left ? text + blank : blank + text
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
