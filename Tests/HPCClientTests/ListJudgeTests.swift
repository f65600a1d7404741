import HPCClient
import Testing

@Suite struct ListJudgeTests {
  @Test func aSuddenEmptyListMustStayForTwoMinutes() {
    var judge = ListJudge()
    func ask(_ count: Int, _ second: Int) -> Bool {
      judge.isGood(count: count, at: .seconds(second))
    }
    #expect(ask(0, 0), "nothing was there before")
    #expect(ask(1, 1))
    #expect(ask(0, 2), "one job may well have ended")
    #expect(ask(2, 3))
    #expect(!ask(0, 10))
    #expect(!ask(0, 129))
    #expect(ask(0, 130))
    #expect(ask(0, 131))
    #expect(ask(5, 140))
    #expect(!ask(0, 141), "a list in between starts it anew")
  }
}
