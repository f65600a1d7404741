/// What was seen of a submission since this process began; a restart forgets it.
struct Watch: Sendable {
  /// First list that was asked for after its ids, or its POST, were durable.
  var eligibleFrom: Int
  /// True once such a list was seen.
  var isLooked = false
  /// True where the last good list has one of its jobs.
  var isListed = false
  /// Good lists in a row without any of its jobs.
  var misses = 0
  var firstMiss: Duration?
  /// Since when all its listed jobs are held or in error.
  var heldSince: Duration?
  /// Number of the last sync back before its end was suspected.
  var suspectAt: Int?
  /// Jobs whose DELETE is under way or done.
  var deleted: Set<Int64> = []
  /// The list after which a DELETE that failed is tried again.
  var deleteAfter = 0
}

/// What is known of an attempt from the bucket's records.
struct Evidence: Sendable {
  /// Claims, with their content where it was read.
  var claims: [ExecutionID: ClaimRecord?] = [:]
  var refusals: Set<ExecutionID> = []
  var execution: ExecutionID?
  var exit: ExitRecord?
  /// Checks in a row that saw no claim, or only refused ones.
  var barrenChecks = 0
  /// True where the last check found a claim that it had known and that is not over.
  var mustWait = false
  var isFetching = false
  /// When fetching may be tried again, and the sync that must be done before.
  var fetchAfter: Duration?
  var fetchAfterSync: Int?
  var mismatches = 0
  /// True while its cause is looked for.
  var isAskingCause = false
  /// True once the cause is asked for as that of a lost run.
  var isRunLost = false

  /// Claims that were not refused.
  var standing: [ExecutionID: ClaimRecord?] { claims.filter { !refusals.contains($0.key) } }
}

/// A check of all sealed attempts together (`exactly-once.md`, SEALED).
struct SealCheck: Sendable {
  /// Those that were sealed when it began.
  var attempts: [AttemptID]
  /// The first list that counts for it.
  var listNumber: Int
  /// Claims that were known, and those that were over, before the canary went.
  var known: Set<RecordName> = []
  var over: Set<RecordName> = []
}

/// One direction of one tree: one sync at a time.
struct SyncLane: Sendable {
  enum Phase: Sendable, Equatable {
    case idle
    /// A check waits for its list.
    case listing
    case removingCanary
    case posting
    /// A pause before the POST is repeated.
    case pausing(until: Duration)
    case polling(request: Int64, since: Duration)
    /// The bucket is being looked at.
    case collecting
    case collectPausing(until: Duration)
  }

  var phase = Phase.idle
  /// How many were posted.
  var posted = 0
  var began: Duration = .zero
  var nextAllowed: Duration = .zero
  /// Failures in a row that the service reported of the sync itself.
  var failures = 0
  /// Failures in a row of its requests.
  var requestFailures = 0
  var lastMessage = ""
}

/// Where a seal stands in this process.
enum SealStage: Sendable {
  case toPut, putting, put, syncing, finding
}
