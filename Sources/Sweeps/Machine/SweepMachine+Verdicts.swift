extension SweepMachine {
  // MARK: ENDED

  /// An exit record is in hand.
  mutating func ended(_ id: AttemptID) {
    guard record.has(id), let exit = evidence[id]?.exit, !record[attempt: id].phase.isSettled else {
      return
    }
    if exit.failure == .inputs {
      closeExited(id, .inputs(exit.detail))
    } else if exit.failure == .start {
      close(id, .exited, cause: .notStarted)
      openAgain(id, wasAccepted: true)
    } else if exit.signal != nil {
      askCause(id)
    } else if exit.code != 0 {
      closeExited(id, .exit(exit.code))
    } else if exit.failure == .outputs {
      let what = exit.detail.isEmpty ? "they" : exit.detail
      closeExited(id, .outputs("\(what) could not be put aside on the machine"))
    } else if !exit.missing.isEmpty {
      closeExited(id, .outputs("missing " + exit.missing.joined(separator: ", ")))
    } else {
      evidence[id]?.fetchAfter = now
    }
  }

  /// Code 0: fetches what the manifest names.
  mutating func pumpFetches() {
    for (id, known) in evidence where known.fetchAfter != nil && known.fetchAfterSync == nil {
      guard let after = known.fetchAfter, let exit = known.exit, !known.isFetching else { continue }
      if now >= after {
        evidence[id]?.isFetching = true
        gate.add(.fetch(id, exit))
      } else {
        wake(at: after)
      }
    }
  }

  mutating func fetched(_ id: AttemptID, _ outcome: FetchOutcome) {
    guard evidence[id]?.isFetching == true else { return }
    evidence[id]?.isFetching = false
    switch outcome {
    case .verified(let result, let error):
      finishDone(id, result: result, error: error)
    case .mismatch(let detail):
      let count = (evidence[id]?.mismatches ?? 0) + 1
      evidence[id]?.mismatches = count
      if count > 5 {
        closeExited(id, .outputs(detail))
      } else {
        // A sync that is asked for from now on may bring the whole file.
        evidence[id]?.fetchAfterSync = outputs.posted
      }
    case .failed:
      evidence[id]?.fetchAfter = now + settings.timing.retryPause
    }
  }

  private mutating func finishDone(_ id: AttemptID, result: String?, error: String?) {
    if !superseded.contains(id) { hasSuccess = true }
    update(point: id.point) {
      $0.result = result
      $0.resultError = error
    }
    close(id, .exited, cause: nil)
    settle(id.point, .done)
  }

  private mutating func closeExited(_ id: AttemptID, _ cause: Cause) {
    close(id, .exited, cause: cause)
    goOn(id.point, after: cause)
  }

  // MARK: RUNLOST

  /// A run that was ended from outside: the cause comes from the statistics file.
  mutating func askCause(_ id: AttemptID) {
    guard evidence[id]?.isAskingCause != true else { return }
    evidence[id, default: Evidence()].isAskingCause = true
    gate.add(.findCause(id))
  }

  mutating func causeFound(_ id: AttemptID, _ end: JobEnd?) {
    guard let known = evidence[id], known.isAskingCause else { return }
    evidence[id]?.isAskingCause = false
    guard !record[attempt: id].phase.isSettled else { return }
    let submission = record[attempt: id].submission.map { record.submissions[$0 - 1] }
    var ends = submission?.jobs.values.compactMap(\.self) ?? []
    if let end { ends.insert(end, at: 0) }
    if let exit = known.exit {
      ends.append(JobEnd(elapsed: Int(seconds(of: exit))))
    }
    let cause = JobEnd.cause(of: ends, limit: submission?.elapse ?? .max)
    if known.exit != nil {
      closeExited(id, cause)
    } else if known.isRunLost {
      close(id, .runLost, cause: cause)
      goOn(id.point, after: cause)
    }
  }

  // MARK: Not started

  /// Sealed before anything claimed it: it will never run, and no retry is used up.
  mutating func closeNotStarted(_ id: AttemptID) {
    let wasAccepted =
      record[attempt: id].submission.map { !record.submissions[$0 - 1].jobs.isEmpty } ?? false
    close(id, .notStarted, cause: nil)
    openAgain(id, wasAccepted: wasAccepted)
  }

  /// NEW(n + 1) after an attempt that never started, unless jobs of the point were accepted in vain too
  /// often.
  private mutating func openAgain(_ id: AttemptID, wasAccepted: Bool) {
    let point = record.points[id.point - 1]
    if point.isCancelRequested { return settle(id.point, .cancelled) }
    if wasAccepted {
      update(point: id.point) { $0.notStarted += 1 }
      if point.notStarted >= settings.retries.notStarted {
        return settle(id.point, .failed(.notStarted))
      }
    }
    open(point: id.point)
  }

  // MARK: Closing

  /// The attempt is over, by seal or by record.
  private mutating func close(_ id: AttemptID, _ closing: Closing, cause: Cause?) {
    let known = evidence[id]
    let submission = record[attempt: id].submission.map { record.submissions[$0 - 1] }
    let nodes = Double(submission?.nodes ?? 1)
    let share = Double(max(1, min(settings.atOnce, submission?.attempts.count ?? 1)))
    var used = 0.0
    if let exit = known?.exit {
      used = nodes * seconds(of: exit) / share
    } else if closing == .runLost {
      used =
        nodes * Double(submission?.elapse ?? 0) / Double(max(1, submission?.attempts.count ?? 1))
    }
    usedNodeSeconds += used
    update(attempt: id) {
      $0.phase = .closed(closing)
      $0.isBlocked = false
      $0.cause = cause
      $0.execution = known?.execution
      $0.exitCode = known?.exit?.code
      $0.start = known?.exit?.start
      $0.end = known?.exit?.end
      if cause == nil { $0.files = known?.exit?.files ?? [] }
      $0.nodeSeconds = used
    }
    evidence[id] = nil
    seals[id] = nil
    sealed.remove(id)
    if let number = record[attempt: id].submission { unwatchIfSettled(number) }
  }

  /// How long a program ran, on the clock by which limits and budgets count.
  private func seconds(of exit: ExitRecord) -> Double {
    Double(max(0, exit.end - exit.start)) * settings.timing.clockRate
  }

  /// After a run that failed: cancelled, again, or failed.
  private mutating func goOn(_ number: Int, after cause: Cause) {
    let point = record.points[number - 1]
    if point.isCancelRequested { return settle(number, .cancelled) }
    if let kind = cause.kind, settings.retries.allows(kind, after: point.retries) {
      update(point: number) { $0.retries[kind, default: 0] += 1 }
      open(point: number)
    } else {
      settle(number, .failed(cause))
    }
  }

  /// NEW(n + 1): only ever after the attempt before is closed.
  mutating func open(point number: Int) {
    let point = record.points[number - 1]
    guard mayStart(number) else {
      openPoints -= 1
      return
    }
    record.points[number - 1].attempts.append(AttemptRecord())
    let id = AttemptID(point: number, number: point.attempts.count + 1)
    changed.attempts.insert(id)
    queue.appendAgain(number)
  }

  mutating func settle(_ number: Int, _ verdict: Verdict) {
    guard record.points[number - 1].verdict == nil else { return }
    update(point: number) { $0.verdict = verdict }
    openPoints -= 1
    let last = AttemptID(point: number, number: record.points[number - 1].attempts.count)
    guard case .failed(let cause) = verdict, !hasSuccess, !superseded.contains(last) else { return }
    let count = failuresAlike?.cause == cause ? (failuresAlike?.count ?? 0) + 1 : 1
    failuresAlike = (cause, count)
    if count == settings.stopAfter, openPoints > 0 { stop(.sameFailure(cause, count: count)) }
  }
}

extension SweepSettings.Retries {
  /// True where one more retry for a cause is left.
  func allows(_ kind: RetryKind, after used: [RetryKind: Int]) -> Bool {
    if let total, used.values.reduce(0, +) >= total { return false }
    return used[kind, default: 0] < byCause[kind, default: 0]
  }
}
