import Testing

@testable import LuaAPI

@Suite struct NearestNameTests {
  @Test(
    arguments: [
      ("jobfle", "jobfile"), ("sate", "state"), ("NAME", "name"), ("intreval", "interval"),
      ("zzzzzz", nil), ("", nil),
    ] as [(String, String?)])
  func finds(word: String, expected: String?) {
    #expect(
      NearestName.find(word, in: ["jobfile", "qopt", "state", "name", "interval"]) == expected)
  }
}
