import Testing

@testable import LineEditor

struct PasteDecoderTests {
  private static let end = "\u{1b}[201~"
  private static let start = ContinuousClock.now

  @Test(arguments: [
    ("a\r\nb\rc\n\n", "a\nb\nc"), ("x\u{0}y", "xy"), ("", ""), ("\n", ""),
    ("\u{1b}[2\t", "\u{1b}[2\t"),
  ])
  func `text is cleaned for readline and Lua`(pasted: String, expected: String) {
    var decoder = PasteDecoder(at: Self.start)
    let result = decoder.take(Array((pasted + Self.end).utf8)[...], at: Self.start)
    #expect(result.map { String(decoding: $0.text, as: UTF8.self) } == expected)
    #expect(result?.rest.isEmpty == true)
  }

  @Test func `the end is found however the input is cut`() {
    let input = Array("for i=1,3 do\rend\(Self.end)rest".utf8)
    for cut in 1..<input.count {
      var decoder = PasteDecoder(at: Self.start)
      var result = decoder.take(input[..<cut], at: Self.start)
      var rest: [UInt8] = []
      if let first = result {
        rest = Array(first.rest) + input[cut...]
      } else {
        result = decoder.take(input[cut...], at: Self.start)
        rest = result.map { Array($0.rest) } ?? []
      }
      #expect(result?.text == Array("for i=1,3 do\nend".utf8), "cut at \(cut)")
      #expect(rest == Array("rest".utf8), "cut at \(cut)")
    }
  }

  @Test func `bytes that are no UTF-8 survive`() {
    var decoder = PasteDecoder(at: Self.start)
    let result = decoder.take([0xff, 0xfe, 0x00, 0x80] + Array(Self.end.utf8)[...], at: Self.start)
    #expect(result?.text == [0xff, 0xfe, 0x80])
  }

  @Test func `Ctrl-C alone after a silence gives an endless paste up`() {
    var decoder = PasteDecoder(at: Self.start)
    func isGivenUp(_ input: [UInt8], _ milliseconds: Int) -> Bool {
      decoder.isGivenUp(by: input[...], 3, at: Self.start + .milliseconds(milliseconds))
    }
    #expect(!isGivenUp([3], 999))
    #expect(isGivenUp([3], 1000))
    #expect(!isGivenUp([0x61, 3], 1000))
    #expect(!isGivenUp([4], 1000))
    // What came last counts, not the beginning.
    #expect(decoder.take([0x61], at: Self.start + .milliseconds(900)) == nil)
    #expect(!isGivenUp([3], 1500))
    #expect(isGivenUp([3], 1900))
  }
}
