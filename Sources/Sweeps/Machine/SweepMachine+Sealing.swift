extension SweepMachine {
  /// → SEALING: from now on the client competes with the job for the lock.
  mutating func seal(_ attempts: [AttemptID]) {
    for id in attempts where !record[attempt: id].phase.isSettled && seals[id] == nil {
      guard record[attempt: id].phase == .submitted else { continue }
      update(attempt: id) {
        $0.phase = .sealing
        $0.isBlocked = false
      }
      seals[id] = .toPut
    }
  }

  /// Puts seals into the bucket, and asks for one sync of all that were put before it.
  mutating func pumpSeals() {
    guard !seals.isEmpty else { return }
    guard now >= sealsPausedUntil else { return wake(at: sealsPausedUntil) }
    let toPut = seals.filter { $0.value == .toPut }.keys.sorted()
    if !toPut.isEmpty {
      for id in toPut { seals[id] = .putting }
      gate.add(.putSeals(toPut))
    }
    switch locks.phase {
    case .idle:
      let put = seals.filter { $0.value == .put }.keys
      guard !put.isEmpty else { return }
      for id in put { seals[id] = .syncing }
      postLocks()
    case .pausing(let until):
      if now >= until { postLocks() } else { wake(at: until) }
    default:
      break
    }
  }

  private mutating func postLocks() {
    locks.phase = .posting
    locks.posted += 1
    gate.add(.postSync(.locks))
  }

  mutating func sealsPut(_ attempts: [AttemptID], _ isPut: Bool) {
    for id in attempts where seals[id] == .putting { seals[id] = isPut ? .put : .toPut }
    if !isPut { sealsPausedUntil = now + settings.timing.retryPause }
  }

  /// The sync's attempts are durable with its id, so that a restart looks it up again.
  mutating func locksAccepted(_ request: Int64) {
    record.sealSyncs[request] = seals.filter { $0.value == .syncing }.keys.sorted()
    changed.sealSyncs.insert(request)
  }

  mutating func locksComplete(_ request: Int64) {
    let attempts = seals.filter { $0.value == .syncing }.keys.sorted()
    forgetSealSync(request)
    locks.phase = .idle
    guard !attempts.isEmpty else { return }
    for id in attempts { seals[id] = .finding }
    gate.add(.findSeals(attempts))
  }

  /// The sync failed or is not known: the seals go into the next one.
  mutating func locksFailed(_ request: Int64) {
    forgetSealSync(request)
    for (id, stage) in seals where stage == .syncing { seals[id] = .put }
    locks.phase = .idle
  }

  private mutating func forgetSealSync(_ request: Int64) {
    guard record.sealSyncs[request] != nil else { return }
    record.sealSyncs[request] = nil
    changed.sealSyncs.insert(request)
  }

  /// A seal that is still in the bucket after its sync was copied: → SEALED.
  mutating func sealsSeen(_ attempts: [AttemptID], _ present: Set<AttemptID>?) {
    guard let present else {
      for id in attempts where seals[id] == .finding { seals[id] = .put }
      sealsPausedUntil = now + settings.timing.retryPause
      return
    }
    for id in attempts where seals[id] == .finding {
      if present.contains(id) {
        seals[id] = nil
        // Its exit record may have come meanwhile.
        guard record[attempt: id].phase == .sealing else { continue }
        update(attempt: id) { $0.phase = .sealed }
        sealed.insert(id)
      } else {
        seals[id] = .toPut
      }
    }
  }
}
