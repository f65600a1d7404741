import Foundation
import Simulator
import TestSupport
import Testing

@testable import Sweeps

/// Submissions that are ready and not posted when the sweep is edited.
@Suite struct StagedTests {
  enum Edit: CaseIterable {
    case nothing, script, setup, resources
  }

  private static func definition(_ world: SweepWorld, _ edit: Edit?) throws -> SweepDefinition {
    var definition = try world.definition(
      4,
      script: """
        #!/bin/sh
        until [ -e "$HOME/go" ]; do sleep 0.05; done
        echo "\(edit == .script ? "new" : "old") ${SETUP:-none} $PJM_NODE {{x}}" >out.txt
        """)
    definition.outputs = [SweepOutput("out.txt")]
    definition.maxQueued = 1
    definition.onEdit = .keep
    if edit == .setup { definition.setup = "export SETUP=loaded" }
    if edit == .resources { definition.resources = .fixed(Resources(node: "2", elapse: 36_000)) }
    return definition
  }

  @Test(arguments: Edit.allCases)
  func whatWasStagedBeforeAnEditRunsAsItIsNow(edit: Edit) async throws {
    let world = try SweepWorld()
    let before = try Self.definition(world, nil)
    let session = world.session(before)
    await session.start()
    // Which one is posted first, nothing says.
    var first = 0
    try await world.until {
      guard let rows = try? await session.rows(),
        let running = rows.first(where: { $0.state == .running }),
        rows.count(where: { $0.state == .waiting }) == 3
      else { return false }
      first = running.point
      return true
    }
    let path = before.journalPath(isSimulated: false)
    try await world.until {
      let record = try? SweepJournal(reading: path).load()
      return record?.submissions.count { $0.phase == .staged } == 3
    }
    await session.detach()
    try Data().write(to: URL(filePath: world.simulator.home + "/go"))
    let after = try Self.definition(world, edit)
    let report = try await world.session(after).run()
    #expect(report.newDone.sorted() == [1, 2, 3, 4], "\(report)")
    let expected =
      switch edit {
      case .nothing: "old none 1"
      case .script: "new none 1"
      case .setup: "old loaded 1"
      case .resources: "old none 2"
      }
    for x in 1...4 {
      // The one that was posted before keeps what it ran with.
      let wanted = x == first ? "old none 1" : expected
      #expect(try world.read("test.out/x=\(x)/out.txt") == "\(wanted) \(x)\n")
    }
    let record = try SweepJournal(reading: path).load()
    #expect(record.submissions.count == (edit == .nothing ? 4 : 7))
    #expect(try await world.requests()["POST /jobs"] == 4)
    #expect(record.points.allSatisfy { $0.attempts.count == 1 })
  }

  @Test func oneWhosePostWasRefusedIsClosedByASealFirst() async throws {
    let world = try SweepWorld(
      faults: #"{"faults": [{"on": "submit", "do": "status", "status": 403, "nth": 1}]}"#)
    var definition = try world.definition(1, script: "#!/bin/sh\necho old {{x}} >out.txt\n")
    definition.outputs = [SweepOutput("out.txt")]
    #expect(try await world.session(definition).run().error?.code == .service)
    let path = definition.journalPath(isSimulated: false)
    #expect(try SweepJournal(reading: path).load().submissions.map(\.phase) == [.staged])
    definition.script = SweepScript(.text("#!/bin/sh\necho new {{x}} >out.txt\n"))
    let report = try await world.session(definition).run()
    #expect(report.newDone == [1], "\(report)")
    #expect(try world.read("test.out/x=1/out.txt") == "new 1\n")
    let record = try SweepJournal(reading: path).load()
    #expect(record.submissions.map(\.phase) == [.abandoned, .submitted])
    #expect(record.points[0].attempts.map(\.phase) == [.closed(.notStarted), .closed(.exited)])
  }
}
