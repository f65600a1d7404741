import Foundation
import HPCClient
import HTTP
import Simulator
import Synchronization
import TestSupport
import Testing

@testable import Sweeps

/// What a point comes to when something goes wrong with its program.
@Suite struct VerdictTests {
  @Test func programsThatFailTellTheirCode() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      4, script: "#!/bin/sh\n[ $x -ne 2 ] || exit 7\n[ $x -ne 3 ] || exit 0\necho $x >out.txt\n")
    definition.outputs = [SweepOutput("out.txt")]
    definition.result = { point, _ in
      if point.parameters["x"] == 4 { throw SweepError(.argument, "no such field") }
      return nil
    }
    let report = try await world.session(definition).run()
    #expect(report.newDone == [1, 4])
    #expect(report.newFailed == [2, 3])
    #expect(report.error?.code == .pointsFailed)
    #expect(report.error?.counts == [.done: 2, .failed: 2])
    let rows = try world.rows(definition)
    #expect(rows.map(\.cause) == [nil, "exit 7", "outputs: missing out.txt", nil])
    #expect(rows[1].exitCode == 7)
    #expect(rows[3].resultError == "no such field")
    #expect(rows[3].state == .done)
  }

  @Test(arguments: [
    (Cause.exit(127), "exit 127"), (.elapse, "elapse"), (.memory, "memory"),
    (.nodeDown, "node_down"), (.killed, "killed"), (.inputs("hpc/a is not there"), "inputs"),
    (.outputs("missing r.txt"), "outputs"), (.refused("Invalid jobfile."), "refused"),
    (.notStarted, "not_started"),
  ])
  func aCauseIsNamedAsARetryTakesIt(cause: Cause, word: String) {
    #expect(cause.word == word)
    #expect(cause.isMeant(by: cause.word))
    var point = PointRecord()
    point.verdict = .failed(cause)
    let text = OutcomeText(
      record: SweepRecord(points: [point]), counts: [.failed: 1], clockRate: 1)
    #expect(text.failureError([1]).hint?.contains("s:retry{cause=\"\(word)\"") == true)
    let stopped = text.error(
      .sameFailure(cause, count: 5), unsure: [], trouble: nil, tail: nil)
    #expect(stopped.hint?.contains("s:retry{cause=\"\(word)\"}") == true)
  }

  @Test func aLimitThatIsHitIsToldWithTheWayOut() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(1, script: "#!/bin/sh\n# $x\nsleep 600\n")
    definition.resources = .fixed(Resources(elapse: 120))
    let session = world.session(definition)
    let report = try await session.run()
    #expect(report.error?.description.contains("1 point hit their elapse limit (2 min)") == true)
    #expect(report.error?.hint?.contains("elapse=\"4m\"") == true)
    #expect(try world.rows(definition).first?.cause == "elapse")
    // A failed point waits for a retry.
    let second = try await session.run()
    #expect(second.newFailed.isEmpty)
    #expect(try world.rows(definition).first?.attempts == 1)
  }

  @Test func aRetrySaysWhatThePointNeeds() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      2, script: "#!/bin/sh\n# {{x}}\n[ \"$PJM_NODE\" = 2 ] || exit 3\n")
    definition.stopAfter = 100
    let session = world.session(definition)
    #expect(try await session.run().newFailed == [1, 2])
    #expect(try await session.retry(PointSelection(cause: "elapse")) == [])
    let again = try await session.retry(
      PointSelection(points: [2], cause: "exit 3"), resources: Resources(node: "2"))
    #expect(again == [2])
    #expect(try await session.run().newDone == [2])
    let rows = try world.rows(definition)
    #expect(rows.map(\.state) == [.failed, .done])
    #expect(rows.map(\.attempts) == [1, 2])
    #expect(rows[1].nodes == 2)
  }

  @Test func retriesAreByCause() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      1,
      script: """
        #!/bin/sh
        # {{x}}
        if [ -n "{{previous}}" ]; then cp "{{previous}}/state" state; fi
        echo more >>state
        [ $(wc -l <state) = 3 ] || exit 1
        cp state out.txt
        """)
    definition.outputs = [SweepOutput("out.txt")]
    definition.retries = .init(byCause: [.exit: 2])
    let report = try await world.session(definition).run()
    #expect(report.error == nil, "\(report)")
    #expect(try world.rows(definition).first?.attempts == 3)
    #expect(try world.read("test.out/x=1/out.txt") == "more\nmore\nmore\n")
  }

  @Test func whatNeverStartedShowsWhatTheJobAroundItWrote() async throws {
    let home = Mutex("")
    let world = try SweepWorld(refuses: { request in
      guard request.method == .post, request.url.path == "/jobs" else { return false }
      // The claims' folder is lost before any job runs.
      let root = home.withLock { $0 } + "/hpc"
      let sweeps = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
      for sweep in sweeps {
        try? FileManager.default.removeItem(atPath: "\(root)/\(sweep)/out/claim")
      }
      return false
    })
    home.withLock { $0 = world.simulator.home }
    let definition = try world.definition(1, script: "#!/bin/sh\n# {{x}}\n")
    let session = world.session(definition)
    #expect(try await session.run().newFailed == [1])
    #expect(try world.rows(definition).first?.cause == "not_started")
    let logs = try await session.logs(1)
    #expect(String(decoding: logs.stderr, as: UTF8.self).hasPrefix("hpc: "))
    #expect(logs.stdout.isEmpty)
  }

  @Test func aJobThatSomebodyDeletesWasKilled() async throws {
    let world = try SweepWorld()
    let definition = try world.definition(
      1, script: "#!/bin/sh\n# {{x}}\necho >started\nsleep 60\n")
    let session = world.session(definition)
    await session.start()
    try await world.until {
      let row = (try? await session.rows())?.first
      return row?.state == .running && row?.jobID != nil
    }
    let job = try #require(try await session.rows().first?.jobID)
    _ = try await world.service.client.cancel(JobID(job))
    let report = try #require(try await session.wait())
    #expect(report.newFailed == [1])
    #expect(try world.rows(definition).first?.cause == "killed")
  }

  @Test func whatTheServiceNeverTakesStopsTheSweep() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(3, script: "#!/bin/sh\n# {{x}}\n")
    definition.resources = .fixed(Resources(node: "999", elapse: 600))
    definition.maxQueued = 1
    let report = try await world.session(definition).run()
    #expect(report.error?.code == .service)
    #expect(report.error?.message.hasPrefix("not accepted: ") == true, "\(report)")
    let rows = try world.rows(definition)
    #expect(rows.allSatisfy { $0.state != .done && $0.state != .failed })
  }

  @Test func identicalFailuresStopTheSweepWithTheLastLinesOfStderr() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      12, script: "#!/bin/sh\n# {{x}}\nexec nosuchprogram --now\n")
    definition.maxQueued = 2
    definition.stopAfter = 3
    let report = try await world.session(definition).run()
    let text = "\(try #require(report.error))"
    #expect(text.contains("of the first "))
    #expect(text.contains("points failed alike (exit 127). Last lines of stderr:"))
    #expect(text.contains("nosuchprogram"))
    #expect(text.contains("s:retry{cause=\"exit 127\"} after mending"))
  }

  /// What is under way is collected by the next runs and steps; they post nothing more.
  @Test func failuresAlikeHoldTheRunsThatFollow() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      12,
      script: """
        #!/bin/sh
        until [ "$x" -le 3 ] || [ -e "$HOME/go" ]; do sleep 0.05; done
        exit 7
        """)
    definition.maxQueued = 2
    definition.stopAfter = 3
    let stopped = try await world.session(definition).run()
    #expect(stopped.newFailed == [1, 2, 3], "\(stopped)")
    let posts = try await world.requests()["POST /jobs"] ?? 0
    try #require(posts < 12)
    try Data().write(to: URL(filePath: world.simulator.home + "/go"))
    let again = try await world.session(definition).run()
    #expect("\(try #require(again.error))".contains("failed alike (exit 7)"), "\(again)")
    #expect(again.newFailed.count == posts - 3)
    for _ in 0..<2 {
      let step = try await world.session(definition).run(.step)
      #expect(step.error?.code == .stopped)
      #expect(step.newFailed.isEmpty)
    }
    #expect(try await world.requests()["POST /jobs"] == posts)

    // After an edit it is another matter.
    definition.script = SweepScript(.text("#!/bin/sh\n# {{x}}\n"), source: "test.sh")
    definition.onEdit = .rerun
    let mended = try await world.session(definition).run()
    #expect(mended.progress.counts[.done] == 12, "\(mended)")
  }

  @Test func failuresOfWhatWasPostedBeforeAnEditStopNothing() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(
      4,
      script: """
        #!/bin/sh
        # {{x}}
        until [ -e "$HOME/go" ]; do sleep 0.05; done
        exit 7
        """)
    definition.stopAfter = 2
    definition.maxQueued = 3
    let session = world.session(definition)
    await session.start()
    try await world.until { (try? await session.rows(states: [.running]))?.count == 3 }
    // Which three were posted first is chance.
    let posted = try await session.rows(states: [.running]).map(\.point).sorted()
    await session.detach()
    try Data().write(to: URL(filePath: world.simulator.home + "/go"))
    definition.script = SweepScript(.text("#!/bin/sh\n# {{x}}\n"), source: "test.sh")
    let report = try await world.session(definition).run()
    #expect(posted.count == 3)
    #expect(report.newFailed == posted, "\(report)")
    #expect(report.newDone == (1...4).filter { !posted.contains($0) })
    #expect(report.error?.code == .pointsFailed)
  }

  @Test func aSuccessOfBeforeAnEditIsNoneOfWhatRunsNow() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(1, script: "#!/bin/sh\n# {{x}}\n")
    definition.onEdit = .keep
    definition.stopAfter = 2
    definition.maxQueued = 1
    #expect(try await world.session(definition).run().newDone == [1])
    definition.points = try world.definition(9, script: "").points
    definition.script = SweepScript(.text("#!/bin/sh\n# {{x}}\nexit 7\n"), source: "test.sh")
    let report = try await world.session(definition).run()
    // How many had ended when the first two were known is the machine's affair.
    let message = report.error?.message ?? ""
    #expect(
      message.hasPrefix("stopped: ") && message.contains("points failed alike"), "\(report)")
  }

  @Test func anElapseLimitOnAFastClockSaysSo() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(1, script: "#!/bin/sh\n# {{x}}\nsleep 60\n")
    definition.resources = .fixed(Resources(node: "1", elapse: 600))
    let report = try await world.session(definition).run()
    #expect(
      report.error?.message
        == "1 point hit their elapse limit (10 min); the simulator's clock runs 200 times faster "
        + "than its programs: 10 min are 3 s here")
  }

  @Test func aBudgetEndsTheSweepBeforeItIsPassed() async throws {
    let world = try SweepWorld()
    var definition = try world.definition(3, script: "#!/bin/sh\n# {{x}}\nsleep 0.2\n")
    definition.resources = .fixed(Resources(node: "2", elapse: 3600))
    definition.budget = 3
    let report = try await world.session(definition).run()
    // Each may take 2 node-hours and takes a hundredth: one after the other fits.
    #expect(report.newDone == [1, 2, 3], "\(report)")
    definition.budget = 1
    definition.name = "small"
    let second = try await world.session(definition).run()
    #expect(second.newDone.isEmpty)
    #expect(second.error?.message.contains("budget") == true)
  }
}
