import Testing

@testable import LineEditor

struct PasteDecoderTests {
  private static let end = "\u{1b}[201~"

  @Test(arguments: [
    ("a\r\nb\rc\n\n", "a\nb\nc"), ("x\u{0}y", "xy"), ("", ""), ("\n", ""),
    ("\u{1b}[2\t", "\u{1b}[2\t"),
  ])
  func `text is cleaned for readline and Lua`(pasted: String, expected: String) {
    var decoder = PasteDecoder()
    let result = decoder.take(Array((pasted + Self.end).utf8)[...])
    #expect(result.map { String(decoding: $0.text, as: UTF8.self) } == expected)
    #expect(result?.rest.isEmpty == true)
  }

  @Test func `the end is found however the input is cut`() {
    let input = Array("for i=1,3 do\rend\(Self.end)rest".utf8)
    for cut in 1..<input.count {
      var decoder = PasteDecoder()
      var result = decoder.take(input[..<cut])
      var rest: [UInt8] = []
      if let first = result {
        rest = Array(first.rest) + input[cut...]
      } else {
        result = decoder.take(input[cut...])
        rest = result.map { Array($0.rest) } ?? []
      }
      #expect(result?.text == Array("for i=1,3 do\nend".utf8), "cut at \(cut)")
      #expect(rest == Array("rest".utf8), "cut at \(cut)")
    }
  }

  @Test func `bytes that are no UTF-8 survive`() {
    var decoder = PasteDecoder()
    let result = decoder.take([0xff, 0xfe, 0x00, 0x80] + Array(Self.end.utf8)[...])
    #expect(result?.text == [0xff, 0xfe, 0x80])
  }
}
