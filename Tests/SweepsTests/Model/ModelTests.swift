import Testing

@testable import Sweeps

/// The protocol against a world on a virtual clock (`exactly-once.md`, How it is tested).
///
/// `SWEEP_MODEL_SEEDS=1000` runs ten times as many schedules as the short form does.
@Suite struct ModelTests {
  /// Runs a schedule for many seeds; every promise must hold in each.
  private func hold(_ count: Int, _ make: (UInt64) -> Schedule) {
    for seed in Schedule.seeds(count) {
      let schedule = make(seed)
      let problems = schedule.problems(of: schedule.run())
      #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(3))")
    }
  }

  @Test func aCalmWorldNeedsOneSubmissionAPoint() {
    for seed in Schedule.seeds(10) {
      let schedule = Schedule(seed: seed, faults: .none)
      let result = schedule.run()
      #expect(schedule.problems(of: result).isEmpty, "seed \(seed)")
      #expect(result.record.submissions.count == 5)
      #expect(result.count { $0.verdict == .done } == 5)
      #expect(result.world.anomalies == 0)
      #expect(result.runs == 1)
    }
  }

  @Test func aStormBreaksNoPromise() {
    hold(60) { Schedule(seed: $0) }
  }

  @Test func jobsThatAppearWhileTheyAreSealedRunOnceOrNever() {
    hold(40) { Schedule(seed: $0, faults: .race) }
  }

  @Test(arguments: [1, 3])
  func packsKeepTheirPromises(atOnce: Int) {
    hold(40) { seed in
      var schedule = Schedule(seed: seed)
      schedule.points = 7
      schedule.settings.pack = 3
      schedule.settings.atOnce = atOnce
      return schedule
    }
  }

  @Test func stepsComeToTheSameEnd() {
    hold(30) { seed in
      var schedule = Schedule(seed: seed)
      schedule.settings.mode = .step
      return schedule
    }
  }

  @Test func cancelledPointsEndCancelledOrDone() {
    for seed in Schedule.seeds(60) {
      var schedule = Schedule(seed: seed)
      schedule.settings.pack = Int(seed % 3) + 1
      schedule.prepare = { world, client in
        for point in [1, 3, 4] {
          let time = world.between(0, seed % 2 == 0 ? 60 : 900)
          world.clock.after(time) { Self.cancel(point, client, world) }
        }
      }
      let result = schedule.run()
      let problems = schedule.problems(of: result)
      #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(3))")
      for point in result.record.points where point.isCancelRequested {
        #expect(point.verdict == .cancelled || point.verdict == .done, "seed \(seed)")
      }
    }
  }

  private static func cancel(_ point: Int, _ client: WorldClient, _ world: World) {
    if client.isAlive {
      client.send(.cancel([point]))
    } else {
      world.clock.after(30) { cancel(point, client, world) }
    }
  }

  @Test func aCopiedJournalOnASecondMachineIsHarmless() {
    for seed in Schedule.seeds(40) {
      var schedule = Schedule(seed: seed)
      schedule.addCopy()
      let violations = schedule.run().violations
      #expect(violations.isEmpty, "seed \(seed): \(violations.prefix(3))")
    }
  }

  @Test func aCopyWhosePointsAreOthersTakesNothingOfTheFirst() {
    // From the fourth on both have got points of their own, under the same numbers.
    for seed in Schedule.seeds(40) {
      var schedule = Schedule(seed: seed)
      schedule.addCopy(ownPointsFrom: 4)
      let violations = schedule.run().violations
      #expect(violations.isEmpty, "seed \(seed): \(violations.prefix(3))")
    }
  }

  @Test func aWipedHomeIsNoticedAndNothingIsRunAgain() {
    var unknown = 0
    for seed in Schedule.seeds(40) {
      var schedule = Schedule(seed: seed)
      schedule.faults.homeWipedAt = Double(seed * 17 % 500)
      schedule.patience = 86_400
      schedule.maxRuns = 5
      let result = schedule.run()
      #expect(result.violations.isEmpty, "seed \(seed): \(result.violations.prefix(3))")
      unknown += result.count {
        if case .unknown(.homeLost) = $0.attempts.last?.phase { true } else { false }
      }
    }
    #expect(unknown > 0)
  }

  @Test func aWipedBucketIsNoticedAndNothingIsRunAgain() {
    for seed in Schedule.seeds(40) {
      var schedule = Schedule(seed: seed)
      schedule.faults.bucketWipedAt = Double(seed * 17 % 500)
      schedule.patience = 86_400
      schedule.maxRuns = 5
      let violations = schedule.run().violations
      #expect(violations.isEmpty, "seed \(seed): \(violations.prefix(3))")
    }
  }

  @Test(arguments: [Faults.none, .race, .storm])
  func aKillAtEveryCommitIsSurvived(faults: Faults) {
    for seed in Schedule.seeds(1) {
      var schedule = Schedule(seed: seed + 3, faults: faults, points: 2)
      schedule.faults.clientKilled = 0
      let commits = schedule.run().commits
      #expect(commits > 10)
      for number in 1...commits {
        for isDurable in [false, true] {
          schedule.killAtCommit = (number, isDurable)
          let problems = schedule.problems(of: schedule.run())
          #expect(problems.isEmpty, "seed \(seed), commit \(number): \(problems.prefix(3))")
        }
      }
    }
  }

  @Test(arguments: Mutant.allCases)
  func everyMutantIsCaughtAndTheProtocolIsNot(mutant: Mutant) {
    for seed in 0..<UInt64(400) {
      let schedule = mutant.schedule(seed: seed)
      if schedule.run().violations.isEmpty { continue }
      // The same world with the honest protocol.
      var honest = schedule
      honest.tamper = NoTamper()
      honest.jobRules = World.JobRules()
      let violations = honest.run().violations
      #expect(violations.isEmpty, "\(mutant), seed \(seed): \(violations.prefix(3))")
      return
    }
    Issue.record("\(mutant) breaks nothing that the judge sees")
  }
}
