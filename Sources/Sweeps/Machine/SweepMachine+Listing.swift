extension SweepMachine {
  /// Asks for a list where something waits for one.
  mutating func pumpList() {
    guard !isListing else { return }
    let isNeeded =
      !watches.isEmpty || outputs.phase == .listing
      || (!staged.isEmpty && stop == nil) || (lastList == nil && !queue.isEmpty)
    guard isNeeded else { return }
    guard now >= nextList else { return wake(at: nextList) }
    listNumber += 1
    isListing = true
    gate.add(.list(number: listNumber))
  }

  /// Something has happened that the next list may show.
  mutating func hurryList() {
    listPause = settings.timing.listInterval
    nextList = min(nextList, now + listPause)
  }

  mutating func listed(_ number: Int, _ list: JobList?) {
    guard isListing, number == listNumber else { return }
    isListing = false
    guard let list, isGood(list) else {
      nextList = now + settings.timing.listInterval
      return
    }
    if let time = list.serverTime { serverTime = time }
    let jobs = Dictionary(list.jobs.map { ($0.id, $0) }) { $1 }
    let hasChanged = lastList != jobs
    lastList = jobs
    lastListCount = jobs.values.count { !Self.isTerminal($0.state) }
    listPause =
      hasChanged
      ? settings.timing.listInterval : min(listPause * 2, settings.timing.listIntervalIdle)

    var present: [Int: [ListedJob]] = [:]
    for job in list.jobs {
      if let submission = watchedNames[job.name] { present[submission, default: []].append(job) }
    }
    for submission in watches.keys.sorted() {
      var own = present[submission] ?? []
      for job in record.submissions[submission - 1].jobs.keys {
        // An id that was learnt from a claim may be listed under the name of another submission.
        if let listed = jobs[job], !own.contains(listed) { own.append(listed) }
      }
      look(at: submission, own, in: number)
    }
    nextList = now + listPause
    beginCheck(with: number, list: jobs)
  }

  static func isTerminal(_ state: String) -> Bool { ["EXT", "CCL", "RJT"].contains(state) }

  private static func isHeld(_ state: String) -> Bool { state == "HLD" || state == "ERR" }

  /// `[]` right after two or more jobs is doubted: an outage of the machine's `pjstat` looks so.
  private mutating func isGood(_ list: JobList) -> Bool {
    guard list.jobs.isEmpty else {
      emptySince = nil
      return true
    }
    guard (lastList?.count ?? 0) >= 2 else { return true }
    let since = emptySince ?? now
    emptySince = since
    return now - since >= settings.timing.emptyPatience
  }

  /// What one good list says of one submission.
  private mutating func look(at number: Int, _ jobs: [ListedJob], in list: Int) {
    guard var watch = watches[number] else { return }
    adopt(jobs, of: number)
    watch.isListed = jobs.contains { !Self.isTerminal($0.state) }
    let phase = record.submissions[number - 1].phase
    if list >= watch.eligibleFrom, phase != .intent {
      watch.isLooked = true
      if jobs.isEmpty {
        watch.misses += 1
        watch.firstMiss = watch.firstMiss ?? now
        if phase == .submitted, record.submissions[number - 1].absentSince == nil {
          let time = serverTime
          update(submission: number) { $0.absentSince = time }
        }
        // A first miss wants its second list, an interval later.
        if watch.misses == 1 { listPause = settings.timing.listInterval }
      } else {
        watch.misses = 0
        watch.firstMiss = nil
        if record.submissions[number - 1].absentSince != nil {
          update(submission: number) { $0.absentSince = nil }
        }
      }
    }
    let live = jobs.filter { !Self.isTerminal($0.state) }
    if !live.isEmpty, live.allSatisfy({ Self.isHeld($0.state) }) {
      watch.heldSince = watch.heldSince ?? now
    } else {
      watch.heldSince = nil
    }
    watches[number] = watch
    judgeBlocked(number, watch)
    suspect(number)
    if phase == .unsure, isMissing(watch) {
      seal(
        record.submissions[number - 1].attempts.filter { record[attempt: $0].phase == .submitted })
    }
  }

  /// Two good lists without it, an interval apart.
  func isMissing(_ watch: Watch) -> Bool {
    guard watch.misses >= 2, let first = watch.firstMiss else { return false }
    return now - first >= settings.timing.listInterval
  }

  /// Every id of that name is its own; the last status of each is kept.
  private mutating func adopt(_ jobs: [ListedJob], of number: Int) {
    for job in jobs {
      let known = record.submissions[number - 1].jobs[job.id]
      let isTerminal = Self.isTerminal(job.state)
      if known == nil {
        update(submission: number) { $0.jobs[job.id] = .some(nil) }
      }
      if isTerminal, known == nil || known == .some(nil) {
        var end = job.end
        end.state = job.state
        update(submission: number) { $0.jobs[job.id] = end }
      }
    }
    if !jobs.isEmpty { becomeSubmitted(number) }
  }

  /// An id of it is known.
  mutating func becomeSubmitted(_ number: Int) {
    if record.submissions[number - 1].phase == .unsure {
      update(submission: number) { $0.phase = .submitted }
    }
  }

  /// Held for long: nothing to be done but to tell; left when the state changes.
  private mutating func judgeBlocked(_ number: Int, _ watch: Watch) {
    let since = watch.heldSince
    let isBlocked = since.map { now - $0 >= settings.timing.blockedAfter } ?? false
    for id in record.submissions[number - 1].attempts {
      let attempt = record[attempt: id]
      let canBe =
        attempt.phase == .submitted || (attempt.phase == .sealed && evidence[id]?.mustWait == true)
      // At a restart a blocked attempt stays so until its job is seen to have left the state.
      let stays = attempt.isBlocked && since != nil
      let now = canBe && (isBlocked || stays) && evidence[id]?.exit == nil
      if attempt.isBlocked != now { update(attempt: id) { $0.isBlocked = now } }
    }
  }

  /// Notes that a submission seems over, so that the next sync back decides.
  mutating func suspect(_ number: Int) {
    guard var watch = watches[number], record.submissions[number - 1].phase == .submitted else {
      return
    }
    let submission = record.submissions[number - 1]
    let isOver =
      !submission.jobs.isEmpty && !watch.isListed
      && (submission.jobs.values.allSatisfy { $0 != nil } || isAbsentLong(submission, watch))
    if isOver {
      watch.suspectAt = watch.suspectAt ?? outputs.posted
    } else {
      watch.suspectAt = nil
    }
    watches[number] = watch
  }

  /// Absent for 10 minutes, in this process or on the service's clock across restarts.
  private func isAbsentLong(_ submission: SubmissionRecord, _ watch: Watch) -> Bool {
    guard isMissing(watch), let first = watch.firstMiss else { return false }
    let patience = settings.timing.absentAfter
    if now - first >= patience { return true }
    guard let since = submission.absentSince, let time = serverTime else { return false }
    return .seconds(time - since) >= patience
  }
}
