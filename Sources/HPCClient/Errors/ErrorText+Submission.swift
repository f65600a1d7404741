import HTTP

extension ErrorText {
  /// What a look at the list showed after a submission without a clear answer.
  struct Surroundings: Sendable {
    /// Jobs that wait or run.
    var accepted: Int
  }

  /// Limits on accepted jobs that are worth a mention (`api.md`: a sample shows 100 per user).
  private static let usualLimit = 100

  /// The error of a submission in the words of `lua-api.md`: refused for a file that lies here,
  /// refused without a reason, or without an answer.
  static func submission(
    _ error: HPCError, _ attempt: SubmissionAttempt, around: Surroundings?, isHere: Bool,
    timeout: Duration
  ) -> HPCError {
    var error = error
    let script = quoted(attempt.jobfile)
    if error.isCancelled, !error.isAmbiguous {
      error.message = "the submission of \(script) was cancelled before it was sent"
      return error
    }
    let isRefusal = error.status.map { (400..<500).contains($0) } ?? false
    if isRefusal, isHere, error.status == 400 || error.status == 404 {
      error.message = "the machine refused \(script) (\(reason(error)))"
      let there = homePath(attempt.jobfile)
      error.hint =
        "jobfile is a path in your home there, and \(attempt.jobfile) exists here: "
        + "hpc.push(\(script), \(there)) first"
        + (there == script ? "" : " and hpc.jobs.submit(\(there))")
        + ", or hpc.run{script = \(script)} does both."
      if error.isAmbiguous { error.hint? += " " + existsAllTheSame }
    } else if isRefusal, error.isAmbiguous {
      var text = "\(script) was not accepted: \(sentence(reason(error)))"
      if case .fault(let fault)? = error.failure, !fault.message.isEmpty {
        text += " The service gives no reason"
      }
      if let around {
        text += text.hasSuffix(".") ? " You" : "; you"
        text += " have \(around.accepted) accepted jobs"
        if around.accepted >= usualLimit { text += ", and \(usualLimit) is a usual limit" }
      }
      error.message = text
      error.hint = existsAllTheSame
    } else if error.isAmbiguous {
      let text = lost(error, script, timeout)
      let join = text.last.map { ".!?".contains($0) } == true ? " The" : ": the"
      error.message = "\(text)\(join) job may exist. NOT sent again"
      let redirect = error.status.map { (300..<400).contains($0) } == true ? error.hint : nil
      error.hint =
        (redirect.map { "\($0) " } ?? "")
        + "hpc.jobs.settle(err) looks again; hpc.run settles this by itself."
    }
    if error.isAmbiguous { error.message = sentence(error.message) + seen(error, around) }
    if error.isAmbiguous { error.isRetryable = false }
    return error
  }

  /// Where a script that lies here can go there: the same path where that is one of home.
  private static func homePath(_ jobfile: String) -> String {
    if let path = try? HomePath(jobfile), !path.isHome { return quoted(path.description) }
    return quoted("jobs/\(jobfile.split(separator: "/").last.map(String.init) ?? "run.sh")")
  }

  private static let existsAllTheSame =
    "The job may exist all the same: hpc.jobs.settle(err) looks."

  private static func lost(
    _ error: HPCError, _ script: String, _ timeout: Duration
  ) -> String {
    let submission = "the submission of \(script)"
    guard case .transport(let cause) = error.failure else {
      return "\(submission) was answered \(reason(error))"
    }
    switch cause.kind {
    case .idleTimeout, .totalTimeout:
      return "no reply to \(submission) in \(duration(timeout))"
    case .cancelled: return "\(submission) was cancelled before its reply"
    default: return "no reply to \(submission) (\(error.message))"
    }
  }

  /// Candidates, or that there are none, or that nobody could look.
  private static func seen(_ error: HPCError, _ around: Surroundings?) -> String {
    guard around != nil else { return "" }
    guard !error.candidates.isEmpty else { return " The list shows no candidate yet." }
    let named = error.candidates.prefix(3).map { job in
      "\(job["job_id"] ?? "?") \(quoted(job.name ?? "?")) \(ServiceFault.oneLine(job.status))"
    }
    let more = error.candidates.count - named.count
    return " Candidates: \(named.joined(separator: ", "))\(more > 0 ? ", … \(more) more" : "")."
  }

  private static func reason(_ error: HPCError) -> String {
    switch error.failure {
    case .fault(let fault): summary(fault)
    case .badAnswer(let status, let what, _): "\(status) with \(what)"
    case .transport, nil: error.message
    }
  }

  static func quoted(_ text: String) -> String { "\"\(ServiceFault.oneLine(text))\"" }
}
