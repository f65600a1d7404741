import Testing

@testable import LuaAPI

@Suite struct NearestNameTests {
  private static let options = [
    "jobfile", "qopt", "state", "name", "interval", "timeout", "where", "on_change",
    "retry_deadline",
  ]
  private static let states = [
    "queued", "starting", "running", "ending", "held", "suspended", "done", "failed", "cancelled",
    "rejected", "gone", "unknown", "ACC", "RJT", "QUE", "RNA", "RNP", "RUN", "RNE", "RNO", "SPP",
    "SPD", "RSM", "EXT", "CCL", "HLD", "ERR",
  ]

  @Test(
    arguments: [
      ("jobfle", "jobfile"), ("job_flie", "jobfile"), ("sate", "state"), ("tsate", "state"),
      ("NAME", "name"), ("nme", "name"), ("wher", "where"), ("intreval", "interval"),
      ("nterval", "interval"),
      ("onchange", "on_change"), ("retrydeadlin", "retry_deadline"), ("job", "jobfile"),
      ("time", "timeout"), ("zzzzzz", nil), ("", nil), ("n", nil), ("id", nil), ("user", nil),
      ("qos", nil), ("lifetime", nil),
    ] as [(String, String?)])
  func findsOptions(word: String, expected: String?) {
    #expect(NearestName.find(word, in: Self.options) == expected)
  }

  @Test(
    arguments: [
      ("runing", "running"), ("rnning", "running"), ("unning", "running"), ("RUNN", "RUN"),
      ("QEUE", "QUE"), ("QEU", "QUE"), ("queud", "queued"), ("canceled", "cancelled"),
      ("cancled", "cancelled"),
      ("hold", "held"), ("HOLD", "held"), ("fail", "failed"), ("start", "starting"),
      ("don", "done"), ("old", nil), ("all", nil), ("bad", nil), ("hod", nil), ("foo", nil),
      ("pending", nil), ("waiting", nil), ("finished", nil), ("completed", nil), ("active", nil),
    ] as [(String, String?)])
  func findsWords(word: String, expected: String?) {
    #expect(NearestName.find(word, in: Self.states) == expected)
  }
}
