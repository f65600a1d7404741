import Testing

@testable import Console

@Suite struct WordWrapTests {
  @Test(arguments: [
    ("short", "short"),
    ("some words that do not fit the line", "some words that do not\nfit the line"),
    ("  indented words that do not fit", "  indented words that do\n  not fit"),
    ("a  a summary that does not fit the line", "a  a summary that does\n   not fit the line"),
    ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb"),
    ("日本語 日本語 日本語 日本語 x", "日本語 日本語 日本語\n日本語 x"),
    ("one\n\ntwo", "one\n\ntwo"),
  ])
  func breaksBetweenWords(_ text: String, _ expected: String) {
    #expect(WordWrap.text(text, width: 24) == expected)
  }
}
