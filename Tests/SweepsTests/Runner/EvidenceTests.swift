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
    var definition = try world.definition(
      1, script: "#!/bin/sh\necho {{x}} >>\(world.folder.path)/ran\nsleep 0.3\n")
    definition.resources = .fixed(Resources(elapse: 300))
    definition.retries = .number(1)
    let report = try await world.session(definition).run()
    #expect(report.error == nil, "\(report)")
    #expect(report.newDone == [1])
    #expect(try world.read("ran") == "1\n")
    #expect(refused.withLock { $0 } > 0)
  }
}
