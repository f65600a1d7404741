import LuaAPI
import Testing

@testable import Console

struct RecordTableTests {
  private func table(_ columns: [(String, [String], rank: Int)]) -> RecordTable {
    RecordTable(columns: columns.map { .init(header: $0.0, cells: $0.1, rank: $0.rank) })
  }

  @Test func `columns that do not fit are named`() {
    let text = table([
      ("id", ["1", "2"], 9), ("alpha", ["aaaaaaaaaa", "b"], 0), ("beta", ["c", "d"], 5),
    ]).rendered(width: 12, palette: Palette(isOn: false))
    #expect(text == "id  beta\n1   c\n2   d\n… 1 more co…")
  }

  @Test(arguments: [20, 40, 80, 200])
  func `no line is wider than the terminal`(width: Int) {
    let row = JobTable.fields.map { "日本 \($0)" }
    let text = JobTable.table([row, row]).rendered(width: width, palette: Palette(isOn: false))
    #expect(text.split(separator: "\n").allSatisfy { TextTable.width(String($0)) <= width })
  }

  private func row(_ values: [String: String]) -> [String] {
    JobTable.fields.map { values[$0] ?? "" }
  }

  @Test func `jobs look as pjstat shows them`() {
    let text = JobTable.table([
      row([
        "job_id": "6291500", "job_name": "job1.sh", "status": "RUN", "user": "a03010",
        "start_date": "2021-04-12T11:25:00", "elapse_time": "0000:01:00",
        "Fugaku:elapsed_limit": "0000:10:00", "node_require": "12", "Fugaku:md": "NM",
      ]),
      row(["job_id": "6291501", "job_name": "日本", "status": "QUE", "start_date": "(2027/01/02)"]),
    ]).rendered(width: 120, palette: Palette(isOn: false))
    #expect(
      text == """
        JOB_ID   JOB_NAME  MD  ST   USER    GROUP  START_DATE      ELAPSE_TIM  ELAPSE_LIM  NODE_REQUIRE  RSC_GRP
        6291500  job1.sh   NM  RUN  a03010  -      04/12 11:25:00  0000:01:00  0000:10:00  12            -
        6291501  日本      -   QUE  -       -      (2027/01/02)    -           -           -             -
        2 jobs: 1 QUE, 1 RUN
        """)
  }

  @Test func `states are coloured, wide names before them or not`() {
    let text = JobTable.table([
      row(["job_id": "1", "job_name": "日本", "status": "RUN"]),
      row(["job_id": "2", "job_name": "x", "status": "QUE"]),
    ]).rendered(width: 60, palette: Palette(isOn: true))
    let lines = text.split(separator: "\n")
    #expect(lines[1].contains("\u{1b}[32mRUN\u{1b}[0m"))
    #expect(lines[2].contains("\u{1b}[33mQUE\u{1b}[0m"))
  }

  @Test func `escape sequences in names do nothing`() {
    let text = JobTable.table([row(["job_id": "1", "job_name": "\u{1b}[2Jx\u{7}"])])
      .rendered(width: 100, palette: Palette(isOn: false))
    #expect(!text.contains("\u{1b}") && !text.contains("\u{7}"))
    #expect(text.contains("\\27[2Jx\\7"))
  }
}
