/// The protocol of sweeps as a value: events in, actions out (`exactly-once.md`, The client).
///
/// It does nothing itself and knows no clock: time comes with each event, randomness from a seeded
/// generator. A restart is a new machine made from what the journal holds.
public struct SweepMachine: Sendable {
  public internal(set) var record: SweepRecord
  let settings: SweepSettings
  var generator: SeededGenerator
  var now: Duration = .zero
  var changed = ChangedRows()
  var gate = JournalGate()
  /// Earliest time at which something is to be done without an event.
  public internal(set) var nextWake: Duration?
  /// Why no more is submitted.
  public internal(set) var stop: StopReason?
  public internal(set) var isFinished = false
  var isStarted = false

  // Points and submissions by what is to be done with them.
  var queue = PointQueue()
  var openPoints = 0
  /// Points that were asked for one by one.
  var wanted: Set<Int> = []
  var cancelledAtStart: [Int] = []
  /// The order in which new points are taken up; nil for that of their numbers.
  let order: [Int]?
  /// Staged submissions whose script is not what would be prepared now.
  let outdated: Set<Int>
  /// Attempts that run, or ran, something else than would run now: how they end tells nothing of it.
  let superseded: Set<AttemptID>
  /// Prepared and not uploaded; uploaded and waiting for a sync; in that sync; staged.
  var uploading: Set<Int> = []
  var uploaded: [Int] = []
  var staging: [Int] = []
  var staged: [Int] = []
  /// Submissions that were posted and have attempts to find out about.
  var watches: [Int: Watch] = [:]
  var watchedNames: [String: Int] = [:]
  var names: Set<String> = []
  var outstandingPosts = 0
  var evidence: [AttemptID: Evidence] = [:]
  var seals: [AttemptID: SealStage] = [:]
  var sealed: Set<AttemptID> = []

  // Lists.
  var listNumber = 0
  var isListing = false
  var nextList: Duration = .zero
  var listPause: Duration
  var lastList: [Int64: ListedJob]?
  var lastListCount = 0
  var emptySince: Duration?
  var serverTime: Double?

  // Syncs.
  var inputs = SyncLane()
  var locks = SyncLane()
  var outputs = SyncLane()
  var check: SealCheck?
  var canaryMisses = 0
  var rootAttempts = 0
  var rootPausedUntil: Duration?
  var sealsPausedUntil: Duration = .zero

  // Pace.
  var postWindow = 8
  var postsPausedUntil: Duration = .zero
  var backoff: Duration = .zero
  var unacceptedInRow = 0
  var usedNodeSeconds = 0.0
  var hasSuccess = false
  var failuresAlike: (cause: Cause, count: Int)?
  /// True while what is staged must not be posted, whatever room there is.
  var isHeld = false
  var isFirstSyncDone = false

  /// A machine over what the journal holds.
  ///
  /// - Parameters:
  ///   - record: the journal's content.
  ///   - settings: how to run it.
  ///   - seed: of names and roots.
  ///   - order: numbers of points in the order in which new ones are taken up, those that are
  ///     missing last; nil for the order of their numbers.
  ///   - outdated: numbers of staged submissions whose script would be another one now.
  ///   - superseded: attempts that were posted with another script than would be now.
  public init(
    record: SweepRecord, settings: SweepSettings, seed: UInt64, order: [Int]? = nil,
    outdated: Set<Int> = [], superseded: Set<AttemptID> = []
  ) {
    self.record = record
    self.order = order
    self.outdated = outdated
    self.superseded = superseded
    self.settings = settings
    generator = SeededGenerator(seed: seed)
    listPause = settings.timing.listInterval
  }

  /// Takes in an event at a time that never goes back; what is to be done now, in order.
  public mutating func handle(_ event: SweepEvent, now: Duration) -> [SweepAction] {
    guard !isFinished || event == .committed else { return [] }
    self.now = max(self.now, now)
    process(event)
    if !isFinished { pump() }
    var changed = self.changed
    let record = self.record
    let actions = gate.flush { changed.take(from: record) }
    self.changed = changed
    return actions
  }

  private mutating func process(_ event: SweepEvent) {
    switch event {
    case .start: start()
    case .committed: gate.acknowledge()
    case .rootMade(let isMade): rootMade(isMade)
    case .uploaded(let submission, let outcome): uploaded(submission, outcome)
    case .posted(let submission, let outcome): posted(submission, outcome)
    case .listed(let number, let list): listed(number, list)
    case .syncPosted(let tree, let outcome): syncPosted(tree, outcome)
    case .syncSeen(let tree, let request, let state): syncSeen(tree, request, state)
    case .sealsPut(let attempts, let isPut): sealsPut(attempts, isPut)
    case .sealsSeen(let attempts, let present): sealsSeen(attempts, present)
    case .canaryRemoved(let isRemoved): canaryRemoved(isRemoved)
    case .collected(let listing): collected(listing)
    case .deleted(let job, let isGone): deleted(job, isGone)
    case .fetched(let attempt, let outcome): fetched(attempt, outcome)
    case .causeFound(let attempt, let end): causeFound(attempt, end)
    case .wake: break
    case .cancel(let points): cancel(points)
    case .want(let points): want(points)
    case .retry(let points, let resources): retry(points, resources: resources)
    case .denied(let message): stop(.denied(message))
    case .detach: stop(.detached)
    }
  }

  /// Does whatever the state allows now.
  private mutating func pump() {
    nextWake = nil
    guard isStarted else { return }
    if record.root?.isReady == true {
      if stop == nil {
        if !holdForFailures() {
          prepare()
          pumpInputs()
          post()
        }
        pumpDeletes()
        pumpSeals()
        pumpFetches()
        pumpOutputs()
        pumpList()
      }
    }
    pumpRoot()
    finishIfSettled()
  }

  // MARK: Rows

  mutating func update(point number: Int, _ change: (inout PointRecord) -> Void) {
    change(&record.points[number - 1])
    changed.points.insert(number)
  }

  mutating func update(attempt id: AttemptID, _ change: (inout AttemptRecord) -> Void) {
    change(&record[attempt: id])
    changed.attempts.insert(id)
  }

  mutating func update(submission number: Int, _ change: (inout SubmissionRecord) -> Void) {
    change(&record.submissions[number - 1])
    changed.submissions.insert(number)
  }

  /// Asks to be woken at a time, at the latest.
  mutating func wake(at time: Duration) {
    nextWake = nextWake.map { min($0, time) } ?? time
  }

  mutating func stop(_ reason: StopReason) {
    if stop == nil { stop = reason }
  }

  // MARK: End

  private mutating func finishIfSettled() {
    guard outstandingPosts == 0 else { return }
    if stop == nil {
      guard isSettled else { return }
    }
    isFinished = true
    let unsure = record.submissions.filter { $0.phase == .unsure && hasOpenAttempts($0) }
    gate.add(.finish(SweepOutcome(stop: stop, unsure: unsure.map(\.name))))
  }

  private var isSettled: Bool {
    if openPoints == 0 { return true }
    if settings.mode == .step { return isAtRest }
    // Only blocked ones are left.
    return watches.values.allSatisfy(\.isLooked) && openPoints == blockedPoints
  }

  private var blockedPoints: Int {
    var count = 0
    for (number, watch) in watches where watch.isLooked {
      for id in record.submissions[number - 1].attempts
      where record[attempt: id].isBlocked && isCurrent(id) {
        count += 1
      }
    }
    return count
  }

  func hasOpenAttempts(_ submission: SubmissionRecord) -> Bool {
    submission.attempts.contains { !record[attempt: $0].phase.isSettled }
  }

  /// True for the last attempt of a point without a verdict.
  func isCurrent(_ id: AttemptID) -> Bool {
    let point = record.points[id.point - 1]
    return point.verdict == nil && point.attempts.count == id.number
  }
}
