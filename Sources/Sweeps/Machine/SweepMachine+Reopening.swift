extension SweepMachine {
  /// Points that are asked for one by one: members or not, known or new.
  mutating func want(_ points: [Int]) {
    for number in points where number > 0 && !wanted.contains(number) {
      while record.points.count < number { record.points.append(PointRecord()) }
      let couldStart = mayStart(number)
      wanted.insert(number)
      // What is under way, or could start before, is counted already.
      guard isStarted, !couldStart, isResting(record.points[number - 1]) else { continue }
      takeUp(point: number)
    }
    makeRootIfNeeded()
  }

  /// FAILED, CANCELLED → NEW: closed ones with the next attempt, never sealed ones with the same.
  mutating func retry(_ points: [Int], resources: String?) {
    for number in points where record.points.indices.contains(number - 1) {
      guard let reopened = record.reopen(number, resources: resources) else { continue }
      changed.points.insert(number)
      // Somebody has mended something.
      failuresAlike = nil
      if let attempt = reopened.attempt { changed.attempts.insert(attempt) }
      if isStarted { takeUp(point: number) }
    }
    makeRootIfNeeded()
  }

  private mutating func makeRootIfNeeded() {
    if isStarted, record.root?.isReady != true, openPoints > 0, rootAttempts == 0 { makeRoot() }
  }
}

extension SweepRecord {
  /// Takes a verdict back, so that the point runs again.
  ///
  /// - Parameters:
  ///   - number: of the point.
  ///   - resources: what its next attempts ask for over the sweep's own, as JSON; nil for no change.
  ///   - isDoneToo: whether a point that is done runs again as well.
  /// - Returns: the attempt that is to be taken up again under its own number, where it was never
  ///   sealed and never posted for good; nil for a point that has no such verdict.
  mutating func reopen(
    _ number: Int, resources: String? = nil, isDoneToo: Bool = false
  ) -> Reopened? {
    switch points[number - 1].verdict {
    case nil: return nil
    case .done where !isDoneToo: return nil
    case .done, .failed, .cancelled: break
    }
    points[number - 1].verdict = nil
    points[number - 1].isCancelRequested = false
    points[number - 1].retries = [:]
    points[number - 1].notStarted = 0
    points[number - 1].result = nil
    points[number - 1].resultError = nil
    if let resources { points[number - 1].resources = resources }
    let id = AttemptID(point: number, number: points[number - 1].attempts.count)
    guard id.number > 0 else { return Reopened(attempt: nil) }
    switch self[attempt: id].phase {
    case .refused, .withdrawn:
      self[attempt: id].phase = .new
      self[attempt: id].submission = nil
      self[attempt: id].tag = nil
      self[attempt: id].cause = nil
      return Reopened(attempt: id)
    default:
      return Reopened(attempt: nil)
    }
  }
}

/// What reopening a point changed besides the point itself.
struct Reopened {
  /// An attempt that is taken up again under its own number.
  var attempt: AttemptID?
}
