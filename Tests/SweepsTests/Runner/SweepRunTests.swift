import Foundation
import TestSupport
import Testing

@testable import Sweeps

/// Whole sweeps over HTTP against the simulator, whose jobs really run.
@Suite struct SweepRunTests {
  @Test func everyPointRunsOnceAndItsOutputsComeBack() async throws {
    let world = try SweepWorld()
    try world.write("factor.txt", "10\n")
    var definition = try world.definition(
      script: """
        #!/bin/sh
        echo "point {{x}}"
        echo $((x * $(cat factor.txt))) >out.txt
        """)
    definition.inputs = .fixed([
      .local(path: world.folder.path + "/factor.txt", name: "factor.txt")
    ])
    definition.outputs = [SweepOutput("out.txt"), SweepOutput("log-*", isRequired: false)]
    definition.result = { point, files in
      let path = try #require(files.path("out.txt"))
      let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
      let log = String(decoding: try await files.log(.out), as: UTF8.self)
      return #"{"value": \#(Int(text.dropLast()) ?? 0), "log": "\#(log.dropLast())"}"#
    }
    let session = world.session(definition)
    let report = try await session.run()
    #expect(report.error == nil, "\(report)")
    #expect(report.newDone == [1, 2, 3])
    let rows = try world.rows(definition)
    #expect(rows.map(\.state) == [.done, .done, .done])
    #expect(rows.map(\.name) == ["x=1", "x=2", "x=3"])
    #expect(
      rows.map(\.result) == (1...3).map { #"{"value": \#($0 * 10), "log": "point \#($0)"}"# })
    #expect(try world.read("test.out/x=2/out.txt") == "20\n")
    #expect(rows.allSatisfy { $0.jobID != nil && $0.attempts == 1 && $0.exitCode == 0 })
    #expect(session.progress.counts == [.done: 3])
  }
}
