import Foundation
import TestSupport
import Testing

@testable import Sweeps

/// Journals that were copied or put back: they share locks for the same program, and nothing else.
@Suite struct CopyTests {
  private static func definition(
    _ world: SweepWorld, _ values: [Int64], in folder: String, factor: Int = 1
  ) throws -> SweepDefinition {
    var definition = try world.definition(
      script: """
        #!/bin/sh
        echo {{x}} >>\(world.folder.path)/ran
        echo $(({{x}} * \(factor))) >out.txt
        """)
    definition.folder = "\(world.folder.path)/\(folder)"
    definition.points = try Space.grid(["x": values.map(ParameterValue.integer)]).select()
    definition.outputs = [SweepOutput("out.txt")]
    definition.onEdit = .keep
    return definition
  }

  /// Two folders with the journal of a sweep that has run two points.
  private static func copied(_ world: SweepWorld) async throws {
    for folder in ["a", "b"] {
      try FileManager.default.createDirectory(
        atPath: "\(world.folder.path)/\(folder)", withIntermediateDirectories: true)
    }
    let first = try definition(world, [1, 2], in: "a")
    #expect(try await world.session(first).run().error == nil)
    try FileManager.default.copyItem(
      atPath: "\(world.folder.path)/a/test.sweep", toPath: "\(world.folder.path)/b/test.sweep")
  }

  @Test func pointsThatEachCopyHasGotByItselfAreNotMixedUp() async throws {
    let world = try SweepWorld()
    try await Self.copied(world)
    let first = try Self.definition(world, [1, 2, 50], in: "a")
    let second = try Self.definition(world, [1, 2, 90], in: "b")
    #expect(try await world.session(first).run().newDone == [3])
    #expect(try await world.session(second).run().newDone == [3])
    #expect(try world.read("a/test.out/x=50/out.txt") == "50\n")
    #expect(try world.read("b/test.out/x=90/out.txt") == "90\n")
  }

  @Test func anotherScriptIsAnotherProgram() async throws {
    let world = try SweepWorld()
    try await Self.copied(world)
    let first = try Self.definition(world, [1, 2, 3], in: "a")
    let second = try Self.definition(world, [1, 2, 3], in: "b", factor: 1000)
    #expect(try await world.session(first).run().newDone == [3])
    #expect(try await world.session(second).run().newDone == [3])
    #expect(try world.read("a/test.out/x=3/out.txt") == "3\n")
    #expect(try world.read("b/test.out/x=3/out.txt") == "3000\n")
  }

  @Test func theSamePointRunsOnceForAllCopies() async throws {
    let world = try SweepWorld()
    try await Self.copied(world)
    for folder in ["a", "b"] {
      let definition = try Self.definition(world, [1, 2, 7], in: folder)
      let report = try await world.session(definition).run()
      #expect(report.newDone == [3], "\(report)")
      #expect(try world.read("\(folder)/test.out/x=7/out.txt") == "7\n")
    }
    #expect(try world.read("ran").split(separator: "\n").sorted() == ["1", "2", "7"])
  }
}
