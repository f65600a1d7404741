@testable import HPCClient
import Testing

@Suite struct HTTPDateTests {
  @Test(
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777), ("Sun Nov  6 08:49:37 1994", 784_111_777),
      ("Saturday, 28-Nov-26 06:00:00 GMT", 1_795_845_600),
      ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
      ("Sat, 31 Feb 2026 06:00:00 GMT", nil), ("Sun, 29 Feb 2026 06:00:00 GMT", nil),
      ("Sun, 00 Nov 1994 08:49:37 GMT", nil), ("Sun Nov 31 08:49:37 1994", nil),
      ("Thu, 31 Dec 2026 00:00:00 GMT", 1_798_675_200), ("Sun, 32 Nov 1994 08:49:37 GMT", nil),
      ("Sun, 06 Nov 1994 08:49 GMT", nil), ("", nil), ("now", nil),
    ] as [(String, Double?)])
  func readsDates(text: String, epoch: Double?) {
    #expect(HTTPDate.epoch(text) == epoch)
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
