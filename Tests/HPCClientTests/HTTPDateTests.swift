@testable import HPCClient
import Testing

@Suite struct HTTPDateTests {
  @Test(
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun, 32 Nov 1994 08:49:37 GMT", nil),
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
