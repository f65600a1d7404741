@testable import Sweeps

/// Protocols with one rule broken: the model must tell each from the honest one.
///
/// Each tampers from outside with the machine, its events or the job: the shipped code has no
/// switch for it.
enum Mutant: String, CaseIterable {
  case idBeforeIntent
  case newAttemptWithoutSeal
  case claimAfterLock
  case noLease
  case freshClaimCountsAsOver
  case trapWithoutLock
  case joinsSyncInFlight
  case canaryAtStart
  case noManifestCheck
  case forgetsWhatAFailedCollectionRead
  case takesForeignRecords

  /// A schedule in which the rule matters.
  func schedule(seed: UInt64) -> Schedule {
    var schedule = Schedule(seed: seed)
    switch self {
    case .idBeforeIntent:
      schedule.tamper = PostsEarly()
    case .newAttemptWithoutSeal:
      schedule.tamper = NeverSeals()
    case .claimAfterLock:
      schedule.jobRules.claimsBeforeLock = false
      schedule.faults = .race
      schedule.faults.slowSteps = 2
    case .noLease:
      schedule.tamper = NoLease()
      schedule.faults = .race
    case .freshClaimCountsAsOver:
      schedule.tamper = FreshIsOver()
      schedule.faults = .race
    case .trapWithoutLock:
      schedule.jobRules.trapNeedsLock = false
      schedule.faults.acceptedTwice = 0.5
      schedule.faults.terminated = 0.5
      schedule.faults.slowSteps = 1
    case .joinsSyncInFlight:
      schedule.tamper = JoinsSyncs()
      schedule.faults = .race
      schedule.faults.lateness = 900
    case .canaryAtStart:
      schedule.tamper = CanaryAtStart()
      schedule.faults.homeWipedAt = 200
      schedule.faults.clientKilled = 0.1
    case .noManifestCheck:
      schedule.tamper = NoManifestCheck()
    case .forgetsWhatAFailedCollectionRead:
      schedule.tamper = ForgetsRecords()
      schedule.faults.bucketFails = 0.3
    case .takesForeignRecords:
      schedule.tamper = TakesForeignRecords()
      schedule.addCopy(ownPointsFrom: 1)
    }
    return schedule
  }
}

/// The POST goes out while its intent is still being written.
private struct PostsEarly: Tamper {
  mutating func after(
    _ actions: inout [SweepAction], _ machine: inout SweepMachine, _ world: World
  ) {
    let early = machine.gate.held.filter { if case .post = $0 { true } else { false } }
    guard !early.isEmpty else { return }
    machine.gate.held.removeAll { early.contains($0) }
    actions.insert(contentsOf: early.map(SweepAction.perform), at: 0)
  }
}

/// What seems not to have been accepted is tried again at once.
private struct NeverSeals: Tamper {
  mutating func after(
    _ actions: inout [SweepAction], _ machine: inout SweepMachine, _ world: World
  ) {
    for id in machine.seals.keys.sorted() { machine.closeNotStarted(id) }
  }
}

/// A claim is over as soon as no list shows its job.
private struct NoLease: Tamper {
  mutating func after(
    _ actions: inout [SweepAction], _ machine: inout SweepMachine, _ world: World
  ) {
    guard machine.outputs.phase == .removingCanary, let check = machine.check else { return }
    for id in check.attempts {
      for (execution, _) in machine.evidence[id]?.standing ?? [:]
      where execution.job.map({ machine.lastList?[$0] == nil }) ?? true {
        machine.check?.over.insert(
          RecordName(attempt: machine.record.name(of: id), execution: execution))
      }
    }
  }
}

/// A claim that the check's own sync brought counts as one that was over before.
private struct FreshIsOver: Tamper {
  mutating func before(_ event: inout SweepEvent, _ machine: inout SweepMachine, _ world: World) {
    guard case .collected(let listing?) = event else { return }
    for name in listing.claims.keys
    where machine.evidence[name.attempt.id]?.claims[name.execution] == nil {
      machine.check?.over.insert(name)
    }
  }
}

/// What was put while a sync of seals was under way counts as carried by it.
private struct JoinsSyncs: Tamper {
  mutating func before(_ event: inout SweepEvent, _ machine: inout SweepMachine, _ world: World) {
    guard case .syncSeen(.locks, _, .complete("0")) = event else { return }
    for (id, stage) in machine.seals where stage == .put { machine.seals[id] = .syncing }
  }
}

/// The root is synced to the machine again whenever a client begins.
private struct CanaryAtStart: Tamper {
  mutating func atStart(_ world: World) {
    world.home.hasRoot = true
    world.home.hasOut = true
    world.home.hasLocks = true
    world.home.hasCanary = true
  }
}

/// Whatever is there is taken.
private struct NoManifestCheck: Tamper {
  mutating func before(_ event: inout SweepEvent, _ machine: inout SweepMachine, _ world: World) {
    if case .fetched(let id, .mismatch) = event {
      event = .fetched(id, .verified(result: nil, error: nil))
    }
  }
}

/// What a collection had read before it failed counts as told.
private struct ForgetsRecords: Tamper {
  var told: Set<RecordName> = []

  mutating func atStart(_ world: World) { told = [] }

  mutating func before(_ event: inout SweepEvent, _ machine: inout SweepMachine, _ world: World) {
    guard case .collected(let listing) = event else { return }
    if var listing {
      listing.exits = listing.exits.filter { !told.contains($0.key) }
      event = .collected(listing)
    } else {
      told.formUnion(world.bucket.exits.keys)
    }
  }
}

/// Records are told by the numbers alone, whose ever they are.
private struct TakesForeignRecords: Tamper {
  mutating func before(_ event: inout SweepEvent, _ machine: inout SweepMachine, _ world: World) {
    guard case .collected(var listing?) = event else { return }
    for (name, exit) in world.bucket.exits
    where machine.record.has(name.attempt.id) && !machine.record.has(name.attempt) {
      let own = machine.record.name(of: name.attempt.id)
      listing.exits[RecordName(attempt: own, execution: name.execution)] = exit
    }
    event = .collected(listing)
  }
}
