import Foundation
import HPCClient
import Simulator
import Synchronization
import TestSupport
import Testing

@testable import Sweeps

/// The process dies, the disk fills up, or somebody cleans up on the other side.
@Suite struct CrashTests {
  /// Appends a line outside home for each program that runs.
  private static func script(_ world: SweepWorld, failing: Bool = false) -> String {
    """
    #!/bin/sh
    echo {{x}} >>\(world.folder.path)/ran
    [ {{x}} != 2 ] || [ -n "{{previous}}" ] || exit 3
    echo {{x}} >out.txt
    """
  }

  private static func definition(_ world: SweepWorld) throws -> SweepDefinition {
    var definition = try world.definition(2, script: script(world))
    definition.outputs = [SweepOutput("out.txt")]
    definition.retries = .init(byCause: [.exit: 1])
    return definition
  }

  /// Dies at a commit, then runs again until the end; what ran, sorted.
  private static func ran(
    dyingAt number: Int, _ fate: JournalKeeper.Fate
  ) async throws -> (lines: [Substring], posts: Int?, submissions: Int, isOver: Bool) {
    let world = try SweepWorld()
    let definition = try definition(world)
    let first = world.session(definition) { $0 == number ? fate : .proceed }
    let report = try? await first.run()
    let last: SweepReport
    if let report { last = report } else { last = try await world.session(definition).run() }
    #expect(last.error == nil, "\(fate) at \(number): \(last)")
    #expect(try world.rows(definition).map(\.state) == [.done, .done], "\(fate) at \(number)")
    #expect(try world.read("test.out/x=2/out.txt") == "2\n")
    let lines = try world.read("ran").split(separator: "\n").sorted()
    let journal = try SweepJournal(reading: definition.journalPath(isSimulated: false)).load()
    let posted = journal.submissions.count { !$0.posts.isEmpty }
    return (lines, try await world.requests()["POST /jobs"], posted, report != nil)
  }

  @Test(arguments: [JournalKeeper.Fate.dieBefore, .dieAfter])
  func aKillAtEveryStepOfTheJournalIsSurvived(fate: JournalKeeper.Fate) async throws {
    var number = 0
    while true {
      number += 1
      let result = try await Self.ran(dyingAt: number, fate)
      // Each attempt ran once: point 2 fails at its first.
      #expect(result.lines == ["1", "2", "2"], "\(fate) at \(number)")
      #expect(result.posts ?? 0 <= result.submissions, "\(fate) at \(number)")
      if result.isOver { break }
    }
    #expect(number > 10)
  }

  @Test func aWipedHomeIsNoticedAndNothingRunsAgain() async throws {
    let world = try SweepWorld()
    let definition = try world.definition(
      2, script: "#!/bin/sh\necho {{x}} >>\(world.folder.path)/ran\nsleep 600\n")
    let session = world.session(definition)
    await session.start()
    try await world.until { (try? world.read("ran").utf8.count) == 4 }
    await session.detach()
    for job in try world.rows(definition).compactMap(\.jobID) {
      try await world.service.client.cancel(.init(job))
    }
    // At one stroke: the cancelled jobs still write there.
    try FileManager.default.moveItem(
      atPath: world.simulator.home + "/hpc", toPath: world.folder.path + "/gone")
    let report = try await world.session(definition).run()
    #expect(report.error?.code == .stopped)
    #expect(report.error?.message.contains("folder on the machine is gone") == true, "\(report)")
    #expect(try world.rows(definition).map(\.state) == [.unknown, .unknown])
    #expect(try world.rows(definition).map(\.cause) == ["home_lost", "home_lost"])
    _ = try await world.session(definition).run()
    #expect(try world.read("ran").utf8.count == 4)
    #expect(try await world.requests()["POST /jobs"] == 2)
  }

  @Test func aFullDiskStopsTheSweepAndLosesNothing() async throws {
    let world = try SweepWorld()
    let definition = try world.definition(60, script: "#!/bin/sh\n# {{x}}\n")
    let path = definition.journalPath(isSimulated: false)
    // As much room as the points themselves take.
    var pages = 0
    do {
      let journal = try SweepJournal(
        path: path, name: "test", service: world.service.identity, now: 0)
      try journal.register(points: definition.points)
      pages = try #require(try journal.pageCount())
    }
    let session = SweepSession(
      definition, journal: path, name: "test", service: world.service, pageLimit: pages + 1)
    let error = await #expect(throws: SweepError.self) { try await session.run() }
    #expect(error?.message.contains("no space left for the journal") == true, "\(error as Any)")
    let report = try await world.session(definition).run()
    #expect(report.error == nil, "\(report)")
    #expect(report.newDone.count == 60)
  }
}
