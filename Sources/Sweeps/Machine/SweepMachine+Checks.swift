extension SweepMachine {
  /// Syncs `out/` back where something waits for it; with sealed attempts as a check of them all.
  mutating func pumpOutputs() {
    switch outputs.phase {
    case .idle:
      guard wantsOutputs else { return }
      guard now >= outputs.nextAllowed else { return wake(at: outputs.nextAllowed) }
      // The first sync of a process brings the claims that its checks must know beforehand; where
      // it keeps failing, as in a wiped home, only a check can tell why.
      if sealed.isEmpty || !isFirstSyncDone && outputs.failures < 3 {
        postOutputs()
      } else {
        check = SealCheck(attempts: sealed.sorted(), listNumber: listNumber + 1)
        outputs.phase = .listing
        nextList = now
      }
    case .pausing(let until):
      if now >= until { postOutputs() } else { wake(at: until) }
    case .collectPausing(let until):
      if now >= until { collect() } else { wake(at: until) }
    default:
      break
    }
  }

  private var wantsOutputs: Bool {
    if !sealed.isEmpty { return true }
    if !isFirstSyncDone, !watches.isEmpty || !seals.isEmpty { return true }
    for (number, watch) in watches where watch.suspectAt != nil || watch.misses >= 2 {
      let submission = record.submissions[number - 1]
      if submission.phase == .submitted, hasSubmittedAttempts(submission) { return true }
    }
    return evidence.values.contains { $0.fetchAfterSync != nil }
  }

  /// A request of its own: nothing that was asked for earlier proves what became durable since.
  private mutating func postOutputs() {
    outputs.phase = .posting
    outputs.posted += 1
    outputs.began = now
    gate.add(.postSync(.outputs))
  }

  /// Step (1) of a check: which claims are over, before anything is synced for it.
  mutating func beginCheck(with number: Int, list: [Int64: ListedJob]) {
    guard outputs.phase == .listing, var check = self.check, number >= check.listNumber else {
      return
    }
    for id in check.attempts {
      for (execution, claim) in evidence[id]?.standing ?? [:] {
        let name = RecordName(attempt: record.name(of: id), execution: execution)
        check.known.insert(name)
        if isOver(id, execution, claim, list: list) { check.over.insert(name) }
      }
    }
    self.check = check
    outputs.phase = .removingCanary
    gate.add(.removeCanary)
  }

  /// Its lease is over or its job's end was seen; and no id of its submission is listed.
  private func isOver(
    _ id: AttemptID, _ execution: ExecutionID, _ claim: ClaimRecord?, list: [Int64: ListedJob]
  ) -> Bool {
    let submission = record[attempt: id].submission.map { record.submissions[$0 - 1] }
    var jobs = Set(submission?.jobs.keys.map(\.self) ?? [])
    if let job = execution.job { jobs.insert(job) }
    guard jobs.allSatisfy({ list[$0] == nil }),
      !list.values.contains(where: { $0.name == submission?.name })
    else { return false }
    if let job = execution.job, let end = submission?.jobs[job], end != nil { return true }
    guard let claim, let serverTime else { return false }
    return serverTime >= settings.timing.leaseEnd(claim)
  }

  /// Step (2): the canary is gone from the bucket, so that it can only come back from home.
  mutating func canaryRemoved(_ isRemoved: Bool) {
    guard outputs.phase == .removingCanary else { return }
    if isRemoved {
      postOutputs()
    } else {
      giveUpCheck(until: now + settings.timing.retryPause)
    }
  }

  private mutating func giveUpCheck(until time: Duration) {
    if let check { forgetBarrenChecks(check) }
    check = nil
    outputs.phase = .idle
    outputs.nextAllowed = time
  }

  mutating func outputsComplete() {
    collect()
  }

  private mutating func collect() {
    outputs.phase = .collecting
    gate.add(.collect(claimsOf: sealed.sorted(), seals: check?.attempts ?? []))
  }

  /// The service says of the sync itself that it failed. A home without the sweep's folder answers
  /// so for ever: then what is sealed cannot be proven, and what seems over is sealed without the
  /// record that will not come.
  mutating func outputsFailed() {
    if outputs.failures >= 3 { sealSuspects(before: .max) }
    if outputs.failures >= 10, let check {
      lose(check.attempts, .homeLost)
      stop(.homeLost)
    }
    giveUpCheck(until: now + settings.timing.syncInterval)
  }

  mutating func collected(_ listing: OutListing?) {
    guard outputs.phase == .collecting else { return }
    guard let listing else {
      outputs.requestFailures += 1
      outputs.phase = .collectPausing(until: now + settings.timing.retryPause)
      if outputs.requestFailures >= 20 { stop(.sync(.outputs, "the bucket cannot be listed")) }
      return
    }
    outputs.requestFailures = 0
    outputs.phase = .idle
    outputs.nextAllowed = now + max(settings.timing.syncInterval, (now - outputs.began) * 3)
    isFirstSyncDone = true
    adopt(listing)
    if let check {
      self.check = nil
      finish(check, listing)
    }
    sealSuspects(before: outputs.posted)
    for (id, known) in evidence where known.fetchAfterSync != nil {
      evidence[id]?.fetchAfterSync = nil
    }
  }

  /// SUBMITTED → SEALING: what seemed over before the sync was asked for, and left no record.
  private mutating func sealSuspects(before sync: Int) {
    for (number, watch) in watches.sorted(by: { $0.key < $1.key }) {
      guard let suspectAt = watch.suspectAt, suspectAt < sync else { continue }
      seal(
        record.submissions[number - 1].attempts.filter {
          record[attempt: $0].phase == .submitted && evidence[$0]?.exit == nil
        })
    }
  }

  /// Claims, refusals and exit records that were not known.
  private mutating func adopt(_ listing: OutListing) {
    for (name, claim) in listing.claims where record.has(name.attempt) {
      let id = name.attempt.id
      if record[attempt: id].phase.isSettled { continue }
      if let claim {
        evidence[id, default: Evidence()].claims[name.execution] = claim
      } else if evidence[id]?.claims[name.execution] == nil {
        evidence[id, default: Evidence()].claims[name.execution] = .some(nil)
      }
      guard let number = record[attempt: id].submission,
        let job = name.execution.job, watches[number] != nil,
        record.submissions[number - 1].jobs[job] == nil
      else { continue }
      update(submission: number) { $0.jobs[job] = .some(nil) }
      if record.submissions[number - 1].phase == .unsure {
        watches[number]?.eligibleFrom = listNumber + 1
        watches[number]?.misses = 0
        watches[number]?.firstMiss = nil
        becomeSubmitted(number)
      }
    }
    for name in listing.refusals where record.has(name.attempt) {
      if record[attempt: name.attempt.id].phase.isSettled { continue }
      evidence[name.attempt.id, default: Evidence()].refusals.insert(name.execution)
    }
    for (name, exit) in listing.exits.sorted(by: { "\($0.key)" < "\($1.key)" })
    where record.has(name.attempt) {
      adopt(exit, name)
    }
  }

  private mutating func adopt(_ exit: ExitRecord, _ name: RecordName) {
    let id = name.attempt.id
    if record[attempt: id].phase.isSettled {
      if record[attempt: id].execution != name.execution { gate.add(.report(.lateExit(name))) }
      return
    }
    if let known = evidence[id]?.execution {
      if known != name.execution { gate.add(.report(.lateExit(name))) }
      return
    }
    evidence[id, default: Evidence()].execution = name.execution
    evidence[id]?.exit = exit
    ended(id)
  }

  /// Two checks in a row are two that prove something.
  private mutating func forgetBarrenChecks(_ check: SealCheck) {
    for id in check.attempts where evidence[id] != nil { evidence[id]?.barrenChecks = 0 }
  }

  /// Step (3): what the check proves.
  private mutating func finish(_ check: SealCheck, _ listing: OutListing) {
    guard listing.hasCanary else {
      canaryMisses += 1
      forgetBarrenChecks(check)
      if canaryMisses >= 2 {
        lose(check.attempts, .homeLost)
        stop(.homeLost)
      }
      return
    }
    canaryMisses = 0
    let lost = check.attempts.filter { sealed.contains($0) && !listing.seals.contains($0) }
    guard lost.isEmpty else {
      lose(lost, .bucketLost)
      return stop(.bucketLost)
    }
    for id in check.attempts where sealed.contains(id) && evidence[id]?.exit == nil {
      if case .unknown = record[attempt: id].phase {
        update(attempt: id) { $0.phase = .sealed }
      }
      judge(id, check)
    }
  }

  private mutating func judge(_ id: AttemptID, _ check: SealCheck) {
    var known = evidence[id] ?? Evidence()
    let standing = known.standing.keys.map {
      RecordName(attempt: record.name(of: id), execution: $0)
    }
    guard !standing.isEmpty else {
      known.barrenChecks += 1
      known.mustWait = false
      evidence[id] = known
      if known.barrenChecks >= 2 { closeNotStarted(id) }
      return
    }
    known.barrenChecks = 0
    let isOver = standing.allSatisfy(check.over.contains)
    known.mustWait = !isOver && standing.allSatisfy(check.known.contains)
    known.isRunLost = isOver
    evidence[id] = known
    if isOver { askCause(id) }
  }

  /// Cannot be proven: told, and never repeated by itself.
  private mutating func lose(_ attempts: [AttemptID], _ reason: UnknownReason) {
    for id in attempts where sealed.contains(id) && evidence[id]?.exit == nil {
      update(attempt: id) { $0.phase = .unknown(reason) }
    }
  }
}
