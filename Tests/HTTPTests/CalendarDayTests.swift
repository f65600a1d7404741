import HTTP
import Testing

@Suite struct CalendarDayTests {
  @Test(
    arguments: [
      (0, 1970, 1, 1), (-1, 1969, 12, 31), (11_016, 2000, 2, 29), (11_017, 2000, 3, 1),
      (-719_468, 0, 3, 1), (-719_469, 0, 2, 29), (2_932_896, 9999, 12, 31),
      (-25_509, 1900, 2, 28), (-25_508, 1900, 3, 1),
    ] as [(Int, Int, Int, Int)])
  func daysHaveNumbers(number: Int, year: Int, month: Int, day: Int) {
    let date = CalendarDay(year: year, month: month, day: day)
    #expect(date.number == number)
    #expect(CalendarDay(number: number) == date)
    #expect(date.isReal)
  }

  @Test func everyDayOfManyYearsIsTheDayAfterTheOneBefore() {
    var before = CalendarDay(number: -800_001)
    for number in -800_000..<800_000 {
      let day = CalendarDay(number: number)
      let isNext =
        day.day == before.day + 1 && day.month == before.month && day.year == before.year
        || day.day == 1
          && (day.month == before.month + 1 && day.year == before.year
            || day.month == 1 && before.month == 12 && day.year == before.year + 1)
      guard isNext, day.number == number else {
        Issue.record("\(day) follows \(before)")
        return
      }
      before = day
    }
  }

  @Test(
    arguments: [
      (2026, 2, 29), (2026, 4, 31), (1900, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0),
    ])
  func othersAreNotReal(year: Int, month: Int, day: Int) {
    #expect(!CalendarDay(year: year, month: month, day: day).isReal)
  }
}
