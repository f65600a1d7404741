import HTTP
import Testing

@Suite struct HTTPDateTests {
  @Test(
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777), ("Sun Nov  6 08:49:37 1994", 784_111_777),
      ("Saturday, 28-Nov-26 06:00:00 GMT", 1_795_845_600),
      ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
      ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799), ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
      ("Thu, 31 Dec 2026 00:00:00 GMT", 1_798_675_200),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
      ("Sun, 6 Nov 1994 08:49:37 GMT", 784_111_777),
    ] as [(String, Int)])
  func readsDates(text: String, epoch: Int) {
    #expect(HTTPDate.epochSeconds(parsing: text) == epoch)
  }

  @Test(arguments: [
    "", "now", "1994-11-06", "Sun, 06 Nov 1994 08:49:37 JST", "Sun, 06 Nov 1994 25:49:37 GMT",
    "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 0６ Nov 1994 08:49:37 GMT",
    "Sat, 31 Feb 2026 06:00:00 GMT", "Sun, 29 Feb 2026 06:00:00 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun Nov 31 08:49:37 1994", "Sun, 32 Nov 1994 08:49:37 GMT",
    "Sun, +6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
  ])
  func anythingElseIsNone(text: String) {
    #expect(HTTPDate.epochSeconds(parsing: text) == nil)
  }

  @Test(
    arguments: [
      ("120", 120), ("31536000", 31_536_000), ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
      ("-5", nil), ("", nil), ("soon", nil), ("99999999999999999999999", 1e23),
    ] as [(String, Double?)])
  func readsWaits(text: String, seconds: Double?) {
    #expect(HTTPDate.retryAfter(text, now: 784_111_740) == seconds)
  }
}
