import Synchronization

/// How to wait.
public struct WaitOptions: Sendable {
  /// Between two lists, kept however long nothing changes; nil for 10 s, backing off to 60 s.
  public var interval: Duration?
  /// When to stop waiting; nil for never.
  public var timeout: Duration?
  /// Jobs that the caller has seen before, as they were then: one that no list shows is gone, not
  /// wrong. What this process has seen itself need not be here.
  public var seen: [JobID: JobRecord]
  /// Told of every status that a job is seen in, the first included; called from any thread.
  public var onChange: (@Sendable (JobObservation) -> Void)?

  public init(
    interval: Duration? = nil, timeout: Duration? = nil, seen: [JobID: JobRecord] = [:],
    onChange: (@Sendable (JobObservation) -> Void)? = nil
  ) {
    self.interval = interval
    self.timeout = timeout
    self.seen = seen
    self.onChange = onChange
  }
}

/// How a wait for jobs ended.
public struct WaitResult: Sendable {
  /// In the order that was asked for.
  public var jobs: [JobObservation]
  /// Whether time was up before every job was over.
  public var isTimeout: Bool

  /// The result itself, unless its first job never was one.
  ///
  /// - Throws: that there is no such job.
  public func known() throws(HPCError) -> WaitResult {
    if let job = jobs.first, job.evidence == .gone, !job.wasKnown {
      throw HPCError(.noSuchJob, job.text, hint: "hpc.jobs.list() shows what there is.")
    }
    return self
  }
}

extension HPCClient {
  /// Waits until jobs have ended, as far as can be known: a terminal status was seen, or two good
  /// lists and the detail do not show the job any more.
  ///
  /// - Parameters:
  ///   - ids: any number of jobs; all waits of a process share one list request per interval.
  ///   - options: interval, time limit, what to do on changes.
  /// - Returns: what is known of each job; a number that never was one is `gone` and not
  ///   ``JobObservation/wasKnown``.
  /// - Throws: a cancelled task; no service at that address; a service that refuses.
  public func wait(
    for ids: [JobID], _ options: WaitOptions = WaitOptions()
  ) async throws(HPCError) -> WaitResult {
    guard let order = try order(ids, options) else {
      return WaitResult(jobs: [], isTimeout: false)
    }
    return order.result(try await watcher.wait(order).get())
  }

  /// What is asked of the poller; nil where there is nothing to wait for.
  private func order(_ ids: [JobID], _ options: WaitOptions) throws(HPCError) -> WaitOrder? {
    for (name, value) in [("interval", options.interval), ("timeout", options.timeout)] {
      if let value, value < .zero {
        throw HPCError(.invalidArgument, "\(name) must not be negative")
      }
    }
    guard !ids.isEmpty else { return nil }
    var options = options
    options.interval = options.interval.map { max($0, PollSchedule.shortest) }
    options.seen = seen(ids, options.seen)
    return WaitOrder(jobs: ids, options: options)
  }

  /// What is known of jobs before anything is asked for, the latest of each.
  private func seen(_ ids: [JobID], _ given: [JobID: JobRecord]) -> [JobID: JobRecord] {
    var seen = given
    for id in ids {
      guard let last = memory.last(id) else { continue }
      if let own = seen[id], !own.status.isEmpty, own.observedAt > last.observedAt { continue }
      seen[id] = last
    }
    for id in ids where seen[id] == nil {
      guard let file = memory.jobfile(of: id) else { continue }
      seen[id] = JobRecord(id: id, status: "", jobfile: file, observedAt: now)
    }
    return seen
  }

  /// Waits for one job.
  ///
  /// - Parameters:
  ///   - id: the job's number.
  ///   - options: interval, time limit, what to do on changes.
  /// - Returns: what is known of it, and whether time was up.
  /// - Throws: like ``wait(for:_:)-([JobID],_)``, and for a number that never was a job's.
  public func wait(
    for id: JobID, _ options: WaitOptions = WaitOptions()
  ) async throws(HPCError) -> WaitResult {
    try await wait(for: [id], options).known()
  }

  /// Waits as ``wait(for:_:)-([JobID],_)`` does, without a task that waits: for thousands of waits.
  ///
  /// - Parameters:
  ///   - ids: any number of jobs.
  ///   - options: interval, time limit, what to do on changes.
  ///   - end: called once, from any thread, with what ``wait(for:_:)-([JobID],_)`` would answer.
  /// - Returns: ends the wait early, with an error that says so.
  /// - Throws: an interval or a time limit that makes no sense.
  public func startWait(
    for ids: [JobID], _ options: WaitOptions = WaitOptions(),
    end: @escaping @Sendable (Result<WaitResult, HPCError>) -> Void
  ) throws(HPCError) -> @Sendable () -> Void {
    guard let order = try order(ids, options) else {
      end(.success(WaitResult(jobs: [], isTimeout: false)))
      return {}
    }
    let watcher = watcher
    // The order holds this closure, and so itself, until it has ended.
    order.whenEnded { end($0.map(order.result)) }
    watcher.begin(order)
    return { watcher.cancel(order) }
  }
}
