import LineEditor
import LuaAPI

/// Lists completion candidates in columns, as many as a screen takes.
enum CandidateList {
  static func text(_ candidates: [LineCompletion.Candidate], columns: Int, rows: Int) -> [UInt8] {
    let most = max(1, rows - 3)
    // Wide enough for what can be shown at all: only those are measured.
    let considered = candidates.prefix(most * max(1, columns / 2))
    let labels = considered.map { TextTable.cut(TextTable.printable($0.label), to: columns) }
    let widest = labels.lazy.map(TextTable.width).max() ?? 1
    let across = max(1, (columns + 2) / (widest + 2))
    let shown = min(labels.count, most * across)
    let down = (shown + across - 1) / across
    var lines: [String] = []
    for row in 0..<down {
      var line = ""
      for column in 0..<across {
        let index = column * down + row
        guard index < shown else { break }
        let label = labels[index]
        let isLast = column == across - 1 || index + down >= shown
        line += label
        if !isLast {
          line += String(repeating: " ", count: widest + 2 - TextTable.width(label))
        }
      }
      lines.append(line)
    }
    if shown < candidates.count { lines.append("… \(candidates.count - shown) more") }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }
}
