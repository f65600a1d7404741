import Testing

@testable import Sweeps

@Suite struct SampleTests {
  @Test func sobolAgreesWithSciPyInEveryDimension() {
    let sobol = Sobol(dimensions: 64, seed: nil)
    for (index, expected) in SobolGolden.points {
      let found = (0..<64).map { Int(sobol.coordinate($0, at: index) * 16384) }
      #expect(found == expected, "point \(index)")
    }
    #expect((0..<64).allSatisfy { sobol.coordinate($0, at: 0) == 0 })
  }

  @Test func aShiftedSobolStaysANet() {
    // Any 2^k first points put one into each slice of 2^-k, shifted or not.
    let sobol = Sobol(dimensions: 20, seed: 7)
    for dimension in 0..<20 {
      let slices = Set((0..<256).map { Int(sobol.coordinate(dimension, at: $0) * 256) })
      #expect(slices.count == 256, "dimension \(dimension)")
    }
    #expect(sobol.coordinate(0, at: 0) != Sobol(dimensions: 20, seed: 8).coordinate(0, at: 0))
  }

  @Test(arguments: [1, 2, 3, 10, 97, 1000])
  func latinHypercubeHasOnePointInEachSlice(count: Int) throws {
    let axes: [String: SampleAxis] = [
      "x": .interval(min: 0, max: 1), "y": .interval(min: 0, max: 1),
    ]
    let space = try Space.sample(count, axes, .latinHypercube(seed: 3))
    for axis in 0..<2 {
      let slices = (0..<count).map { index -> Int in
        let unit: Double
        switch space[index].values[axis] {
        case .double(let value): unit = value
        case .integer(let value): unit = Double(value)
        default: unit = -1
        }
        return Int(unit * Double(count))
      }
      #expect(slices.sorted() == Array(0..<count))
    }
  }

  @Test(arguments: [1, 2, 5, 64, 1023])
  func permutationHitsEverything(count: Int) {
    let permutation = Permutation(count: count, seed: 11)
    #expect((0..<count).map { permutation[$0] }.sorted() == Array(0..<count))
    if count > 63 { #expect((0..<count).map { permutation[$0] } != Array(0..<count)) }
  }

  @Test func samplesDependOnTheSeedAlone() throws {
    let axes: [String: SampleAxis] = [
      "x": .interval(min: 1e-3, max: 1e3, logarithmic: true), "L": .choices([16, 32, "a"]),
    ]
    let a = try Space.sample(500, axes, .random(seed: 1))
    let b = try Space.sample(500, axes, .random(seed: 1))
    let c = try Space.sample(500, axes, .random(seed: 2))
    #expect((0..<500).allSatisfy { a[$0] == b[$0] })
    #expect(!(0..<500).allSatisfy { a[$0] == c[$0] })
    #expect(a.names == ["L", "x"])
    #expect(a.summary == "random(500, seed 1: L, x)")
    var decades = [0, 0, 0]
    for index in 0..<500 {
      guard case .double(let x) = a[index]["x"] else { continue }
      #expect((1e-3...1e3).contains(x))
      decades[min(max(Int((x < 0.1 ? 0 : x < 10 ? 1 : 2)), 0), 2)] += 1
    }
    #expect(decades.allSatisfy { $0 > 120 }, "a logarithmic axis fills its decades: \(decades)")
  }

  @Test(
    arguments: [
      (.interval(min: 2, max: 1), "has min 2.0 above max 1.0"),
      (.interval(min: 0, max: 1, logarithmic: true), "is logarithmic"),
      (.choices([]), "has no choices"),
      (.interval(min: 0, max: .infinity), "not finite"),
    ] as [(SampleAxis, String)])
  func badAxesAreNamed(axis: SampleAxis, message: String) {
    let error = #expect(throws: SpaceError.self) {
      try Space.sample(4, ["x": axis], .random(seed: 0))
    }
    #expect(error?.description.contains(message) == true)
    #expect(error?.description.contains("\"x\"") == true)
  }
}
