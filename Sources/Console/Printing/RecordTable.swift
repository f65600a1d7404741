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
    let states = shown.firstIndex(where: \.isState)
    var text = TextTable.layout(
      shown.map(\.header), shown.map(\.cells), shown.map { $0.isRight ? .right : .left },
      width: width, heading: palette.marks(.heading)
    ) { row, column in
      guard palette.isOn, column == states else { return nil }
      return Palette.style(ofState: shown[column].cells[row]).flatMap(palette.marks)
    }
    if !summary.isEmpty { text += "\n" + palette.paint(TextTable.cut(summary, to: width), .faint) }
    if !omitted.isEmpty, namesOmitted {
      text +=
        "\n"
        + palette.paint(
          TextTable.cut(
            "… \(omitted.count) more column\(omitted.count == 1 ? "" : "s"): "
              + omitted.map(\.header).joined(separator: ", "), to: width), .faint)
    }
    return text
  }

  /// The columns that have room, in their order; a column may be cut down to 14 cells.
  private func fitting(_ width: Int) -> (shown: [Column], omitted: [Column]) {
    let ranked = columns.indices.sorted {
      (columns[$0].rank, -$0) > (columns[$1].rank, -$1)
    }
    var kept: Set<Int> = []
    var used = -2
    for index in ranked {
      let column = columns[index]
      let natural = max(
        TextTable.width(column.header), column.cells.lazy.map(TextTable.width).max() ?? 0)
      let needed = min(natural, 14) + 2
      if !kept.isEmpty, used + needed > width { continue }
      kept.insert(index)
      used += needed
    }
    return (
      columns.indices.filter(kept.contains).map { columns[$0] },
      columns.indices.filter { !kept.contains($0) }.map { columns[$0] }
    )
  }
}
