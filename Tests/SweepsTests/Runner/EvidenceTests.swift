import Foundation
import HTTP
import Simulator
import Synchronization
import TestSupport
import Testing

@testable import Sweeps

/// What the bucket tells, and when it cannot be asked.
@Suite struct EvidenceTests {
  @Test func aBucketThatFailsAtTheStartIsToldAndAwaited() async throws {
    let refused = Mutex(0)
    let world = try SweepWorld(refuses: { request in
      guard request.method == .put else { return false }
      return refused.withLock {
        $0 += 1
        return $0 <= 60
      }
    })
    let definition = try world.definition(1, script: "#!/bin/sh\n# {{x}}\n")
    let report = try await world.session(definition).run()
    #expect(report.newDone == [1], "\(report)")
    let notes = world.news.withLock { $0 }.compactMap { news -> String? in
      if case .note(let text) = news { text } else { nil }
    }
    // A line for each root that is tried, not one for each of the requests that fail alike.
    #expect(!notes.isEmpty && notes.count < 6 && Set(notes).count == notes.count, "\(notes)")
  }

  @Test func twoChecksInARowAreTwoThatProveSomething() {
    let id = AttemptID(point: 1, number: 1)
    var point = PointRecord()
    point.attempts = [AttemptRecord()]
    point.attempts[0].phase = .sealed
    point.attempts[0].tag = "a0"
    let record = SweepRecord(root: RootRecord(path: "hpc/x", isReady: true), points: [point])
    var machine = SweepMachine(record: record, settings: SweepSettings(), seed: 1)
    _ = machine.handle(.start, now: .zero)
    func check(hasCanary: Bool) -> AttemptPhase {
      machine.outputs.phase = .collecting
      machine.check = SealCheck(attempts: [id], listNumber: 1)
      _ = machine.handle(.collected(OutListing(hasCanary: hasCanary, seals: [id])), now: .zero)
      return machine.record[attempt: id].phase
    }
    #expect(check(hasCanary: true) == .sealed)
    #expect(check(hasCanary: false) == .sealed)
    #expect(check(hasCanary: true) == .sealed)
    #expect(check(hasCanary: true) == .closed(.notStarted))
  }

  /// Two failures alike, a blocked job and a point that waits: a held run does not wait for ever.
  /// Failures of points that the space no longer has hold nothing.
  @Test(arguments: [true, false])
  func aHeldRunEndsWhereOnlyBlockedJobsAreLeft(areMembers: Bool) {
    var points = (0..<4).map { _ in PointRecord() }
    for index in 0..<2 {
      points[index].verdict = .failed(.exit(7))
      points[index].isMember = areMembers
      points[index].attempts = [AttemptRecord()]
      points[index].attempts[0].phase = .closed(.exited)
    }
    points[2].attempts = [AttemptRecord()]
    points[2].attempts[0].phase = .submitted
    points[2].attempts[0].submission = 1
    points[2].attempts[0].isBlocked = true
    var submission = SubmissionRecord(
      name: "abcdefghij", attempts: [AttemptID(point: 3, number: 1)])
    submission.phase = .submitted
    submission.posts = [.accepted]
    submission.jobs = [7: nil]
    let record = SweepRecord(
      root: RootRecord(path: "hpc/x", isReady: true), points: points, submissions: [submission])
    var settings = SweepSettings()
    settings.stopAfter = 2
    var machine = SweepMachine(record: record, settings: settings, seed: 1)
    _ = machine.handle(.start, now: .zero)
    #expect(machine.stop == nil, "what is under way is looked at first")
    machine.watches[1]?.isLooked = true
    _ = machine.handle(.wake, now: .seconds(1))
    #expect(machine.stop == (areMembers ? .sameFailure(.exit(7), count: 2) : nil))
  }

  /// A POST whose answer is lost and whose job no list ever shows: the attempt is sealed, and its
  /// exit record comes with a check. The look at the seal after that record was read fails.
  @Test func aRecordThatWasReadInVainIsReadAgain() async throws {
    let refused = Mutex(0)
    let home = Mutex("")
    let world = try SweepWorld(
      faults: """
        {"faults": [{"on": "submit", "do": "drop_reply", "nth": 1},
          {"on": "list", "do": "hide", "p": 1, "seconds": 1000000}]}
        """,
      refuses: { request in
        guard request.method == .head, request.url.path.hasSuffix("/sealed") else { return false }
        let folder = home.withLock { $0 }
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
        guard files?.contains(where: { $0.contains("/out/exit/1.1") }) == true else { return false }
        return refused.withLock {
          $0 += 1
          return $0 <= 2
        }
      })
    home.withLock { $0 = world.simulator.home + "/hpc" }
    // It ends after the seal has come, so that the record comes with a check.
    var definition = try world.definition(
      1,
      script: """
        #!/bin/sh
        echo {{x}} >>\(world.folder.path)/ran
        until ls "$HOME"/hpc/*/lock/*/sealed >/dev/null 2>&1; do sleep 0.05; done
        """)
    definition.resources = .fixed(Resources(elapse: 36_000))
    definition.retries = .number(1)
    let report = try await world.session(definition).run()
    #expect(report.error == nil, "\(report)")
    #expect(report.newDone == [1])
    #expect(try world.read("ran") == "1\n")
    #expect(refused.withLock { $0 } > 0)
  }
}
