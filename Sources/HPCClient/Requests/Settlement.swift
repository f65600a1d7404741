import SigV4
import Synchronization

/// What a look for the job of an ambiguous submission found.
public struct Settlement: Sendable {
  /// Jobs that may be it, likeliest first.
  public var candidates: [JobRecord]
  /// How many lists that prove something were looked at.
  public var goodLists: Int

  /// Whether it was looked for long enough to call it absent: twice, an interval apart. It may
  /// still turn up: an accepted job can appear late (`api.md`, upstream).
  public var isAbsent: Bool { candidates.isEmpty && goodLists >= 2 }
}

/// Finds the jobs that a submission may have become; pure.
enum CandidateSearch {
  /// How far the times of jobs may be behind those of answers.
  static let slack = 120.0

  /// Jobs accepted since the submission (on the service's clock) that are not known to be another's,
  /// those of the script's name first. The list shows ten characters of a name; a script can name its
  /// job itself.
  static func candidates(
    in jobs: [JobRecord], for jobfile: String, since: Double, excluding known: Set<JobID>
  ) -> [JobRecord] {
    let name = jobName(jobfile)
    var named: [JobRecord] = []
    var others: [JobRecord] = []
    for job in jobs {
      guard let id = job.id, !known.contains(id) else { continue }
      let hasName = job.name.map { String($0.prefix(10)) } == name
      if let accepted = job.accepted {
        guard accepted >= since - slack else { continue }
        if hasName { named.append(job) } else { others.append(job) }
      } else if hasName {
        named.append(job)
      }
    }
    return named + others
  }

  /// The name that a job of this script has in the list unless the script says otherwise.
  static func jobName(_ jobfile: String) -> String {
    String((jobfile.split(separator: "/").last ?? "").prefix(10))
  }
}

extension HPCClient {
  /// Looks in the list for the job of a submission whose outcome is not known.
  ///
  /// Ends at the first list that shows a candidate, else after two good lists, an interval apart,
  /// or when the time is over. Nothing is submitted.
  ///
  /// - Parameters:
  ///   - attempt: ``HPCError/submission`` of the ambiguous error.
  ///   - interval: between two lists.
  ///   - timeout: when to stop looking.
  /// - Returns: what was seen; nothing where no list came in time.
  /// - Throws: a cancelled task; a service that refuses.
  public func settle(
    _ attempt: SubmissionAttempt, interval: Duration = .seconds(10),
    timeout: Duration = .seconds(180)
  ) async throws(HPCError) -> Settlement {
    let interval = interval / configuration.clockRate
    let end = configuration.time.uptime() + timeout
    var goodLists = 0
    while true {
      guard let list = try await list(until: end) else {
        return Settlement(candidates: [], goodLists: goodLists)
      }
      let isGood = judge(list)
      let candidates = candidates(in: list, for: attempt)
      if isGood { goodLists += 1 }
      let isLast = configuration.time.uptime() + interval > end
      if !candidates.isEmpty || goodLists >= 2 || isLast {
        return Settlement(candidates: candidates, goodLists: goodLists)
      }
      do {
        try await configuration.time.sleep(for: interval)
      } catch {
        throw HPCError(.cancelled, "looking for the job of \(attempt.jobfile) was cancelled")
      }
    }
  }

  /// One list; nil where none came until then.
  private func list(until end: Duration) async throws(HPCError) -> JobList? {
    var options = CallOptions(retryDeadline: max(end - configuration.time.uptime(), .zero))
    // Who gives no time wants one look all the same.
    if options.retryDeadline != .zero { options.end = end } else { options.timeout = .seconds(20) }
    do throws(HPCError) {
      return try await listJobs(options)
    } catch {
      guard error.isRetryable else { throw error }
      return nil
    }
  }

  func candidates(in list: JobList, for attempt: SubmissionAttempt) -> [JobRecord] {
    // Jobs whose submissions were answered are never those of another one.
    let known = list.jobs.compactMap(\.id).filter { memory.jobfile(of: $0) != nil }
    // Jobs tell times of the service's clock, which may be far from ours and refuse no signature.
    var ahead = clockOffset.seconds
    if let server = list.serverTime, RetryMachine.isPlausible(server) {
      ahead = server - list.observedAt
    }
    return CandidateSearch.candidates(
      in: list.jobs, for: attempt.jobfile, since: attempt.sentAt + ahead, excluding: Set(known))
  }

  /// Whether a list proves something.
  func judge(_ list: JobList) -> Bool {
    guard list.jobs.allSatisfy(\.isNumbered) else { return false }
    return judge(count: list.jobs.count)
  }

  /// A submission's error with what only a look around can add: whether the job is there, how many
  /// there are, whether the script lies here instead of there.
  func explained(
    _ error: HPCError, _ attempt: SubmissionAttempt, timeout: Duration
  ) async -> HPCError {
    var error = error
    let isHere = configuration.fileExists(attempt.jobfile)
    error.submission = error.isAmbiguous ? attempt : nil
    guard error.isAmbiguous, !Task.isCancelled else {
      return ErrorText.submission(
        error, attempt, around: nil, isHere: isHere, timeout: timeout)
    }
    // Without long retries: the caller waits for an error.
    var options = CallOptions(retryDeadline: .seconds(5))
    options.end = configuration.time.uptime() + .seconds(20)
    var around: ErrorText.Surroundings?
    if let list = try? await listJobs(options) {
      error.candidates = candidates(in: list, for: attempt)
      around = .init(accepted: list.jobs.count { $0.state == .queued || $0.state == .running })
    }
    return ErrorText.submission(
      error, attempt, around: around, isHere: isHere, timeout: timeout)
  }
}
