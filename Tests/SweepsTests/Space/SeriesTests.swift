import Testing

@testable import Sweeps

@Suite struct SeriesTests {
  @Test func linspaceIncludesItsEndsAndRoundsWhatItComputes() throws {
    let values = try Series.linspace(1, 3, count: 21)
    #expect(values.count == 21)
    #expect(values.first == .integer(1))
    #expect(values[2] == .double(1.2))
    #expect(values[10] == .integer(2))
    #expect(values[13] == .double(2.3))
    #expect(values.last == .integer(3))
    #expect(values.map(\.text)[1] == "1.1")
  }

  @Test(
    arguments: [
      (0, 1, 0.1, ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]),
      (1, 2, 0.25, ["1", "1.25", "1.5", "1.75", "2"]),
      (10, 1, -3, ["10", "7", "4", "1"]), (1, 4, 2, ["1", "3"]), (1, 0, 1, []), (5, 5, 1, ["5"]),
      (-0.3, 0.3, 0.1, ["-0.3", "-0.2", "-0.1", "0", "0.1", "0.2", "0.3"]),
      (1e-9, 3e-9, 1e-9, ["1e-09", "2e-09", "3e-09"]),
    ] as [(ParameterValue, ParameterValue, ParameterValue, [String])])
  func rangesAreWhatTheTextSays(
    start: ParameterValue, end: ParameterValue, step: ParameterValue, expected: [String]
  ) throws {
    #expect(try Series.range(start, end, by: step).map(\.text) == expected)
  }

  @Test func smallValuesOfAWideRangeAreExact() throws {
    let values = try Series.range(-100, 100, by: 0.001)
    #expect(values.count == 200_001)
    #expect(values[100_001] == .double(0.001))
    #expect(values[100_000] == .integer(0))
    #expect(try Series.linspace(-0.7, 0.3, count: 11)[7] == .integer(0))
  }

  @Test func logspaceTakesTheEndValues() throws {
    #expect(try Series.logspace(1, 1000, count: 4) == [1, 10, 100, 1000])
    #expect(try Series.logspace(2, 2e6, count: 7)[3] == .integer(2000))
    #expect(try Series.logspace(1e-3, 1, count: 4).map(\.text) == ["0.001", "0.01", "0.1", "1"])
    #expect(try Series.logspace(1000, 1, count: 2) == [1000, 1])
  }

  @Test func integersStayIntegers() throws {
    #expect(try Series.range(1, 3) == [.integer(1), .integer(2), .integer(3)])
    #expect(try Series.linspace(2.0, 2.0, count: 1) == [.integer(2)])
    let (min, max) = (Int64.min, Int64.max)
    #expect(
      try Series.range(.integer(max - 2), .integer(max))
        == [max - 2, max - 1, max].map {
          .integer($0)
        })
    #expect(
      try Series.range(.integer(min), .integer(max), by: .integer(max))
        == [min, -1, max - 1].map {
          .integer($0)
        })
    #expect(try Series.range(.integer(max), .integer(min), by: .integer(min)).count == 2)
    let huge = try Series.linspace(1e17, 3e17, count: 3)
    #expect(huge[1] == .double(2e17))
  }

  @Test(
    arguments: [
      { try Series.range(0, 1, by: 0) }, { try Series.range("a", 1) },
      { try Series.range(0, .double(.infinity)) }, { try Series.range(0, 1e12) },
      { try Series.linspace(0, 1, count: 0) }, { try Series.logspace(0, 1, count: 3) },
      { try Series.logspace(-1, 1, count: 3) }, { try Series.linspace(true, 1, count: 3) },
    ] as [@Sendable () throws -> [ParameterValue]])
  func nonsenseIsRefused(make: @Sendable () throws -> [ParameterValue]) {
    #expect(throws: SpaceError.self) { try make() }
  }
}
