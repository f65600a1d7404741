import Testing

@testable import Sweeps

@Suite struct SpaceTests {
  @Test func gridGoesThroughItsAxesInNameOrderTheLastFastest() throws {
    let space = try Space.grid(["T": [1, 2], "L": [16, 32, 64]])
    #expect(space.names == ["L", "T"])
    #expect(space.count == 6)
    #expect(
      (0..<6).map { space[$0].description } == [
        "{L=16, T=1}", "{L=16, T=2}", "{L=32, T=1}", "{L=32, T=2}", "{L=64, T=1}", "{L=64, T=2}",
      ])
  }

  @Test func zipListAndProductKeepTheirOrder() throws {
    let pairs = try Space.zip(["a": [1, 2, 3], "b": ["x", "y", "z"]])
    #expect((0..<3).map { pairs[$0].label } == ["a=1,b=x", "a=2,b=y", "a=3,b=z"])
    let rows = try Space.list([["T": 1.5, "on": true], ["T": 2, "on": false]])
    #expect((0..<2).map { rows[$0].description } == ["{T=1.5, on=true}", "{T=2, on=false}"])
    let both = try Space.product([rows, pairs])
    #expect(both.count == 6)
    #expect(both[4].description == "{T=2, on=false, a=2, b=y}")
  }

  @Test func repeatsAddAParameter() throws {
    let space = try Space.grid(["T": [1, 2]]).repeated(2)
    let labels = (0..<4).map { space[$0].label }
    #expect(labels == ["T=1,rep=1", "T=1,rep=2", "T=2,rep=1", "T=2,rep=2"])
    #expect(try Space.grid(["T": [1]]).repeated(1).names == ["T"])
    #expect(throws: SpaceError.repeatedName("rep")) {
      try Space.grid(["rep": [1]]).repeated(2)
    }
  }

  @Test func aBillionPointsAreCountedNotMade() throws {
    let axis = try Series.range(1, 1000)
    let space = try Space.grid(["a": axis, "b": axis, "c": axis])
    #expect(space.count == 1_000_000_000)
    #expect(space[999_999_999].label == "a=1000,b=1000,c=1000")
    let error = #expect(throws: SpaceError.self) { try space.select() }
    #expect(error?.description.contains("1000000000 points") == true)
    #expect(throws: SpaceError.tooMany(count: nil, limit: Space.confirmationLimit)) {
      try Space.product(
        (0..<7).map { try Space.grid(["a\($0)": axis]) })
    }
  }

  @Test func filterAndOrder() throws {
    let space = try Space.grid(["T": [1, 2, 3], "L": [16, 32]])
    let points = try space.select(
      where: { $0["T"] != 2 },
      order: { a, b in
        if case .integer(let x) = a["T"], case .integer(let y) = b["T"] { x > y } else { false }
      })
    #expect(points.map(\.label) == ["L=16,T=3", "L=32,T=3", "L=16,T=1", "L=32,T=1"])
    struct Stop: Error {}
    #expect(throws: Stop.self) { try space.select(where: { _ in throw Stop() }) }
    #expect(throws: SpaceError.self) { try space.select(where: { _ in false }) }
  }

  @Test func equalPointsAreRefusedByValue() throws {
    let error = #expect(throws: SpaceError.self) {
      try Space.list([["T": 1], ["T": 2], ["T": 1.0]]).select()
    }
    #expect(error?.description.contains("points 1 and 3") == true)
    #expect(try Space.list([["T": 1], ["T": "1"]]).select().count == 2)
  }

  @Test(
    arguments: [
      "point", "dir", "previous", "PATH", "HOME", "LD_PRELOAD", "PJM_JOBID", "", "1a", "a-b", "ä",
      "BASH_ENV", "IFS", "RANDOM", "SECONDS", "LINENO", "_", "SHLVL", "TMOUT", "FUNCNAME", "PS4",
    ])
  func namesThatBelongToOthersAreRefused(name: String) {
    #expect(throws: SpaceError.self) { try Space.grid([name: [1]]) }
    #expect(throws: SpaceError.self) { try Space.list([[name: 1]]) }
    #expect(throws: SpaceError.self) {
      try Space.sample(2, [name: .choices([1])], .sobol(seed: nil))
    }
  }

  @Test func unequalShapesAreNamed() {
    let zip = #expect(throws: SpaceError.self) { try Space.zip(["a": [1, 2], "b": [1]]) }
    #expect(zip?.description.contains("a has 2, b has 1") == true)
    #expect(throws: SpaceError.row(2, name: "y")) { try Space.list([["x": 1], ["x": 1, "y": 2]]) }
    #expect(throws: SpaceError.row(2, name: "y")) { try Space.list([["x": 1, "y": 2], ["x": 1]]) }
    #expect(throws: SpaceError.self) { try Space.grid(["a": []]) }
    #expect(throws: SpaceError.notFinite("a")) { try Space.grid(["a": [.double(.nan)]]) }
    #expect(throws: SpaceError.self) { try Space.list([]) }
  }

  @Test func encodingIgnoresOrderAndKindOfWholeNumbers() {
    let a = Parameters([("T", 1), ("L", "x")])
    let b = Parameters(names: ["T", "L"], values: [.double(1), .string("x")])
    #expect(a.encoded == b.encoded)
    #expect(a.encoded != Parameters([("T", "1"), ("L", "x")]).encoded)
    #expect(
      Parameters([("a", "1\n1:b=i:2")]).encoded != Parameters([("a", "1"), ("b", 2)]).encoded)
  }
}
