import Sweeps

/// Sweeps in words: progress lines, states, plans.
enum SweepText {
  /// The order in which states are told.
  private static let told: [(state: PointState, word: String)] = [
    (.done, "done"), (.failed, "failed"), (.cancelled, "cancelled"), (.unknown, "unknown"),
    (.blocked, "blocked"), (.running, "running"), (.submitted, "submitted"),
    (.waiting, "waiting"), (.new, "new"),
  ]

  /// `41 of 63 done, 3 failed, 12 running, 7 new`
  static func counts(_ counts: [PointState: Int]) -> String {
    let total = counts.values.reduce(0, +)
    let first = "\(counts[.done] ?? 0) of \(total) done"
    let rest = told.dropFirst().compactMap { state, word in
      counts[state].flatMap { $0 > 0 ? "\($0) \(word)" : nil }
    }
    return ([first] + rest).joined(separator: ", ")
  }

  /// `ising: 41 of 63 done, 12 running; 120 points/h, 11 min left; 4.2 node-hours`
  static func progress(_ progress: SweepProgress, name: String, isSimulated: Bool) -> String {
    var parts = ["\(name): \(counts(progress.counts))"]
    var pace: [String] = []
    if let perHour = progress.pointsPerHour { pace.append("\(number(perHour)) points/h") }
    if let left = progress.remaining { pace.append("\(span(left)) left") }
    if !pace.isEmpty { parts.append(pace.joined(separator: ", ")) }
    let hours = progress.nodeHoursUsed + progress.nodeHoursUnderWay
    if hours > 0 { parts.append("\(number(hours)) node-hours") }
    if isSimulated { parts.append("SIMULATED") }
    return parts.joined(separator: "; ")
  }

  /// What a run came to: the counts and what it took.
  static func summary(_ report: SweepReport, name: String, isSimulated: Bool) -> String {
    let progress = report.progress
    var text = "\(name): \(counts(progress.counts)) in \(span(progress.elapsed))"
    if report.resultErrors > 0 {
      text +=
        "; \(report.resultErrors) of the done with a result_error (s:results{fresh = true} tries "
        + "again)"
    }
    if progress.nodeHoursUsed > 0 { text += "; \(number(progress.nodeHoursUsed)) node-hours" }
    return isSimulated ? text + "; SIMULATED" : text
  }

  /// Everything that a journal says of a sweep as a whole.
  static func status(_ status: SweepStatus) -> String {
    var lines = ["\(status.name): \(counts(status.progress.counts))"]
    func line(_ label: String, _ text: String) {
      lines.append("  " + label + String(repeating: " ", count: max(1, 12 - label.count)) + text)
    }
    for (cause, count) in status.causes.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      line("failed", "\(count) × \(cause)")
    }
    let used = "\(number(status.progress.nodeHoursUsed)) node-hours"
    let underWay = status.progress.nodeHoursUnderWay
    line("used", underWay > 0 ? "\(used), \(number(underWay)) under way" : used)
    line("journal", status.journal)
    line("machine", status.service.description)
    if let owner = status.owner { line("run by", owner.description) }
    if !status.unsure.isEmpty {
      line("unsure", "ids not known yet: " + status.unsure.joined(separator: ", "))
    }
    if status.isSimulated { lines.append("  SIMULATED") }
    return lines.joined(separator: "\n")
  }

  /// What running would mean.
  static func plan(
    _ plan: SweepPlan, name: String, source: String, isSimulated: Bool
  ) -> String {
    var lines = ["plan of \(name)"]
    func line(_ label: String, _ text: String) {
      lines.append("  " + label + String(repeating: " ", count: max(1, 14 - label.count)) + text)
    }
    var points = "\(plan.points): \(plan.new) new, "
    if plan.inFlight > 0 { points += "\(plan.inFlight) in flight, " }
    points += "\(plan.done) done"
    if plan.unknown > 0 { points += ", \(plan.unknown) unknown" }
    if plan.failed > 0 { points += ", \(plan.failed) failed or cancelled" }
    if plan.changed > 0 { points += "; \(plan.changed) ran with another script or inputs" }
    line("points", points)
    line("jobs", "\(plan.jobs)")
    line("requests", "\(plan.requests), syncs among them \(plan.syncs), and the waiting")
    if plan.jobs > 0 {
      line(
        "submitting", "\(span(.seconds(plan.submitSeconds))) at \(number(plan.latency)) s a request"
      )
    }
    var hours = "\(number(plan.nodeHours)) at most"
    if plan.nodeHoursUsed > 0 { hours += ", \(number(plan.nodeHoursUsed)) used before" }
    if plan.nodeHoursUnderWay > 0 { hours += ", \(number(plan.nodeHoursUnderWay)) under way" }
    if let budget = plan.budget { hours += ", budget \(number(budget))" }
    line("node-hours", hours)
    if let largest = plan.largest, !largest.parameters.names.isEmpty {
      line("largest", "\(largest.parameters): \(number(largest.nodeHours)) node-hours")
    }
    for note in plan.notices {
      let label =
        note.severity == .notice ? "notice" : note.severity == .error ? "error" : "WARNING"
      line(label, note.description(in: source))
    }
    if let problem = plan.problem { line("PROBLEM", problem.description) }
    if let script = plan.script {
      lines += ["  script of the first new point"]
      lines += script.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.isEmpty ? "" : "  | \($0)" }
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    if isSimulated { lines.append("  SIMULATED") }
    return lines.joined(separator: "\n")
  }

  /// Three significant digits, whole from 100 on.
  static func number(_ value: Double) -> String {
    if value >= 100 { return Int(exactly: value.rounded()).map { "\($0)" } ?? "\(value)" }
    let scale = value >= 10 ? 10.0 : value >= 1 ? 100.0 : 1000.0
    let rounded = (value * scale).rounded() / scale
    return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
  }

  /// `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`
  static func span(_ duration: Duration) -> String {
    let seconds = Int(duration.components.seconds)
    if seconds < 90 { return "\(max(seconds, 0)) s" }
    let minutes = (seconds + 30) / 60
    if minutes < 90 { return "\(minutes) min" }
    if minutes < 48 * 60 { return "\(minutes / 60) h \(minutes % 60) min" }
    return "\(minutes / 1440) d \(minutes % 1440 / 60) h"
  }
}

extension SweepText {
  /// Where a file of results goes: relative to the sweep's folder, `.sim` before the extension of
  /// what a simulator made up.
  static func path(_ path: String, in folder: String, isSimulated: Bool) -> String {
    let absolute = path.hasPrefix("/") ? path : "\(folder)/\(path)"
    guard isSimulated else { return absolute }
    let start = absolute.lastIndex(of: "/").map(absolute.index(after:)) ?? absolute.startIndex
    guard let dot = absolute[start...].lastIndex(of: "."), dot != start else {
      return absolute + ".sim"
    }
    return absolute[..<dot] + ".sim" + absolute[dot...]
  }
}
