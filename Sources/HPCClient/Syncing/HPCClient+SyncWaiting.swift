extension HPCClient {
  /// Asks for a synchronisation's status until it is over.
  ///
  /// - Parameters:
  ///   - id: the synchronisation's number.
  ///   - interval: between two questions; nil for 1 s, growing to 10 s, faster on a faster machine.
  ///   - timeout: when to stop asking; nil for never.
  /// - Returns: the last answer; not over only where time was up.
  /// - Throws: why the service gave none.
  public func waitForSync(
    _ id: SyncID, interval: Duration? = nil, timeout: Duration? = nil
  ) async throws(HPCError) -> (record: SyncRecord, status: SyncStatus) {
    for (name, value) in [("interval", interval), ("timeout", timeout)] {
      if let value, value < .zero {
        throw HPCError(.invalidArgument, "\(name) must not be negative")
      }
    }
    let time = configuration.time
    let start = time.uptime()
    var last: (record: SyncRecord, status: SyncStatus)?
    var pause = interval ?? .seconds(1) / configuration.clockRate
    while true {
      var left = timeout.map { $0 - (time.uptime() - start) }
      let answer: (record: SyncRecord, status: SyncStatus)
      do throws(HPCError) {
        answer = try await syncRecord(id, options(left: left))
      } catch {
        // An outage until the time is up leaves what is known.
        guard let last, let left, left <= configuration.retry.deadline, error.isRetryable else {
          throw error
        }
        return last
      }
      last = answer
      left = timeout.map { $0 - (time.uptime() - start) }
      if answer.status.isOver || left.map({ $0 <= .zero }) == true { return answer }
      pause = max(pause, PollSchedule.shortest)
      do {
        try await time.sleep(for: left.map { min($0, pause) } ?? pause)
      } catch {
        throw HPCError(.cancelled, "waiting for synchronisation \(id) was cancelled")
      }
      if interval == nil { pause = min(pause * 1.5, .seconds(10) / configuration.clockRate) }
    }
  }

  /// Of a question within a wait: it goes on for little longer than the wait may.
  private func options(left: Duration?) -> CallOptions {
    guard let left else { return CallOptions() }
    var options = CallOptions(retryDeadline: min(max(left, .zero), configuration.retry.deadline))
    options.end = configuration.time.uptime() + max(left, .seconds(5))
    return options
  }
}
