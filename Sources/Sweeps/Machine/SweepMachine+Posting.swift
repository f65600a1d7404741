extension SweepMachine {
  /// STAGED → INTENT → POST: intents of a batch in one commit, each POST exactly once.
  mutating func post() {
    isHeld = false
    guard lastList != nil else { return }
    guard now >= postsPausedUntil else { return wake(at: postsPausedUntil) }
    // Batches, so that one commit serves many submissions; half a window stays under way.
    guard outstandingPosts <= postWindow / 2, !staged.isEmpty else { return }
    var room = min(postWindow - outstandingPosts, settings.maxQueued - occupancy)
    var taken = 0
    for number in staged {
      guard room > 0 else { break }
      if hasSubmittedAttempts(record.submissions[number - 1]) {
        guard fitsBudget(number) else { break }
        intend(number)
        room -= 1
      } else {
        update(submission: number) { $0.phase = .abandoned }
      }
      taken += 1
    }
    staged.removeFirst(taken)
  }

  private mutating func intend(_ number: Int) {
    update(submission: number) {
      $0.posts.append(nil)
      $0.phase = .intent
    }
    watch(number)
    outstandingPosts += 1
    gate.add(.post(submission: number))
  }

  /// Jobs that count against `max_queued`: all that the last list shows, and ours that it may not
  /// show yet.
  var occupancy: Int {
    var count = lastListCount
    for (number, watch) in watches where !watch.isListed && watch.misses == 0 {
      if hasSubmittedAttempts(record.submissions[number - 1]) { count += 1 }
    }
    for (number, watch) in watches where !watch.isListed && watch.misses > 0 {
      let submission = record.submissions[number - 1]
      if submission.phase == .unsure, hasSubmittedAttempts(submission) { count += 1 }
    }
    return count
  }

  // MARK: Budget

  private func limit(_ submission: SubmissionRecord) -> Double {
    Double(submission.nodes) * Double(submission.elapse)
  }

  /// Real use of what is over, limits of what is under way, and this one.
  private mutating func fitsBudget(_ number: Int) -> Bool {
    guard let budget = settings.budget else { return true }
    let open = watches.keys.reduce(0.0) { $0 + limit(record.submissions[$1 - 1]) }
    if usedNodeSeconds + open + limit(record.submissions[number - 1]) <= budget { return true }
    // Nothing that could turn out cheaper than its limit is under way.
    if isNothingComing { stop(.budget) }
    isHeld = true
    return false
  }

  /// True where all that is under way is blocked: it may stay so for ever.
  private var isNothingComing: Bool {
    watches.allSatisfy { number, watch in
      watch.isLooked
        && record.submissions[number - 1].attempts.allSatisfy {
          !isCurrent($0) || record[attempt: $0].phase.isSettled || record[attempt: $0].isBlocked
        }
    }
  }

  // MARK: Failures alike

  /// Where the runs before ended in failures alike, nothing more is posted; what is under way is
  /// collected, for a success among it lets the sweep go on.
  mutating func holdForFailures() -> Bool {
    guard settings.startsMembers, !hasSuccess, let alike = failuresAlike,
      alike.count >= settings.stopAfter, openPoints > 0
    else { return false }
    isHeld = true
    if isNothingComing { stop(.sameFailure(alike.cause, count: alike.count)) }
    return true
  }

  /// The failures alike that the runs before ended with.
  mutating func countFailures() {
    guard !hasSuccess else { return }
    let failures = record.points.enumerated().compactMap { index, point -> (Int64, Cause)? in
      guard point.isMember, case .failed(let cause) = point.verdict,
        let last = point.attempts.last,
        !superseded.contains(AttemptID(point: index + 1, number: point.attempts.count))
      else { return nil }
      return (last.end ?? 0, cause)
    }.sorted { $0.0 < $1.0 }
    guard let cause = failures.last?.1 else { return }
    failuresAlike = (cause, failures.reversed().prefix { $0.1 == cause }.count)
  }

  // MARK: Answers

  mutating func posted(_ number: Int, _ outcome: PostOutcome) {
    guard record.submissions[number - 1].phase == .intent else { return }
    outstandingPosts -= 1
    let hadExpired = record.submissions[number - 1].posts.contains(.expired)
    switch outcome {
    case .accepted(let job):
      close(number, .accepted, job: job)
      grow()
    case .notSent:
      restage(number, .notSent)
      pausePosts(from: settings.timing.retryPause)
    case .expired where !hadExpired:
      restage(number, .expired)
    case .expired:
      restage(number, .expired)
      stop(.denied("401: the clock was corrected, and the service still finds it wrong"))
    case .denied(let message):
      restage(number, .denied)
      stop(.denied(message))
    case .refused(let message):
      refuse(number, message)
    case .unaccepted(let message):
      close(number, .unclear)
      holdBack(message)
    case .unclear:
      close(number, .unclear)
    }
    let submission = record.submissions[number - 1]
    for id in submission.attempts
    where record[attempt: id].phase == .submitted && isCancelled(id) && submission.jobs.isEmpty {
      seal([id])
    }
    if submission.phase == .staged, !hasSubmittedAttempts(record.submissions[number - 1]) {
      staged.removeAll { $0 == number }
      update(submission: number) { $0.phase = .abandoned }
    }
    unwatchIfSettled(number)
  }

  private mutating func close(_ number: Int, _ result: PostResult, job: Int64? = nil) {
    update(submission: number) {
      $0.posts[$0.posts.count - 1] = result
      if let job, $0.jobs[job] == nil { $0.jobs[job] = .some(nil) }
      $0.phase = $0.jobs.isEmpty ? .unsure : .submitted
    }
    // Only lists that are asked for from now on tell anything of it.
    watches[number]?.eligibleFrom = listNumber + 1
    watches[number]?.misses = 0
    watches[number]?.firstMiss = nil
    hurryList()
  }

  private mutating func restage(_ number: Int, _ result: PostResult) {
    update(submission: number) {
      $0.posts[$0.posts.count - 1] = result
      $0.phase = .staged
    }
    watches[number] = nil
    watchedNames[record.submissions[number - 1].name] = nil
    staged.insert(number, at: 0)
  }

  private mutating func refuse(_ number: Int, _ message: String) {
    update(submission: number) {
      $0.posts[$0.posts.count - 1] = .refused
      $0.phase = .refused
    }
    for id in record.submissions[number - 1].attempts
    where record[attempt: id].phase == .submitted && !isCancelled(id) {
      update(attempt: id) {
        $0.phase = .refused
        $0.cause = .refused(message)
      }
      settle(id.point, .failed(.refused(message)))
    }
  }

  func isCancelled(_ id: AttemptID) -> Bool { record.points[id.point - 1].isCancelRequested }

  // MARK: Pace

  private mutating func grow() {
    postWindow = min(settings.postsAtOnce, postWindow + 1 + postWindow / 8)
    backoff = .zero
    unacceptedInRow = 0
  }

  /// A 400 without a reason: back-pressure while own jobs are there, else perhaps no service for
  /// us at all (`exactly-once.md`, Not started without end).
  private mutating func holdBack(_ message: String) {
    postWindow = 1
    let own = lastListCount > 0 || watches.keys.contains { isAccepted($0) }
    if own {
      unacceptedInRow = 0
      pausePosts(from: settings.timing.listInterval)
    } else {
      unacceptedInRow += 1
      if unacceptedInRow >= 5 { stop(.notAccepted(message)) }
      pausePosts(from: settings.timing.retryPause)
    }
  }

  private func isAccepted(_ number: Int) -> Bool {
    let submission = record.submissions[number - 1]
    return submission.phase == .submitted && watches[number]?.misses == 0
  }

  /// Doubles from a first pause up to the longest; one growth per pause, however many answers of a
  /// batch ask for it.
  private mutating func pausePosts(from first: Duration) {
    guard now >= postsPausedUntil else { return }
    backoff = min(max(first, backoff * 2), settings.timing.longestBackoff)
    postsPausedUntil = now + backoff
  }
}
