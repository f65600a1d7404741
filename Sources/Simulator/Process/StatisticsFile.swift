/// The file that `-s` asks for (`api.md`, Script).
enum StatisticsFile {
  /// Its text once the job has ended.
  static func text(_ job: Job, user: String, group: String) -> String {
    let directives = job.request.directives
    func date(_ time: SimulatedTime?) -> String {
      guard let time else { return "-" }
      return time.machineDate.map { $0 == "-" ? "/" : $0 == "T" ? " " : String($0) }.joined()
    }
    func clock(_ duration: Duration) -> String {
      "\(pjmDuration(duration)) (\(duration.components.seconds))"
    }
    let fields: [(String, String)] = [
      ("JOB ID", "\(job.id)"),
      ("JOB NAME", job.request.name),
      ("JOB TYPE", "BATCH"),
      ("JOB MODEL", "NM"),
      ("RETRY NUM", "\(max(0, job.starts - 1))"),
      ("SUB JOB NUM", "-"),
      ("USER", user),
      ("GROUP", directives.group ?? group),
      ("RESOURCE GROUP", directives.resourceGroup),
      ("PRIORITY", "\(directives.priority)"),
      ("STATE", job.state.rawValue),
      ("EXIT CODE", "\(job.exitCode)"),
      ("SIGNAL NO", job.signal == 0 ? "-" : "\(job.signal)"),
      ("PJM CODE", "\(job.pjmCode)"),
      ("REASON", job.reason),
      ("ACCEPT DATE", date(job.accepted)),
      ("JOB START DATE", date(job.started)),
      ("JOB END DATE", date(job.ended)),
      ("NODE NUM (REQUIRE)", directives.nodeRequest),
      ("NODE NUM (ALLOC)", job.starts > 0 ? "\(directives.nodes)" : "0"),
      ("ELAPSE TIME (LIMIT)", clock(directives.elapse)),
      ("ELAPSE TIME (USE)", clock(job.started.map { (job.ended ?? $0) - $0 } ?? .zero)),
    ]
    let lines = fields.map { name, value in
      " " + name + String(repeating: " ", count: max(1, 30 - name.count)) + ": " + value
    }
    return "[Job Statistical Information]\n" + lines.joined(separator: "\n") + "\n"
  }
}
