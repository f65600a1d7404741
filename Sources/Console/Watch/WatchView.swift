import LuaAPI

/// What `hpc.watch()` shows: the jobs of the last list, those that left it, and how the last request
/// went. A value: time and size come from outside.
struct WatchView {
  /// A job, and when it was no longer listed.
  private struct Row {
    var job: JobSummary
    var leftAt: String?
  }

  private var rows: [Row] = []
  private var listedAt: String?
  private var failure: (text: String, at: String)?
  /// Rows that are above the screen.
  private(set) var offset = 0
  private var visibleRows = 1
  let palette: Palette
  /// Whose jobs these are, for the first line.
  let title: String
  /// Seconds between two lists.
  let interval: Double
  /// Jobs that left the list stay in sight, the last so many.
  private static let mostLeft = 20

  init(title: String, interval: Double, palette: Palette) {
    self.title = title
    self.interval = interval
    self.palette = palette
  }

  /// A good list came.
  ///
  /// - Parameters:
  ///   - jobs: what it holds.
  ///   - time: of day, as it is shown.
  mutating func show(_ jobs: [JobSummary], at time: String) {
    let listed = Set(jobs.map(\.id))
    var left = rows.filter { !listed.contains($0.job.id) }
    for index in left.indices where left[index].leftAt == nil { left[index].leftAt = time }
    let ordered = jobs.sorted { a, b in
      let (first, second) = (Self.rank(a.state), Self.rank(b.state))
      return first == second ? a.id < b.id : first < second
    }
    rows = ordered.map { Row(job: $0, leftAt: nil) } + left.suffix(Self.mostLeft)
    listedAt = time
    failure = nil
  }

  /// A list failed; what was seen last stays.
  mutating func fail(_ text: String, at time: String) { failure = (text, time) }

  private static func rank(_ state: String) -> Int {
    switch state {
    case "ending": 0
    case "running": 1
    case "starting": 2
    case "queued": 3
    default: 4
    }
  }

  /// Moves the window over the rows; ``screen(columns:rows:)`` keeps it within them.
  mutating func scroll(by count: Int) { offset = max(0, offset + count) }
  mutating func scroll(pages: Int) { scroll(by: pages * max(1, visibleRows - 1)) }
  mutating func scroll(toEnd: Bool) { offset = toEnd ? rows.count : 0 }

  // MARK: Layout

  /// The whole screen, a line for each row of it.
  mutating func screen(columns: Int, rows height: Int) -> [String] {
    var lines = [heading(columns)]
    if let failure {
      lines.append(
        palette.paint(
          TextTable.cut(
            "list failed at \(failure.at): \(TextTable.printable(failure.text))", to: columns),
          .error))
    }
    let footer = "q quits  r lists now  arrows scroll"
    visibleRows = max(1, height - lines.count - 2)
    offset = min(offset, max(0, rows.count - visibleRows))
    let shown = rows[offset..<min(rows.count, offset + visibleRows)]
    lines += table(Array(shown), columns)
    let hidden = rows.count - shown.count
    let more = hidden > 0 ? "  … \(hidden) more" : ""
    while lines.count < height - 1 { lines.append("") }
    lines = Array(lines.prefix(max(1, height - 1)))
    if height > 1 { lines.append(palette.paint(TextTable.cut(footer + more, to: columns), .faint)) }
    return lines
  }

  /// What is printed where there is no screen.
  func snapshot(width: Int?) -> String {
    if let failure { return "\(failure.at)  list failed: \(TextTable.printable(failure.text))" }
    let listed = rows.filter { $0.leftAt == nil || $0.leftAt == listedAt }
    let first = "\(listedAt ?? "")  \(summary)"
    return listed.isEmpty
      ? first : first + "\n" + table(listed, width ?? 120).joined(separator: "\n")
  }

  private func heading(_ columns: Int) -> String {
    let time = listedAt.map { "  \($0)" } ?? ""
    let every = Int(exactly: interval).map { "\($0)" } ?? "\(interval)"
    let left = listedAt == nil ? "waiting for the first list" : summary
    let right = "\(title)  every \(every) s\(time)"
    let room = columns - TextTable.width(left) - TextTable.width(right)
    let text = room > 1 ? left + String(repeating: " ", count: room) + right : left
    return palette.paint(TextTable.cut(text, to: columns), .heading)
  }

  private var summary: String {
    let listed = rows.filter { $0.leftAt == nil }.map(\.job)
    var counts: [(state: String, count: Int)] = []
    for job in listed {
      if let index = counts.firstIndex(where: { $0.state == job.state }) {
        counts[index].count += 1
      } else {
        counts.append((job.state, 1))
      }
    }
    let nodes = listed.lazy.filter { ["running", "ending"].contains($0.state) }
      .compactMap(\.nodes).reduce(0, +)
    let parts = counts.map { "\($0.count) \($0.state)" }.joined(separator: ", ")
    return listed.isEmpty
      ? "no jobs"
      : "\(listed.count) job\(listed.count == 1 ? "" : "s"): \(parts); \(nodes) nodes in use"
  }

  /// Header and rows, within the width.
  private func table(_ rows: [Row], _ width: Int) -> [String] {
    guard !rows.isEmpty else { return [] }
    func column(
      _ header: String, _ rank: Int, isRight: Bool = false, _ cell: (Row) -> String
    ) -> RecordTable.Column {
      RecordTable.Column(
        header: header, cells: rows.map(cell), isRight: isRight, rank: rank,
        isState: header == "STATE")
    }
    let table = RecordTable(
      columns: [
        column("JOB_ID", 10, isRight: true) { String($0.job.id) },
        column("NAME", 7) { $0.job.name },
        column("STATE", 9) { $0.leftAt == nil ? $0.job.state : "left" },
        column("NODES", 5, isRight: true) { $0.job.nodes.map(String.init) ?? "" },
        column("ELAPSED", 8, isRight: true) { $0.job.elapsed.map(Self.time) ?? "" },
        column("LIMIT", 6, isRight: true) { $0.job.limit.map(Self.time) ?? "" },
        column("", 4) { $0.leftAt == nil ? Self.bar($0.job) : "" },
        column("", 3) { Self.remark($0) },
      ].filter { $0.header != "" || $0.cells.contains { !$0.isEmpty } }, namesOmitted: false)
    return table.rendered(width: width, palette: palette)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private static func remark(_ row: Row) -> String {
    if let leftAt = row.leftAt { return "no longer listed since \(leftAt)" }
    return row.job.reason ?? ""
  }

  /// `1:02:03`, `3-04:00:00` beyond a day.
  static func time(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (days, hours) = (seconds / 86400, seconds / 3600 % 24)
    let rest = "\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    return days > 0 ? "\(days)-\(two(hours)):\(rest)" : "\(hours):\(rest)"
  }

  /// How much of its limit a running job has used.
  static func bar(_ job: JobSummary) -> String {
    guard ["running", "ending"].contains(job.state), let limit = job.limit, limit > 0,
      let elapsed = job.elapsed
    else { return "" }
    let share = min(1, max(0, Double(elapsed) / Double(limit)))
    let filled = Int((share * 10).rounded(.down))
    let percent = Int((share * 100).rounded(.down))
    return String(repeating: "█", count: filled) + String(repeating: "░", count: 10 - filled)
      + " \(percent)%"
  }
}
