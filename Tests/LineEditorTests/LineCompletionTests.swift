import Testing

@testable import LineEditor

struct LineCompletionTests {
  private func action(_ word: String, _ texts: [String], suffix: String = "")
    -> LineCompletion.Action
  {
    LineCompletion(start: 0, candidates: texts.map { .init($0, suffix: suffix) })
      .action(for: Array(word.utf8))
  }

  @Test func `nothing fits`() { #expect(action("x", []) == .ring) }

  @Test func `a single candidate goes in with what follows it`() {
    #expect(action("sub", ["submit"], suffix: "(") == .replace(Array("submit(".utf8)))
    #expect(action("submit", ["submit"]) == .ring)
  }

  @Test func `several go as far as they agree`() {
    #expect(action("s", ["state", "status"]) == .replace(Array("stat".utf8)))
    #expect(action("stat", ["state", "status"]) == .list)
  }

  @Test func `a shared beginning ends with a whole character`() {
    // 日 and 旦 share their first bytes.
    #expect(action("a", ["a日", "a旦"]) == .list)
  }
}
