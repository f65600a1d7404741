import LuaAPI

/// Rows as columns that fit the terminal.
struct RecordTable: Sendable, Equatable {
  struct Column: Sendable, Equatable {
    var header: String
    var cells: [String]
    var isRight = false
    /// The lower, the sooner it is left out where there is no room.
    var rank = 0
    /// Whether its cells are states, to be coloured.
    var isState = false
  }

  var columns: [Column]
  /// A line below, where there is something to say.
  var summary = ""
  /// Whether columns that have no room are named below.
  var namesOmitted = true

  /// Lays the rows out.
  ///
  /// - Parameter width: cells in a line; columns of low rank that do not fit are left out and named.
  func rendered(width: Int, palette: Palette) -> String {
    let (shown, omitted) = fitting(width)
    let count = shown.first?.cells.count ?? 0
    let table = TextTable(
      headers: shown.map(\.header),
      rows: (0..<count).map { row in shown.map { $0.cells[row] } },
      alignments: shown.map { $0.isRight ? .right : .left })
    var text = table.rendered(width: width)
    if palette.isOn { text = painted(text, shown, palette) }
    if !summary.isEmpty { text += "\n" + palette.paint(TextTable.cut(summary, to: width), .faint) }
    if !omitted.isEmpty, namesOmitted {
      text +=
        "\n"
        + palette.paint(
          TextTable.cut(
            "… \(omitted.count) more columns: "
              + omitted.map(\.header).joined(separator: ", "), to: width), .faint)
    }
    return text
  }

  /// The columns that have room, in their order; a column may be cut down to eight cells.
  private func fitting(_ width: Int) -> (shown: [Column], omitted: [Column]) {
    let ranked = columns.indices.sorted {
      (columns[$0].rank, -$0) > (columns[$1].rank, -$1)
    }
    var kept: Set<Int> = []
    var used = -2
    for index in ranked {
      let column = columns[index]
      let natural = ([column.header] + column.cells).lazy.map(TextTable.width).max() ?? 0
      let needed = min(natural, 12) + 2
      if !kept.isEmpty, used + needed > width { continue }
      kept.insert(index)
      used += needed
    }
    return (
      columns.indices.filter(kept.contains).map { columns[$0] },
      columns.indices.filter { !kept.contains($0) }.map { columns[$0] }
    )
  }

  /// Colours header and states; the place of a column is that of its header.
  private func painted(_ text: String, _ shown: [Column], _ palette: Palette) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let header = lines.first else { return text }
    if let state = shown.firstIndex(where: \.isState),
      let offset = Self.offset(of: shown[state].header, in: header)
    {
      for (index, cell) in shown[state].cells.enumerated() where index + 1 < lines.count {
        guard let style = Palette.style(ofState: cell) else { continue }
        lines[index + 1] = Self.paint(
          cell, from: offset, in: lines[index + 1], palette, style)
      }
    }
    lines[0] = palette.paint(header, .heading)
    return lines.joined(separator: "\n")
  }

  /// The cell of a line where a word of it begins.
  private static func offset(of word: String, in line: String) -> Int? {
    let bytes = Array(line.utf8)
    let word = Array(word.utf8)
    for start in 0..<max(0, bytes.count - word.count + 1)
    where bytes[start...].starts(with: word) && (start == 0 || bytes[start - 1] == 0x20) {
      let end = start + word.count
      if end == bytes.count || bytes[end] == 0x20 { return start }
    }
    return nil
  }

  /// Colours a cell that begins at `offset` cells.
  private static func paint(
    _ cell: String, from offset: Int, in line: String, _ palette: Palette,
    _ style: Palette.Style
  ) -> String {
    var index = line.utf8.startIndex
    if line.utf8.allSatisfy({ $0 < 0x80 }) {
      index = line.utf8.index(index, offsetBy: offset, limitedBy: line.utf8.endIndex) ?? index
    } else {
      var used = 0
      index = line.startIndex
      while index < line.endIndex, used < offset {
        used += TextTable.width(String(line[index]))
        index = line.index(after: index)
      }
    }
    guard line[index...].hasPrefix(cell) else { return line }
    return line[..<index] + palette.paint(cell, style) + line[index...].dropFirst(cell.count)
  }
}
