import Testing
import XML

@Suite struct XMLReaderTests {
  private func events(
    _ pieces: [[UInt8]], limits: XMLLimits = XMLLimits()
  ) -> Result<[XMLEvent], XMLError> {
    var events: [XMLEvent] = []
    do throws(XMLError) {
      let reader = try XMLReader(limits: limits) { events.append($0) }
      for piece in pieces { try reader.feed(piece) }
      try reader.finish()
      return .success(events)
    } catch {
      return .failure(error)
    }
  }

  @Test func eventsComeInOrderWithTextInOnePiece() {
    let text = "<?xml version=\"1.0\"?><a x='1'><b>1 &amp; 2&#x3042;</b><!-- c --><b/></a>\n"
    #expect(
      events([Array(text.utf8)])
        == .success([
          .start("a"), .start("b"), .text("1 & 2あ"), .end("b"), .start("b"), .end("b"), .end("a"),
        ]))
  }

  @Test(arguments: 1...7) func piecesOfAnySizeGiveTheSameEvents(size: Int) {
    let bytes = Array("<a><名前>日本語 &lt;x&gt; 😀</名前>tail</a>".utf8)
    let pieces = stride(from: 0, to: bytes.count, by: size).map {
      Array(bytes[$0..<min($0 + size, bytes.count)])
    }
    #expect(events(pieces) == events([bytes]))
    #expect(
      events(pieces)
        == .success([
          .start("a"), .start("名前"), .text("日本語 <x> 😀"), .end("名前"), .text("tail"), .end("a"),
        ]))
  }

  @Test(arguments: [
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>",
    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
    "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a/>",
  ])
  func documentTypesAreRefused(text: String) {
    #expect(events([Array(text.utf8)]) == .failure(.documentType))
  }

  @Test func billionLaughsCostNothing() {
    var text = "<!DOCTYPE lolz [<!ENTITY lol0 \"lol\">"
    for n in 1...30 {
      text += "<!ENTITY lol\(n) \"\(String(repeating: "&lol\(n - 1);", count: 10))\">"
    }
    text += "]><lolz>&lol30;</lolz>"
    #expect(events([Array(text.utf8)]) == .failure(.documentType))
  }

  @Test func depthIsBounded() {
    let limits = XMLLimits(depth: 5)
    func nested(_ depth: Int) -> [UInt8] {
      Array(
        (String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)).utf8)
    }
    #expect((try? events([nested(5)], limits: limits).get())?.count == 10)
    #expect(events([nested(6)], limits: limits) == .failure(.tooDeep(limit: 5)))
    #expect(events([nested(100_000)]) == .failure(.tooDeep(limit: 32)))
  }

  @Test func sizeAndNumberAreBounded() {
    let bytes = Array("<a><b/><b/></a>".utf8)
    #expect(events([bytes], limits: XMLLimits(bytes: 14)) == .failure(.tooLarge(limit: 14)))
    #expect(
      events([Array(bytes[..<10]), Array(bytes[10...])], limits: XMLLimits(bytes: 14))
        == .failure(.tooLarge(limit: 14)))
    #expect(events([bytes], limits: XMLLimits(elements: 2)) == .failure(.tooManyElements(limit: 2)))
    #expect((try? events([bytes], limits: XMLLimits(bytes: 15, elements: 3)).get()) != nil)
  }

  @Test(arguments: [
    "", " ", "no xml", "<a>", "<a></b>", "<a/><b/>", "<a>&nosuch;</a>", "<a>\u{1}</a>",
    "{\"a\": 1}",
    "<html><br></html>", "<a", "<a>]]></a>",
  ])
  func garbageIsAnErrorWithAPlace(text: String) {
    guard case .failure(.malformed(let line, _, let reason)) = events([Array(text.utf8)]) else {
      Issue.record("accepted: \(text)")
      return
    }
    #expect(line >= 1)
    #expect(!reason.isEmpty)
  }

  @Test func invalidUTF8IsAnError() {
    guard
      case .failure(.malformed) = events([Array("<a>".utf8) + [0xff, 0xfe] + Array("</a>".utf8)])
    else {
      Issue.record("accepted")
      return
    }
  }

  @Test func nothingIsReadAfterTheEnd() throws {
    let reader = try XMLReader { _ in }
    try reader.feed(Array("<a/>".utf8))
    try reader.finish()
    #expect(throws: XMLError.finished) { try reader.feed(Array("<b/>".utf8)) }
  }

  @Test func theFirstErrorStays() throws {
    let reader = try XMLReader { _ in }
    #expect(throws: XMLError.self) { try reader.feed(Array("<a></b>".utf8)) }
    #expect(throws: XMLError.self) { try reader.feed(Array("</a>".utf8)) }
    #expect(throws: XMLError.self) { try reader.finish() }
  }
}
