import Testing

@testable import LuaAPI

@Suite struct TextTableTests {
  @Test func alignsColumns() {
    let table = TextTable(
      headers: ["JOB", "NAME"], rows: [["7", "a"], ["123456", "long"]],
      alignments: [.right, .left])
    #expect(table.rendered() == "   JOB  NAME\n     7  a\n123456  long")
  }

  @Test(arguments: [
    ("abc", 3), ("日本語", 6), ("é", 1), ("e\u{301}", 1), ("ﾊﾝ", 2), ("한", 2), ("🚀", 2), ("…", 1),
    ("\u{200b}", 0),
  ])
  func countsCells(text: String, cells: Int) {
    #expect(TextTable.width(text) == cells)
  }

  @Test func cutsTheWidestColumn() {
    let table = TextTable(headers: ["A", "B"], rows: [["1", "日本語日本語"], ["2", "x"]])
    #expect(table.rendered(width: 10) == "A  B\n1  日本語…\n2  x")
  }

  @Test func showsControlCharacters() {
    #expect(TextTable.printable("a\u{1b}[31m\n\u{7f}\u{85}") == "a\\27[31m\\n\\127\\133")
  }
}
