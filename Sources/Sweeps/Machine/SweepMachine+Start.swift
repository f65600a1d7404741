extension SweepMachine {
  /// Takes up what the journal holds: intents become unsure, what was only prepared is prepared
  /// anew, seals go on (`exactly-once.md`, start). Nothing is put into `out/`, ever.
  mutating func start() {
    guard !isStarted else { return }
    isStarted = true
    for (index, submission) in record.submissions.enumerated() {
      names.insert(submission.name)
      takeUp(index + 1, submission)
    }
    for number in startOrder { takeUp(point: number) }
    countFailures()
    cancel(cancelledAtStart)
    for (request, attempts) in record.sealSyncs.sorted(by: { $0.key < $1.key }) {
      // One sync of seals at a time is in flight, so that there is at most one.
      locks.phase = .polling(request: request, since: now)
      for id in attempts where seals[id] != nil { seals[id] = .syncing }
      gate.add(.pollSync(.locks, request: request))
    }
    if record.root?.isReady != true, openPoints > 0 { makeRoot() }
  }

  private mutating func takeUp(_ number: Int, _ submission: SubmissionRecord) {
    switch submission.phase {
    case .intent:
      update(submission: number) {
        $0.posts[$0.posts.count - 1] = .unclear
        $0.phase = $0.jobs.isEmpty ? .unsure : .submitted
      }
    case .prepared:
      abandon(number, requeue: false)
    case .staged:
      let isWanted = submission.attempts.allSatisfy { mayStart($0.point) }
      let isOutdated = outdated.contains(number)
      if isOutdated || !isWanted, submission.posts.isEmpty {
        abandon(number, requeue: false)
      } else if isOutdated {
        // It was refused, as far as is known: its attempts are closed by seals.
        seal(submission.attempts)
        update(submission: number) { $0.phase = .abandoned }
      } else if hasSubmittedAttempts(submission) {
        staged.append(number)
      }
    case .unsure, .submitted, .refused, .abandoned:
      break
    }
    let phase = record.submissions[number - 1].phase
    if phase == .unsure || phase == .submitted, hasOpenAttempts(submission) { watch(number) }
  }

  private var startOrder: [Int] {
    guard let order else { return Array(1..<(record.points.count + 1)) }
    var isNamed = [Bool](repeating: false, count: record.points.count + 1)
    let named = order.filter { record.points.indices.contains($0 - 1) }
    for number in named { isNamed[number] = true }
    return named + (1..<(record.points.count + 1)).filter { !isNamed[$0] }
  }

  /// True for a point that may begin an attempt in this run.
  func mayStart(_ number: Int) -> Bool {
    settings.startsMembers && record.points[number - 1].isMember || wanted.contains(number)
  }

  /// True where nothing of a point is under way: only the will to start it can open it.
  func isResting(_ point: PointRecord) -> Bool {
    let last = point.attempts.last
    return last == nil || last?.phase == .new || last?.phase.isSettled == true
  }

  mutating func takeUp(point number: Int) {
    let point = record.points[number - 1]
    usedNodeSeconds += point.attempts.reduce(0) { $0 + $1.nodeSeconds }
    if point.verdict == .done,
      !superseded.contains(AttemptID(point: number, number: point.attempts.count))
    {
      hasSuccess = true
    }
    guard point.verdict == nil else { return }
    let last = point.attempts.last
    // A point that an edited space no longer has is collected, not started.
    if !mayStart(number), isResting(point) { return }
    openPoints += 1
    switch last?.phase {
    case nil, .new: queue.append(number)
    case .closed: open(point: number)
    case .sealing: seals[AttemptID(point: number, number: point.attempts.count)] = .toPut
    case .sealed, .unknown: sealed.insert(AttemptID(point: number, number: point.attempts.count))
    case .submitted, .refused, .withdrawn: break
    }
  }

  func hasSubmittedAttempts(_ submission: SubmissionRecord) -> Bool {
    submission.attempts.contains { record[attempt: $0].phase == .submitted }
  }

  /// Begins to look for a submission in lists that are asked for from now on.
  mutating func watch(_ number: Int) {
    watches[number] = Watch(eligibleFrom: listNumber + 1)
    watchedNames[record.submissions[number - 1].name] = number
  }

  /// Ends the watch of a submission without open attempts.
  mutating func unwatchIfSettled(_ number: Int) {
    let submission = record.submissions[number - 1]
    guard watches[number] != nil, submission.phase != .intent, !hasOpenAttempts(submission) else {
      return
    }
    watches[number] = nil
    watchedNames[submission.name] = nil
  }

  /// Gives up a submission that was never posted; its attempts want another one.
  mutating func abandon(_ number: Int, requeue: Bool = true) {
    update(submission: number) { $0.phase = .abandoned }
    for id in record.submissions[number - 1].attempts
    where record[attempt: id].phase == .submitted && record[attempt: id].submission == number {
      update(attempt: id) {
        $0.phase = .new
        $0.submission = nil
        // What it runs, and with that its name, may be another one in another run.
        if !requeue { $0.tag = nil }
      }
      if requeue { queue.appendAgain(id.point) }
    }
  }

  // MARK: Root

  mutating func makeRoot() {
    rootAttempts += 1
    let root = RootRecord(path: "\(settings.rootPrefix)-\(random(8))")
    record.root = root
    changed.root = true
    gate.add(.makeRoot(root.path))
  }

  /// Its sync must be complete with "0" before anything else; where that is not certain, another
  /// root is taken.
  mutating func rootMade(_ isMade: Bool) {
    guard record.root?.isReady == false else { return }
    if isMade {
      record.root?.isReady = true
      changed.root = true
    } else if rootAttempts < 20 {
      rootPausedUntil = now + pause(rootAttempts)
    } else {
      stop(.root)
    }
  }

  /// After a pause, which grows.
  mutating func pumpRoot() {
    guard let until = rootPausedUntil, stop == nil else { return }
    guard now >= until else { return wake(at: until) }
    rootPausedUntil = nil
    makeRoot()
  }

  /// Random letters and digits.
  mutating func random(_ count: Int) -> String {
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    return String((0..<count).map { _ in letters[Int.random(in: 0..<36, using: &generator)] })
  }
}
