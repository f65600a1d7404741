import HPCClient
import Testing

@Suite struct PJMTextTests {
  @Test(
    arguments: [
      ("0000:00:00", 0), ("0072:00:01", 259_201), ("1:02:03", 3723), ("12345:00:00", 44_442_000),
      ("00:60:00", nil), ("1:2:3", nil), ("-", nil), ("", nil), ("00:00", nil), ("+1:00:00", nil),
      ("9999999999:00:00", nil),
    ] as [(String, Int?)])
  func readsDurations(text: String, seconds: Int?) {
    #expect(PJMText.seconds(text) == seconds)
  }

  @Test(
    arguments: [
      ("1970-01-01T09:00:00", 0), ("2021-04-12T11:25:00", 1_618_194_300),
      ("2021-04-12 11:25:00", 1_618_194_300), ("2021-04-12T11:25:00.5", 1_618_194_300),
      ("2021-04-12T02:25:00Z", 1_618_194_300), ("2021-04-12T03:25:00+01:00", 1_618_194_300),
      ("2020-02-29T00:00:00", 1_582_902_000), ("2021-04-12", nil), ("-", nil), ("", nil),
      ("2021-13-12T11:25:00", nil), ("2021-04-12T25:25:00", nil), ("(2027/01/02)", nil),
    ] as [(String, Double?)])
  func readsDatesOfJapan(text: String, epoch: Double?) {
    #expect(PJMText.epoch(text) == epoch)
  }

  @Test(
    arguments: [("12", 12), ("12:2x3x2", 12), ("", nil), ("x", nil), ("-1", nil)]
      as [(String, Int?)])
  func readsNodes(text: String, nodes: Int?) {
    #expect(PJMText.nodes(text) == nodes)
  }
}
