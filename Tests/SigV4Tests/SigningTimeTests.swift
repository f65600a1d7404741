import Foundation
@testable import SigV4
import Testing

@Suite struct SigningTimeTests {
  @Test(
    arguments: [
      (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
      (4_107_542_400, "21000301T000000Z"), (-1, "19691231T235959Z"), (0.999, "19700101T000000Z"),
      (-62_135_596_800, "00010101T000000Z"), (253_402_300_799, "99991231T235959Z"),
      (1e300, "99991231T235959Z"), (-Double.infinity, "00010101T000000Z"),
      (.nan, "19700101T000000Z"),
    ] as [(Double, String)])
  func writes(seconds: Double, text: String) {
    #expect(String(decoding: SigningTime(epochSeconds: seconds).stamp, as: UTF8.self) == text)
  }

  @Test func readsWhatItWrites() {
    for seconds in stride(from: -1e9, through: 5e9, by: 86_400.0 * 13 + 4567) {
      let text = String(decoding: SigningTime(epochSeconds: seconds).stamp, as: UTF8.self)
      #expect(SigningTime.epochSeconds(parsing: text) == seconds.rounded(.down))
    }
  }

  @Test(arguments: [
    "", "20210412", "20210412T112500", "2021-04-12T112500Z", "20210412T250000Z", "2021041éT112500Z",
  ])
  func refuses(text: String) {
    #expect(SigningTime.epochSeconds(parsing: text) == nil)
  }
}
