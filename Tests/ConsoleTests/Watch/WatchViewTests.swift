import LuaAPI
import Testing

@testable import Console

@Suite struct WatchViewTests {
  private let jobs = [
    JobSummary(id: 2, name: "queued", state: "queued", nodes: 4, limit: 3600, reason: "NODE"),
    JobSummary(
      id: 7, name: "日本語", state: "running", nodes: 12, elapsed: 1800, limit: 3600),
    JobSummary(id: 3, name: "long", state: "running", nodes: 1, elapsed: 90_000, limit: 172_800),
  ]

  private func view() -> WatchView {
    var view = WatchView(title: "hpc", interval: 5, palette: Palette(isOn: false))
    view.show(jobs, at: "12:00:00")
    return view
  }

  @Test func anIntervalBeyondAllIntegersIsShown() {
    var view = WatchView(title: "hpc", interval: 1e300, palette: Palette(isOn: false))
    let lines = view.screen(columns: 100, rows: 3)
    #expect(lines.first?.contains("every 1e+300 s") == true)
  }

  @Test func showsStatesTimeAgainstLimitAndNodes() {
    var view = view()
    let lines = view.screen(columns: 100, rows: 8)
    #expect(lines.count == 8)
    #expect(lines[0].hasPrefix("3 jobs: 2 running, 1 queued; 13 nodes in use"))
    #expect(lines[0].hasSuffix("hpc  every 5 s  12:00:00"))
    #expect(
      lines[1].split(separator: " ") == ["JOB_ID", "NAME", "STATE", "NODES", "ELAPSED", "LIMIT"])
    #expect(lines[2].contains("3  long    running      1  1-01:00:00  2-00:00:00  █████░░░░░ 52%"))
    #expect(lines[3].contains("7  日本語  running     12     0:30:00     1:00:00  █████░░░░░ 50%"))
    #expect(lines[4].contains("2  queued  queued"))
    #expect(lines[4].contains("NODE"))
    #expect(lines[7] == "q quits  r lists now  arrows scroll")
  }

  @Test(arguments: [(20, 4), (1, 1), (40, 3), (10, 30), (200, 50)])
  func fitsAnySize(_ columns: Int, _ rows: Int) {
    var view = view()
    view.fail("connection refused\u{1b}[2J by the machine", at: "12:00:05")
    let lines = view.screen(columns: columns, rows: rows)
    #expect(lines.count <= max(rows, 1))
    for line in lines { #expect(TextTable.width(line) <= max(columns, 24), "\(line)") }
    #expect(!lines.joined().contains("\u{1b}"))
  }

  @Test func whatLeftTheListStaysInSight() {
    var view = view()
    view.show([jobs[0]], at: "12:00:05")
    var text = view.screen(columns: 100, rows: 10).joined(separator: "\n")
    #expect(text.contains("no longer listed since 12:00:05"))
    #expect(text.contains("1 job: 1 queued; 0 nodes in use"))
    view.show([], at: "12:00:10")
    text = view.screen(columns: 100, rows: 10).joined(separator: "\n")
    #expect(text.hasPrefix("no jobs"))
    #expect(text.contains("no longer listed since 12:00:05"))
    #expect(text.contains("no longer listed since 12:00:10"))
  }

  @Test func aFailedListChangesNothingElse() {
    var view = view()
    view.fail("no route to host", at: "12:00:05")
    let text = view.screen(columns: 100, rows: 10).joined(separator: "\n")
    #expect(text.contains("list failed at 12:00:05: no route to host"))
    #expect(text.contains("日本語"))
    #expect(view.snapshot(width: nil) == "12:00:05  list failed: no route to host")
    view.show(jobs, at: "12:00:10")
    #expect(!view.screen(columns: 100, rows: 10).joined().contains("failed"))
  }

  @Test func scrollsWithinTheRows() {
    var view = WatchView(title: "hpc", interval: 5, palette: Palette(isOn: false))
    view.show((1...50).map { JobSummary(id: $0, name: "j\($0)", state: "queued") }, at: "1:00:00")
    #expect(view.screen(columns: 80, rows: 10).contains { $0.contains("j1 ") })
    view.scroll(by: -5)
    _ = view.screen(columns: 80, rows: 10)
    #expect(view.offset == 0)
    view.scroll(pages: 1)
    _ = view.screen(columns: 80, rows: 10)
    #expect(view.offset == 6)
    view.scroll(toEnd: true)
    let lines = view.screen(columns: 80, rows: 10)
    #expect(lines.contains { $0.contains("j50 ") })
    #expect(lines.last?.contains("… 43 more") == true)
    #expect(view.offset == 43)
  }

  @Test func snapshotsArePlain() {
    let view = view()
    let lines = view.snapshot(width: nil).split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines[0] == "12:00:00  3 jobs: 2 running, 1 queued; 13 nodes in use")
  }
}
