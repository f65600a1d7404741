import Testing

@testable import LineEditor

struct FormCursorTests {
  private static let form = Array("for i = 1, 3 do\n  日本\nend".utf8)

  @Test(arguments: [
    // form: line 1 is bytes 0–14, line 2 bytes 16–23, line 3 bytes 25–27
    (27, 18), (25, 16), (21, 3), (16, 0), (28, 21), (24, 4),
  ])
  func `up keeps the column in characters`(point: Int, expected: Int) {
    #expect(FormCursor.up(Self.form, point) == expected)
  }

  @Test(arguments: [(0, 16), (3, 21), (15, 24), (16, 25), (24, 28)])
  func `down keeps the column in characters`(point: Int, expected: Int) {
    #expect(FormCursor.down(Self.form, point) == expected)
  }

  @Test func `the first and the last line lead into the history`() {
    #expect(FormCursor.up(Self.form, 15) == nil)
    #expect(FormCursor.down(Self.form, 25) == nil)
    #expect(FormCursor.up([], 0) == nil)
    #expect(FormCursor.down([], 0) == nil)
  }
}
