/// Knows who waits for which job and what lists and details have proven; events in, actions out.
///
/// The cost of an unchanged list does not depend on the number of waiters.
struct WatchCore: Sendable {
  typealias WaiterID = Int

  enum Action: Sendable, Hashable {
    /// GET /jobs/{id}: absent from two good lists.
    case askDetail(JobID)
    /// The status of a job that the waiter waits for is another one.
    case tell(WaiterID, JobObservation)
    /// Every job of the waiter is over.
    case finish(WaiterID)
  }

  /// What a detail said.
  enum Detail: Sendable {
    case job(JobRecord)
    case notFound
    /// Any failure that says nothing about the job.
    case inconclusive
  }

  private struct Job {
    var observation: JobObservation
    var waiters: [WaiterID]
    /// Only what was requested later says anything about absence.
    var addedAt: Duration
    /// When the first of the good lists without it was requested.
    var absentSince: Duration?
    var isBeingAsked = false
    /// As it was shown before anybody waited for it.
    var lastSeen: JobRecord?
  }

  private struct Waiter {
    var jobs: [JobID]
    var remaining: Int
    var interval: Duration?
    var wantsChanges: Bool
  }

  private(set) var schedule: PollSchedule
  private var jobs: [JobID: Job] = [:]
  private var waiters: [WaiterID: Waiter] = [:]
  private var absent: Set<JobID> = []
  /// Whether somebody came after the last list that was read whole.
  private(set) var needsWholeList = true
  /// When the last list came, seconds since 1970.
  private var lastListDate: Double?

  init(clockRate: Double) {
    schedule = PollSchedule(clockRate: clockRate)
  }

  var isIdle: Bool { waiters.isEmpty }

  // MARK: Waiters

  /// Adds a waiter; `seen` tells how a job was when it was seen or submitted before.
  mutating func add(
    _ id: WaiterID, jobs ids: [JobID], seen: (JobID) -> JobRecord?, interval: Duration?,
    wantsChanges: Bool, at now: Duration, date: Double
  ) -> [Action] {
    var actions: [Action] = []
    var met: Set<JobID> = []
    let unique = ids.filter { met.insert($0).inserted }
    var remaining = 0
    for job in unique {
      let last = seen(job)
      if jobs[job] == nil {
        needsWholeList = true
        jobs[job] = Job(
          observation: JobObservation(
            id: job, state: .unknown(""), record: nil, evidence: .none, observedAt: date,
            wasKnown: false),
          waiters: [], addedAt: now)
      }
      if let last { recall(job, last) }
      jobs[job]?.waiters.append(id)
      if let over = jobs[job]?.observation, over.isOver, wantsChanges {
        actions.append(.tell(id, over))
      }
      if jobs[job]?.observation.isOver != true { remaining += 1 }
    }
    waiters[id] = Waiter(
      jobs: unique, remaining: remaining, interval: interval, wantsChanges: wantsChanges)
    schedule.add(interval: interval)
    if remaining == 0 { actions.append(.finish(id)) }
    return actions
  }

  /// What was seen of a job before: its end, if that was seen, else what is said of it once it is gone.
  private mutating func recall(_ id: JobID, _ last: JobRecord) {
    jobs[id]?.observation.wasKnown = true
    guard jobs[id]?.observation.evidence == JobObservation.Evidence.none else { return }
    jobs[id]?.lastSeen = last
    guard last.isTerminal else { return }
    jobs[id]?.observation = JobObservation(
      id: id, state: last.state, record: last, evidence: .list, observedAt: last.observedAt,
      wasKnown: true)
  }

  /// Forgets a waiter and the jobs that nobody else waits for.
  ///
  /// Returns what was last known of each of its jobs.
  mutating func remove(_ id: WaiterID) -> [JobID: JobObservation] {
    guard let waiter = waiters.removeValue(forKey: id) else { return [:] }
    schedule.remove(interval: waiter.interval)
    var observations: [JobID: JobObservation] = [:]
    for job in waiter.jobs {
      observations[job] = latest(job)
      jobs[job]?.waiters.removeAll { $0 == id }
      if jobs[job]?.waiters.isEmpty == true {
        jobs[job] = nil
        absent.remove(job)
      }
    }
    return observations
  }

  /// What is known of a job; one that the last list still shows was seen then, and one that nobody has
  /// shown since the wait began is as it was before.
  private func latest(_ id: JobID) -> JobObservation? {
    guard var observation = jobs[id]?.observation else { return nil }
    if observation.evidence == .none, let last = jobs[id]?.lastSeen, !last.status.isEmpty {
      return JobObservation(
        id: id, state: last.state, record: last, evidence: .earlier, observedAt: last.observedAt,
        wasKnown: true)
    }
    if observation.evidence == .list, !observation.isOver, !absent.contains(id),
      let lastListDate, lastListDate > observation.observedAt
    {
      observation.observedAt = lastListDate
      observation.record?.observedAt = lastListDate
    }
    return observation
  }

  // MARK: Lists

  /// Has the next list asked for at once.
  mutating func hurry() { schedule.hurry() }

  mutating func requested(at now: Duration) {
    schedule.requested(at: now)
  }

  /// A list that differs from the last, or that somebody new waits for; absence from it proves
  /// something only where it is good.
  mutating func listed(_ list: JobList, isGood: Bool, requestedAt: Duration) -> [Action] {
    var actions: [Action] = []
    var isChanged = false
    var missing = Set(jobs.keys)
    for record in list.jobs {
      guard let id = record.id, jobs[id] != nil else { continue }
      missing.remove(id)
      if seen(id, record, .list, &actions) { isChanged = true }
    }
    needsWholeList = false
    lastListDate = list.observedAt
    // In the order of the numbers, so that the same events give the same actions.
    for id in missing.sorted() where jobs[id]?.observation.isOver == false {
      if absent.insert(id).inserted { isChanged = true }
      if isGood { missed(id, requestedAt: requestedAt, &actions) }
    }
    schedule.heard(isChanged: isChanged)
    return actions
  }

  /// The same list again: only those that are absent from it get any nearer to an end.
  mutating func unchanged(isGood: Bool, requestedAt: Duration, date: Double) -> [Action] {
    var actions: [Action] = []
    lastListDate = date
    if isGood {
      for id in absent.sorted() { missed(id, requestedAt: requestedAt, &actions) }
    }
    schedule.heard(isChanged: false)
    return actions
  }

  /// No list, or one that is none: changes nothing.
  mutating func failed(retryAfter: Duration? = nil) {
    schedule.heard(isChanged: false)
    schedule.rest(retryAfter ?? .zero)
  }

  // MARK: Details

  mutating func detailed(_ id: JobID, _ detail: Detail, date: Double) -> [Action] {
    guard jobs[id] != nil else { return [] }
    jobs[id]?.isBeingAsked = false
    var actions: [Action] = []
    switch detail {
    case .inconclusive: break
    case .job(let record):
      _ = seen(id, record, .detail, &actions)
      // The list may go on without it: the next one is read whole to notice.
      needsWholeList = true
    case .notFound:
      // A list may have shown it again in the meantime.
      guard absent.contains(id), var observation = jobs[id]?.observation else { break }
      observation.state = .gone
      observation.evidence = .gone
      observation.record = observation.record ?? jobs[id]?.lastSeen
      observation.observedAt = date
      settle(id, observation, &actions)
    }
    return actions
  }

  // MARK: One job

  private mutating func seen(
    _ id: JobID, _ record: JobRecord, _ evidence: JobObservation.Evidence,
    _ actions: inout [Action]
  ) -> Bool {
    guard let before = jobs[id]?.observation, !before.isOver else { return false }
    absent.remove(id)
    jobs[id]?.absentSince = nil
    let observation = JobObservation(
      id: id, state: record.state, record: record, evidence: evidence,
      observedAt: record.observedAt, wasKnown: true)
    let isChanged = before.record?.status != record.status
    if observation.isOver {
      settle(id, observation, &actions)
    } else {
      jobs[id]?.observation = observation
      if isChanged { tell(id, observation, &actions) }
    }
    return isChanged
  }

  private mutating func missed(_ id: JobID, requestedAt: Duration, _ actions: inout [Action]) {
    guard let job = jobs[id], requestedAt >= job.addedAt else { return }
    guard let since = job.absentSince else {
      jobs[id]?.absentSince = requestedAt
      return
    }
    guard !job.isBeingAsked, requestedAt - since >= spacing(job) else { return }
    jobs[id]?.isBeingAsked = true
    actions.append(.askDetail(id))
  }

  /// "An interval apart": the shortest that a waiter of the job asked for, else the standard one;
  /// a tenth of it is left to the clocks.
  private func spacing(_ job: Job) -> Duration {
    let asked = job.waiters.compactMap { waiters[$0]?.interval }.min()
    return min(asked ?? schedule.standard, schedule.standard) * 0.9
  }

  private mutating func settle(
    _ id: JobID, _ observation: JobObservation, _ actions: inout [Action]
  ) {
    absent.remove(id)
    jobs[id]?.observation = observation
    tell(id, observation, &actions)
    for waiter in jobs[id]?.waiters ?? [] {
      waiters[waiter]?.remaining -= 1
      if waiters[waiter]?.remaining == 0 { actions.append(.finish(waiter)) }
    }
  }

  private func tell(_ id: JobID, _ observation: JobObservation, _ actions: inout [Action]) {
    for waiter in jobs[id]?.waiters ?? [] where waiters[waiter]?.wantsChanges == true {
      actions.append(.tell(waiter, observation))
    }
  }
}
