import Testing

@testable import LineEditor

@Suite struct OutputCaptureTests {
  @Test(arguments: [
    ("text", "text"),
    ("\r\u{1b}[Kpoint 1\rprinted", "printed"),
    ("\r\u{1b}[Kpoint 1\r\r\u{1b}[Kpoint 2\rprinted", "printed"),
    ("\r\u{1b}[Kpoint 1\r\r\u{1b}[Ka log line", "\u{1b}[Ka log line"),
    ("10%\r20%", "10%\r20%"),
  ])
  func progressUnderALineIsDropped(_ line: String, _ expected: String) {
    #expect(OutputCapture.visible(Array(line.utf8)[...]) == Array(expected.utf8))
  }
}
