import Testing

@testable import Console

struct PagerTests {
  @Test(arguments: [
    ("a\nb", 10, 3, false), ("a\nb\nc", 10, 3, true), ("", 10, 2, false), ("\n", 10, 2, true),
    ("1234567890", 10, 2, false), ("12345678901", 10, 2, true), ("日本語日本", 10, 2, false),
    ("日本語日本語", 10, 2, true), ("\u{1b}[31m1234567890\u{1b}[0m", 10, 2, false),
    ("\u{1b}[31m12345\u{1b}[0m\u{1b}[2m678901\u{1b}[0m", 10, 2, true),
    ("12345678901\n1", 10, 4, false), ("12345678901\n12345678901", 10, 4, true),
  ])
  func `wrapped lines take more rows`(text: String, columns: Int, rows: Int, expected: Bool) {
    #expect(Pager.isTaller(text, columns: columns, rows: rows) == expected)
  }
}
