extension SweepMachine {
  /// The user cancels points: what was never posted ends here, the rest on its way.
  ///
  /// Before the start they are only noted: nothing of them is begun then.
  mutating func cancel(_ points: [Int]) {
    guard isStarted else {
      cancelledAtStart += points
      return
    }
    for number in points where record.points.indices.contains(number - 1) {
      guard record.points[number - 1].verdict == nil,
        !record.points[number - 1].isCancelRequested
      else { continue }
      // One that may not start was not counted as open.
      if !mayStart(number), isResting(record.points[number - 1]) { openPoints += 1 }
      update(point: number) { $0.isCancelRequested = true }
      takeUpCancel(number)
    }
  }

  private mutating func takeUpCancel(_ point: Int) {
    let id = AttemptID(point: point, number: record.points[point - 1].attempts.count)
    guard id.number > 0 else { return settle(point, .cancelled) }
    switch record[attempt: id].phase {
    case .new:
      withdraw(id)
    case .submitted:
      guard let number = record[attempt: id].submission else { return }
      cancelSubmitted(id, number)
    case .closed:
      // A retry has taken its verdict back, and no new attempt was opened since.
      settle(point, .cancelled)
    case .sealing, .sealed, .unknown, .refused, .withdrawn:
      break
    }
  }

  private mutating func cancelSubmitted(_ id: AttemptID, _ number: Int) {
    let submission = record.submissions[number - 1]
    switch submission.phase {
    case .prepared, .staged:
      if submission.posts.isEmpty {
        withdraw(id)
        // The others of a pack want a script without it.
        abandon(number)
      } else {
        seal([id])
        if !hasSubmittedAttempts(record.submissions[number - 1]) {
          update(submission: number) { $0.phase = .abandoned }
        }
      }
      if record.submissions[number - 1].phase == .abandoned { staged.removeAll { $0 == number } }
    case .unsure:
      if submission.jobs.isEmpty { seal([id]) }
    case .submitted:
      // In a pack with others that are to run, only the lock can keep it out.
      if !submission.attempts.allSatisfy(isCancelledOrSettled) { seal([id]) }
    case .intent, .refused, .abandoned:
      break
    }
  }

  private func isCancelledOrSettled(_ id: AttemptID) -> Bool {
    record[attempt: id].phase.isSettled || isCancelled(id)
  }

  private mutating func withdraw(_ id: AttemptID) {
    update(attempt: id) { $0.phase = .withdrawn }
    settle(id.point, .cancelled)
  }

  /// DELETE for every id that is known, now or later, of what is cancelled as a whole.
  mutating func pumpDeletes() {
    for (number, watch) in watches {
      let submission = record.submissions[number - 1]
      guard submission.phase == .submitted, listNumber >= watch.deleteAfter,
        submission.attempts.contains(where: {
          isCancelled($0) && !record[attempt: $0].phase.isSettled
        }),
        submission.attempts.allSatisfy(isCancelledOrSettled)
      else { continue }
      for (job, end) in submission.jobs where end == nil && !watch.deleted.contains(job) {
        watches[number]?.deleted.insert(job)
        gate.add(.delete(job: job))
      }
    }
  }

  /// A DELETE that failed is tried again after the next list.
  mutating func deleted(_ job: Int64, _ isGone: Bool) {
    guard !isGone else { return }
    for (number, watch) in watches where watch.deleted.contains(job) {
      watches[number]?.deleted.remove(job)
      watches[number]?.deleteAfter = listNumber + 1
    }
  }

  // MARK: Step

  /// True where a step has nothing to do but wait for jobs, time or room.
  var isAtRest: Bool {
    guard uploading.isEmpty, uploaded.isEmpty, staging.isEmpty, seals.isEmpty, outstandingPosts == 0
    else { return false }
    // What could be posted now is posted first.
    if !isHeld, !staged.isEmpty || !queue.isEmpty {
      guard lastList != nil else { return false }
      if now >= postsPausedUntil, occupancy < settings.maxQueued { return false }
    }
    if !isFirstSyncDone, !watches.isEmpty || !sealed.isEmpty { return false }
    for id in sealed where evidence[id]?.mustWait != true { return false }
    for (id, known) in evidence where record.has(id) {
      if known.isFetching || known.fetchAfter != nil || known.isAskingCause { return false }
    }
    for (number, watch) in watches {
      let submission = record.submissions[number - 1]
      guard hasSubmittedAttempts(submission) else { continue }
      guard watch.isLooked, submission.phase == .submitted else { return false }
      // Absent ones want their sync back first; those that stay without a record wait for time.
      if !watch.isListed, watch.misses < 2 || watch.suspectAt != nil { return false }
      if !watch.isListed, outputs.phase != .idle { return false }
    }
    return true
  }
}
