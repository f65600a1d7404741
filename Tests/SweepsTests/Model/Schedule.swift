import Foundation
import Testing

@testable import Sweeps

/// One seeded run of the protocol through a world of faults, and what the judge says of it.
struct Schedule {
  var seed: UInt64
  var faults = Faults.storm
  var points = 5
  var settings = Schedule.standardSettings
  var jobRules = World.JobRules()
  var tamper: any Tamper = NoTamper()
  var killAtCommit: (number: Int, isDurable: Bool)?
  /// Virtual time within which all must be settled.
  var patience = 14 * 86_400.0
  /// How often a user runs it again at most.
  var maxRuns = 200
  /// Called once the client has been made.
  var prepare: (World, WorldClient) -> Void = { _, _ in }

  /// A second machine with a copy of the journal, taken at some time.
  ///
  /// - Parameter first: from this number on the points of the copy are others, which it got by
  ///   itself.
  mutating func addCopy(ownPointsFrom first: Int = .max) {
    let (settings, points, seed) = (settings, points, seed)
    prepare = { world, client in
      let copy = WorldClient(
        world: world, points: points, settings: settings, seed: seed &+ 1_000_000)
      copy.tag = { $0 < first ? client.tag($0) : "b1" }
      world.countsPosts = false
      world.clock.after(world.between(1, 600)) {
        copy.journal = client.journal
        copy.journal.forgetPoints(from: first)
        copy.start()
      }
    }
  }

  static var standardSettings: SweepSettings {
    var settings = SweepSettings()
    settings.maxQueued = 4
    settings.stopAfter = .max
    settings.retries = .init(byCause: [.nodeDown: 2, .killed: 2, .exit: 1, .elapse: 1])
    return settings
  }

  /// How many seeds a test takes: `SWEEP_MODEL_SEEDS`, else a short form.
  static func seeds(_ standard: Int) -> Range<UInt64> {
    let asked = ProcessInfo.processInfo.environment["SWEEP_MODEL_SEEDS"].flatMap { Int($0) }
    return 0..<UInt64(asked.map { max(1, $0 * standard / 100) } ?? standard)
  }

  struct Result {
    var violations: [String]
    var outcome: SweepOutcome?
    var record: SweepRecord
    var world: World
    var commits: Int
    var kills: Int
    var runs: Int

    func count(_ isCounted: (PointRecord) -> Bool) -> Int { record.points.filter(isCounted).count }
  }

  func run() -> Result {
    let world = World(seed: seed, faults: faults)
    world.jobRules = jobRules
    let client = WorldClient(world: world, points: points, settings: settings, seed: seed)
    client.tamper = tamper
    client.killAtCommit = killAtCommit
    prepare(world, client)
    client.start()
    var runs = 1
    var steps = 0
    var isWaiting = false
    while world.clock.now < patience, world.violations.isEmpty {
      steps += 1
      if steps > 2_000_000 { world.violate("no end in \(steps) steps") }
      if let outcome = client.outcome, !isWaiting {
        // A user runs a sweep again that stopped, and a step again that left something.
        let isOpen = client.journal.points.contains { $0.verdict == nil }
        let isBlocked = client.journal.points.contains { $0.attempts.last?.isBlocked == true }
        if !isOpen || runs >= maxRuns || isHopeless(outcome) && !isBlocked { break }
        runs += 1
        isWaiting = true
        world.clock.after(600) {
          isWaiting = false
          client.start()
        }
      }
      if !world.clock.step(until: patience) { break }
    }
    // Whatever is still under way may break a promise afterwards.
    let end = world.clock.now + 7200
    while world.violations.isEmpty, world.clock.step(until: end) {}
    return Result(
      violations: world.violations, outcome: client.outcome, record: client.journal, world: world,
      commits: client.commits, kills: client.kills, runs: runs)
  }

  /// What no later run can mend.
  private func isHopeless(_ outcome: SweepOutcome) -> Bool {
    switch outcome.stop {
    case .homeLost, .bucketLost: true
    case nil: settings.mode == .run
    default: false
    }
  }

  /// What the run must have come to where nothing was wiped.
  func problems(of result: Result) -> [String] {
    var problems = result.violations
    guard problems.isEmpty else { return problems }
    for (index, point) in result.record.points.enumerated() {
      let number = index + 1
      let succeeded = result.world.home.exits.contains {
        $0.key.attempt.id.point == number && $0.value.code == 0
      }
      switch point.verdict {
      case .done: break
      case .failed(.exit(3)):
        if succeeded { problems.append("point \(number) failed, but a run of it succeeded") }
      case .failed(let cause):
        if [.inputs(""), .outputs(""), .refused("")].contains(cause) {
          problems.append("point \(number) failed by \(cause)")
        }
      case .cancelled:
        if !point.isCancelRequested { problems.append("point \(number) is cancelled by nobody") }
      case nil:
        let phase = point.attempts.last.map { "\($0.phase)" } ?? "none"
        problems.append("point \(number) has no verdict: \(phase) (\(result.outcome as Any))")
      }
    }
    return problems
  }
}

extension SweepRecord {
  /// As a journal that was copied before it had got these points.
  fileprivate mutating func forgetPoints(from first: Int) {
    for index in points.indices where index + 1 >= first { points[index] = PointRecord() }
    for index in submissions.indices { submissions[index].attempts.removeAll { $0.point >= first } }
    for request in sealSyncs.keys { sealSyncs[request]?.removeAll { $0.point >= first } }
  }
}
