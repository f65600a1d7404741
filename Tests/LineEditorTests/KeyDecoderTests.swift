import Testing

@testable import LineEditor

@Suite struct KeyDecoderTests {
  @Test(arguments: [
    ("q", [ScreenKey.character("q")]),
    ("\u{1b}[A\u{1b}OB", [.up, .down]),
    ("\u{1b}[5~\u{1b}[6~\u{1b}[H\u{1b}[4~", [.pageUp, .pageDown, .home, .end]),
    ("\u{04}\u{1a}", [.endOfInput, .stop]),
    ("\u{1b}[200~q\u{1b}[201~", [.character("q")]),
    ("\u{1b}[1;5Cq", [.character("q")]),
    ("\u{1b}q", [.character("q")]),
  ])
  func decodes(_ text: String, _ expected: [ScreenKey]) {
    var whole = KeyDecoder()
    #expect(whole.take(Array(text.utf8)) == expected)
    // However the bytes arrive.
    var single = KeyDecoder()
    #expect(text.utf8.flatMap { single.take([$0]) } == expected)
  }

  @Test func neverKeepsAnEndlessSequence() {
    var decoder = KeyDecoder()
    _ = decoder.take([0x1b, 0x5b] + [UInt8](repeating: 0x30, count: 1000))
    #expect(decoder.take(Array("q".utf8)) == [.character("q")])
  }
}
