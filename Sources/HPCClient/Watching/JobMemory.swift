import JSON
import Synchronization

/// What a process has seen of an account's jobs, by whatever call: which lists prove something, and
/// how each job stood when it was last shown.
final class JobMemory: Sendable {
  /// How a job stood; ended ones in full, for their codes say how.
  private struct Sighting {
    var name: String
    var status: String
    var observedAt: Double
    var ended: JobRecord?
  }

  /// What is known of the latest jobs: in two generations, so that it has a bound.
  private struct Latest<Value> {
    private static var generation: Int { 20_000 }

    private var recent: [JobID: Value] = [:]
    private var older: [JobID: Value] = [:]

    subscript(id: JobID) -> Value? { recent[id] ?? older[id] }

    mutating func note(_ id: JobID, _ value: Value) {
      if recent.count >= Self.generation, recent[id] == nil {
        older = recent
        recent = [:]
      }
      recent[id] = value
    }
  }

  private struct State {
    var judge: ListJudge
    var sightings = Latest<Sighting>()
    var jobfiles = Latest<String>()
    var hasAnswered = false
    var hasServed = false

    mutating func note(_ id: JobID, _ sighting: Sighting) {
      sightings.note(id, sighting)
      hasServed = true
    }
  }

  private let state: Mutex<State>

  /// A number for the account and its endpoint.
  let account: Int

  init(patience: Duration, account: Int = 0) {
    self.account = account
    state = Mutex(State(judge: ListJudge(patience: patience)))
  }

  /// Whether anything has ever answered at that address.
  var hasAnswered: Bool {
    get { state.withLock { $0.hasAnswered } }
    set { state.withLock { $0.hasAnswered = newValue } }
  }

  /// Whether what answers there is the service: a list, a job or a number of one has come.
  var hasServed: Bool { state.withLock { $0.hasServed } }

  /// Whether a whole list of so many jobs proves something.
  func isGood(count: Int, at now: Duration) -> Bool {
    state.withLock { state in
      state.hasServed = true
      return state.judge.isGood(count: count, at: now)
    }
  }

  /// Takes a job that this process submitted.
  func note(_ id: JobID, submittedWith jobfile: String) {
    state.withLock { state in
      state.jobfiles.note(id, jobfile)
      state.hasServed = true
    }
  }

  /// The script of a job that this process submitted; nil of others.
  func jobfile(of id: JobID) -> String? { state.withLock { $0.jobfiles[id] } }

  func note(_ jobs: [JobRecord]) {
    state.withLock { state in
      for job in jobs {
        guard let id = job.id else { continue }
        let status = job.status
        let isOver = JobState.isTerminal(pjm: status)
        state.note(
          id,
          Sighting(
            name: job.name ?? "", status: status, observedAt: job.observedAt,
            ended: isOver ? job : nil))
      }
    }
  }

  /// Takes a list that nobody has made models of.
  func note(list answer: RawAnswer, at now: Duration) {
    state.withLock { state in
      var count = 0
      ListGlance.forEachJob(in: answer.bytes) { job in
        count += 1
        var ended: JobRecord?
        if JobState.isTerminal(pjm: job.status),
          let value = try? JSONValue(parsing: Array(answer.bytes[job.place]))
        {
          ended = JobRecord(value, observedAt: answer.observedAt)
        }
        state.note(
          job.id,
          Sighting(
            name: job.name, status: job.status, observedAt: answer.observedAt, ended: ended))
      }
      state.hasServed = true
      _ = state.judge.isGood(count: count, at: now)
    }
  }

  /// How a job stood when it was last shown: number, name and status, all of it where it had ended.
  func last(_ id: JobID) -> JobRecord? {
    let sighting = state.withLock { $0.sightings[id] }
    guard let sighting else { return nil }
    return sighting.ended
      ?? JobRecord(
        id: id, status: sighting.status, name: sighting.name, observedAt: sighting.observedAt)
  }
}

extension JobRecord {
  /// A job of which no more is known.
  public init(
    id: JobID, status: String, name: String = "", jobfile: String = "", observedAt: Double
  ) {
    let fields = [
      ("job_id", "\(id)"), ("status", status), ("job_name", name), ("jobfile", jobfile),
    ]
    self.init(
      fields: fields.filter { !$0.1.isEmpty }.map { .init(key: $0.0, value: .string($0.1)) },
      observedAt: observedAt)
  }
}
