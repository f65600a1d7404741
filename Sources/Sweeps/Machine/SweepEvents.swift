/// The trees of a root, each with one direction of sync.
public enum SyncTree: String, Sendable, Hashable, CaseIterable {
  /// Scripts and inputs, from the bucket to the machine.
  case inputs = "in"
  /// Seals, from the bucket to the machine.
  case locks = "lock"
  /// Records and outputs, from the machine to the bucket.
  case outputs = "out"
}

/// What the machine wants done; every one is answered by one event, `report` and `finish` apart.
public enum Effect: Sendable, Equatable {
  /// Make and sync the root anew under the recorded path. -> `rootMade`
  case makeRoot(String)
  /// Render, and put `in/S/run.sh` and the inputs. -> `uploaded`
  case upload(submission: Int)
  /// POST /jobs, exactly once. -> `posted`
  case post(submission: Int)
  /// GET /jobs, a request of its own. -> `listed`
  case list(number: Int)
  /// POST /files/sync, a request of its own. -> `syncPosted`
  case postSync(SyncTree)
  /// GET /files/sync/{id}, after a pause. -> `syncSeen`
  case pollSync(SyncTree, request: Int64)
  /// Put `lock/A/sealed`. -> `sealsPut`
  case putSeals([AttemptID])
  /// See which `lock/A/sealed` are in the bucket. -> `sealsSeen`
  case findSeals([AttemptID])
  /// Delete the bucket's CANARY and see it gone. -> `canaryRemoved`
  case removeCanary
  /// List the bucket's `out/`; read new exit records, and the claims of some attempts.
  /// -> `collected`
  case collect(claimsOf: [AttemptID], seals: [AttemptID])
  /// DELETE /jobs/{id}. -> `deleted`
  case delete(job: Int64)
  /// Get the outputs under temporary names, compare size and hash, rename, run the result
  /// function. -> `fetched`
  case fetch(AttemptID, ExitRecord)
  /// Look for the job's statistics. -> `causeFound`
  case findCause(AttemptID)
  /// Something that the protocol excludes was seen.
  case report(Anomaly)
  /// The run is over.
  case finish(SweepOutcome)
}

/// What the shell does for the machine, in this order.
public enum SweepAction: Sendable, Equatable {
  /// Make rows durable, then say `committed`; until then no effect that follows is given out.
  case commit(JournalCommit)
  case perform(Effect)
}

/// What a POST of a submission came to.
public enum PostOutcome: Sendable, Hashable {
  case accepted(job: Int64)
  /// Nothing was sent (curl's request size is 0).
  case notSent
  /// 401 Expired; the clock was corrected.
  case expired
  /// 401, 403, 404, 405: the message.
  case denied(String)
  /// 422 or 400 "Invalid …": the message.
  case refused(String)
  /// 400 without a reason: perhaps a full queue.
  case unaccepted(String)
  /// No answer, or one that proves nothing.
  case unclear
}

/// One job of a list.
public struct ListedJob: Sendable, Hashable {
  public var id: Int64
  /// Cut to ten characters by the service.
  public var name: String
  /// PJM's state, such as `RUN`.
  public var state: String
  public var end: JobEnd

  public init(id: Int64, name: String, state: String, end: JobEnd = JobEnd()) {
    self.id = id
    self.name = name
    self.state = state
    self.end = end
  }
}

/// A list that was whole: HTTP 200, Content-Length kept, an array of objects with `job_id`.
public struct JobList: Sendable, Hashable {
  public var jobs: [ListedJob]
  /// The answer's Date in seconds since 1970, nil without one.
  public var serverTime: Double?

  public init(jobs: [ListedJob], serverTime: Double?) {
    self.jobs = jobs
    self.serverTime = serverTime
  }
}

/// What a look at a sync showed.
public enum SyncState: Sendable, Hashable {
  case waiting
  /// `complete` with this result.
  case complete(result: String)
  /// `error: …`, or 404.
  case gone(String)
  /// The look itself failed.
  case unseen
}

/// What a POST of a sync came to.
public enum SyncPostOutcome: Sendable, Hashable {
  case accepted(request: Int64)
  /// Refused or without an answer: the message.
  case failed(String)
}

/// What the bucket holds under `out/`.
public struct OutListing: Sendable, Hashable {
  /// True where CANARY is there.
  public var hasCanary: Bool
  /// New claims since the last listing, with their content where it was asked for and whole.
  public var claims: [RecordName: ClaimRecord?]
  /// New refusals.
  public var refusals: [RecordName]
  /// New exit records that were whole.
  public var exits: [RecordName: ExitRecord]
  /// The seals that were asked for and are there.
  public var seals: Set<AttemptID>

  public init(
    hasCanary: Bool, claims: [RecordName: ClaimRecord?] = [:], refusals: [RecordName] = [],
    exits: [RecordName: ExitRecord] = [:], seals: Set<AttemptID> = []
  ) {
    self.hasCanary = hasCanary
    self.claims = claims
    self.refusals = refusals
    self.exits = exits
    self.seals = seals
  }
}

/// What became of fetching outputs.
public enum FetchOutcome: Sendable, Hashable {
  /// Every file has its size and hash, and is under its name; what the result function gave.
  case verified(result: String?, error: String?)
  /// A file is missing in the bucket or is not what the manifest says.
  case mismatch(String)
  /// It could not be tried: no connection, no space.
  case failed(String)
}

/// What becomes known, to the machine.
public enum SweepEvent: Sendable, Equatable {
  /// The first event; the record is loaded.
  case start
  /// The last commit is durable.
  case committed
  case rootMade(Bool)
  /// Its nodes and elapse limit; nil with a message where it cannot be prepared.
  case uploaded(submission: Int, UploadOutcome)
  case posted(submission: Int, PostOutcome)
  /// Nil for a list that failed or was not whole.
  case listed(number: Int, JobList?)
  case syncPosted(SyncTree, SyncPostOutcome)
  case syncSeen(SyncTree, request: Int64, SyncState)
  case sealsPut([AttemptID], Bool)
  /// Nil where the bucket could not be listed.
  case sealsSeen([AttemptID], Set<AttemptID>?)
  case canaryRemoved(Bool)
  case collected(OutListing?)
  /// True for 204, and for 404 of a job that is not there.
  case deleted(job: Int64, Bool)
  case fetched(AttemptID, FetchOutcome)
  /// From the job's statistics file; nil where there is none.
  case causeFound(AttemptID, JobEnd?)
  /// The time of the last `wake` has come.
  case wake
  /// The user cancels points.
  case cancel([Int])
  /// The user wants these points run, whether the space has them or not; new ones follow the last
  /// that is known, with their rows in the journal.
  case want([Int])
  /// The user wants these points run again: `exactly-once.md`, FAILED and CANCELLED.
  case retry([Int], resources: String?)
  /// The service or the bucket refuses everything: its message.
  case denied(String)
  /// The user wants no more submissions and an end.
  case detach
}

/// What became of an upload.
public enum UploadOutcome: Sendable, Hashable {
  case ready(Upload)
  /// The message; the sweep stops.
  case failed(String)
}

/// The script of a submission, as it was put into the bucket.
public struct Upload: Sendable, Hashable {
  public var nodes: Int
  /// Elapse limit in seconds.
  public var elapse: Int
  /// SHA-256 of the script.
  public var script: String
  /// The tags of its attempts' names.
  public var tags: [AttemptID: String]

  public init(nodes: Int, elapse: Int, script: String = "", tags: [AttemptID: String] = [:]) {
    self.nodes = nodes
    self.elapse = elapse
    self.script = script
    self.tags = tags
  }
}

/// Something that the protocol excludes.
public enum Anomaly: Sendable, Hashable {
  /// An exit record of an attempt that was closed without one, or with another.
  case lateExit(RecordName)
}

/// Why a run ended before every point was settled.
public enum StopReason: Sendable, Hashable {
  /// The service denies everything: its message.
  case denied(String)
  /// Five submissions in a row were not accepted, with no own job in the list: the message.
  case notAccepted(String)
  /// The first failures were alike.
  case sameFailure(Cause, count: Int)
  /// What is left does not fit into the budget.
  case budget
  /// A script or an input cannot be prepared: the message.
  case preparation(String)
  /// The root could not be made.
  case root
  /// A sync fails again and again: tree and last message.
  case sync(SyncTree, String)
  case homeLost, bucketLost
  /// The user detached.
  case detached
}

/// How a run ended.
public struct SweepOutcome: Sendable, Hashable {
  /// Nil where everything is settled, or a step is done.
  public var stop: StopReason?
  /// Names of submissions whose ids are not known yet.
  public var unsure: [String]

  public init(stop: StopReason?, unsure: [String]) {
    self.stop = stop
    self.unsure = unsure
  }
}
