extension SweepMachine {
  /// Names of the jobs that the last list shows running.
  var runningNames: Set<String> {
    var names: Set<String> = []
    for job in lastList?.values ?? [:].values
    where ["RUN", "RNE", "RNO"].contains(job.state) { names.insert(job.name) }
    return names
  }

  /// Where a point stands, in the user's words.
  func state(of number: Int, running: Set<String>) -> PointState {
    let point = record.points[number - 1]
    switch point.verdict {
    case .done: return .done
    case .failed: return .failed
    case .cancelled: return .cancelled
    case nil: break
    }
    guard let attempt = point.attempts.last else { return .new }
    if case .unknown = attempt.phase { return .unknown }
    if attempt.isBlocked { return .blocked }
    guard attempt.phase != .new,
      let submission = attempt.submission.map({ record.submissions[$0 - 1] })
    else { return .new }
    switch submission.phase {
    case .prepared, .staged: return attempt.phase == .submitted ? .waiting : .submitted
    default: return running.contains(submission.name) ? .running : .submitted
    }
  }

  /// Members of the space by state.
  var counts: [PointState: Int] {
    let running = runningNames
    var counts: [PointState: Int] = [:]
    for (index, point) in record.points.enumerated() where point.isMember {
      counts[state(of: index + 1, running: running), default: 0] += 1
    }
    return counts
  }

  /// Node seconds that were used, and limits of what is under way.
  var nodeSeconds: (used: Double, underWay: Double) {
    let underWay = watches.keys.reduce(0.0) {
      let submission = record.submissions[$1 - 1]
      return $0 + Double(submission.nodes) * Double(submission.elapse)
    }
    return (usedNodeSeconds, underWay)
  }
}
