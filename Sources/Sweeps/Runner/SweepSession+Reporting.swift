extension SweepSession {
  /// What a run came to, in words that say what to do (`lua-api.md`, Errors).
  func report(
    _ outcome: SweepOutcome, of engine: SweepEngine, _ mode: SweepSettings.Mode
  ) async -> SweepReport {
    let machine = await engine.machine
    let settled = await engine.settled
    var report = SweepReport()
    report.progress = progress
    report.progress.counts = machine.counts
    report.progress.settled = settled.count
    report.progress.isRunning = false
    board.progress = report.progress
    report.anomalies = await engine.anomalies
    report.unsure = outcome.unsure
    report.resultErrors = machine.record.points.count {
      $0.isMember && $0.verdict == .done && $0.resultError != nil
    }
    for number in settled.sorted() {
      switch machine.record.points[number - 1].verdict {
      case .done: report.newDone.append(number)
      case .failed: report.newFailed.append(number)
      case .cancelled, nil: continue
      }
    }
    let books = OutcomeText(
      record: machine.record, counts: report.progress.counts, clockRate: service.clockRate)
    report.pending = books.pending
    if let stop = outcome.stop {
      var tail: String?
      if case .sameFailure(let cause, _) = stop { tail = await lastLines(engine, cause) }
      report.error = books.error(
        stop, unsure: outcome.unsure, trouble: await engine.lastTrouble, tail: tail)
    } else if mode == .run {
      report.error = books.verdictError()
    } else if !report.newFailed.isEmpty {
      report.error = books.failureError(report.newFailed)
    }
    return report
  }

  /// The last lines that a point with a failure wrote to its standard error.
  private func lastLines(_ engine: SweepEngine, _ cause: Cause) async -> String? {
    let record = await engine.machine.record
    guard
      let number = record.points.indices.last(where: {
        record.points[$0].verdict == .failed(cause)
      }),
      let attempt = record.points[number].attempts.last,
      let submission = attempt.submission
    else { return nil }
    let logs = await engine.logs
    guard await logs.refresh(),
      let bytes = try? await logs.log(
        .err,
        of: record.name(
          of: AttemptID(point: number + 1, number: record.points[number].attempts.count)),
        submission: record.submissions[submission - 1].name)
    else { return nil }
    let lines = String(decoding: bytes.suffix(4096), as: UTF8.self).split(separator: "\n")
    return lines.isEmpty ? nil : lines.suffix(5).joined(separator: "\n  ")
  }
}

/// Words for the ends of runs.
struct OutcomeText {
  let record: SweepRecord
  let counts: [PointState: Int]
  let clockRate: Double

  /// Points of the space without a verdict.
  var pending: Int {
    record.points.count { $0.isMember && $0.verdict == nil }
  }

  private var total: Int { counts.values.reduce(0, +) }

  /// Why not every point is done; nil where they are.
  func verdictError() -> SweepError? {
    guard total > counts[.done] ?? 0 else { return nil }
    let failed = record.points.indices.filter {
      if case .failed = record.points[$0].verdict { record.points[$0].isMember } else { false }
    }
    if !failed.isEmpty { return failureError(failed.map { $0 + 1 }) }
    let rest = [PointState.cancelled, .blocked, .unknown, .new, .waiting, .submitted, .running]
      .compactMap { state in counts[state].map { "\($0) \(state.rawValue)" } }
    return SweepError(
      .pointsFailed,
      "\(counts[.done] ?? 0) of \(total) points are done, "
        + rest.joined(separator: ", "), hint: hintForRest, counts: counts)
  }

  private var hintForRest: String? {
    if counts[.blocked] != nil {
      return
        "A blocked job is held by the machine or in error there: have it released, or cancel it"
    }
    if counts[.unknown] != nil {
      return "Unknown points cannot be proven to have run or not: nothing runs them again by itself"
    }
    return nil
  }

  /// Points that failed, by cause.
  func failureError(_ numbers: [Int]) -> SweepError {
    var causes: [String: Int] = [:]
    var words: Set<String> = []
    var limit = 0
    var elapsed = 0
    for number in numbers {
      guard case .failed(let cause) = record.points[number - 1].verdict else { continue }
      causes[cause.description, default: 0] += 1
      words.insert(cause.word)
      if cause == .elapse {
        elapsed += 1
        let submission = record.points[number - 1].attempts.last?.submission
        limit = max(limit, submission.map { record.submissions[$0 - 1].elapse } ?? 0)
      }
    }
    if elapsed == numbers.count {
      return SweepError(
        .pointsFailed,
        "\(Self.points(elapsed)) hit their elapse limit (\(Elapse.spoken(limit)))"
          + (fastClock(limit).map { "; \($0)" } ?? ""),
        hint: "s:retry{cause=\"elapse\", resources={elapse=\"\(Self.short(2 * limit))\"}}",
        counts: counts)
    }
    let list = causes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .prefix(5).map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
    let first = words.sorted().first ?? ""
    return SweepError(
      .pointsFailed,
      "\(numbers.count) of \(total) points failed: \(list)"
        + (elapsed > 0 ? fastClock(limit).map { "; \($0)" } ?? "" : ""),
      hint: "s:logs(point) shows what they wrote; s:retry{cause=\"\(first)\"} runs them again",
      counts: counts)
  }

  /// Why programs that are quick enough hit a limit all the same; nil for a clock like ours.
  private func fastClock(_ limit: Int) -> String? {
    FastClock(rate: clockRate).map { "\($0.description): \($0.limit(limit))" }
  }

  /// `20m`, `2h`, `90s`.
  private static func short(_ seconds: Int) -> String {
    if seconds % 3600 == 0 { return "\(seconds / 3600)h" }
    return seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
  }

  private static func points(_ count: Int) -> String { count == 1 ? "1 point" : "\(count) points" }

  /// Why a run stopped before its end.
  func error(
    _ stop: StopReason, unsure: [String], trouble: String?, tail: String?
  ) -> SweepError {
    let again = "Run it again when that is mended: nothing is lost"
    let because = trouble.map { " (\($0))" } ?? ""
    switch stop {
    case .denied(let message):
      return SweepError(.service, "stopped: \(message)", counts: counts)
    case .notAccepted(let message):
      return SweepError(
        .service,
        "not accepted: \(message) The service gives no reason, and none of five submissions in a "
          + "row was taken while you have no job there. Nothing has run, as far as is known: the next "
          + "run finds out what became of those, and submits the others",
        hint: "Check group, resource group and limits, and whether the machine is up",
        counts: counts)
    case .sameFailure(let cause, let count):
      // More may have ended meanwhile, and others may have failed before.
      let alike = max(count, record.points.count { $0.verdict == .failed(cause) })
      let first = max(alike, counts[.failed] ?? 0)
      var message = "stopped: \(alike) of the first \(first) points failed alike (\(cause))"
      if cause == .elapse, let clock = FastClock(rate: clockRate) { message += ": \(clock)" }
      if let tail { message += ". Last lines of stderr:\n  \(tail)\n" }
      return SweepError(
        .stopped, message, hint: "s:retry{cause=\"\(cause.word)\"} after mending", counts: counts)
    case .budget:
      return SweepError(
        .stopped,
        "stopped: what is left does not fit into the budget; \(Self.points(pending)) "
          + (pending == 1 ? "has not run" : "have not run"),
        hint: "Raise budget.node_hours, or ask for less elapse", counts: counts)
    case .preparation(let message):
      return SweepError(.definition, "stopped: \(message)", counts: counts)
    case .root:
      return SweepError(
        .service, "the sweep's folder could not be made on the machine\(because)", hint: again,
        counts: counts)
    case .sync(let tree, let message):
      return SweepError(
        .service,
        "stopped: the synchronisation of \(tree.rawValue)/ keeps failing: \(message)"
          + because, hint: again, counts: counts)
    case .homeLost:
      return SweepError(
        .stopped,
        "the sweep's folder on the machine is gone or is not synchronised any more: what was under "
          + "way is unknown, and is not run again by itself",
        hint: "Done points keep their results. To run the others anew, start a sweep under another "
          + "name", counts: counts)
    case .bucketLost:
      return SweepError(
        .stopped,
        "files of the sweep are gone from the bucket: what was under way is unknown, and is not run "
          + "again by itself",
        hint: "Done points keep their results. To run the others anew, start a sweep under another "
          + "name", counts: counts)
    case .detached:
      var message = "detached: \(Self.points(pending)) are not settled yet; jobs go on running"
      if !unsure.isEmpty {
        message += "; not known yet whether accepted: " + unsure.joined(separator: ", ")
      }
      return SweepError(
        .detached, message, hint: "Run it again, or hpc sweep step, to go on", counts: counts)
    }
  }
}
