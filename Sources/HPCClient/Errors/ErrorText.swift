import HTTP

/// Words for failures: the one place that finds them. The model is the table in `lua-api.md`.
enum ErrorText {
  /// What an error is about.
  struct Subject: Sendable {
    var operation: APIOperation
    var url: HTTPURL
    /// Behind the endpoint.
    var path: String
    /// From a free connection to the whole answer.
    var timeout: Duration
    var job: JobID?
    var jobfile: String?

    /// `GET https://host/jobs`.
    var request: String { "\(operation.method.rawValue) \(url)" }
    /// `https://host`.
    var origin: String { url.origin }
    /// `GET /jobs`.
    var short: String { "\(operation.method.rawValue) \(path)" }
  }

  /// The error for a failure, but for what only a submission knows.
  static func error(_ failure: Failure, _ subject: Subject, attempts: Int) -> HPCError {
    var error =
      switch failure {
      case .transport(let cause): transport(cause, subject)
      case .fault(let fault): answer(fault, subject)
      case .badAnswer(let status, let what, let body):
        badAnswer(status: status, what: what, body: body, subject)
      }
    error.failure = failure
    error.operation = subject.operation
    error.request = subject.request
    error.attempts = attempts
    error.isRetryable = failure.isTransient
    if attempts > 1 { error.message = sentence(error.message) + " Tried \(attempts) times." }
    return error
  }

  // MARK: No answer

  private static func transport(_ cause: TransportError, _ subject: Subject) -> HPCError {
    let network = "Check the network, https_proxy, and the endpoint in hpc.config."
    return switch cause.kind {
    case .resolve:
      HPCError(.noConnection, "\(subject.origin) has no address\(why(cause))", hint: network)
    case .connect:
      HPCError(
        .noConnection, "cannot connect to \(subject.origin)\(why(cause))", hint: network)
    case .queueTimeout:
      HPCError(
        .timeout,
        "\(subject.short) was not sent: no connection to \(subject.origin) came free in time",
        hint: "Other requests, of this program or of your other hpc processes, use all of them: "
          + "wait for these, or allow a longer timeout.")
    case .connectTimeout:
      HPCError(
        .noConnection, "\(subject.origin) did not take the connection in time", hint: network)
    case .tls:
      HPCError(
        .untrusted, "no trusted connection to \(subject.origin) (\(detail(cause)))",
        hint: "A wrong clock, a missing ca-certificates package or a proxy are usual causes.")
    case .idleTimeout, .totalTimeout:
      HPCError(
        .timeout, "no whole answer to \(subject.short) within \(duration(subject.timeout))",
        hint: again)
    case .reset:
      HPCError(
        .connectionLost, "the connection broke before an answer to \(subject.short)", hint: again)
    case .truncated:
      HPCError(.connectionLost, "the answer to \(subject.short) broke off", hint: again)
    case .bodyTooLarge(let limit):
      HPCError(
        .answerTooLarge, "the answer to \(subject.short) is larger than \(limit >> 20) MiB",
        hint: "Is \(subject.origin) the right endpoint?")
    case .protocolViolation:
      HPCError(
        .badAnswer, "\(subject.origin) does not speak HTTP (\(detail(cause)))",
        hint: "Is it the right endpoint?")
    case .cancelled:
      HPCError(.cancelled, "\(subject.short) was cancelled")
    case .closed:
      HPCError(.local, "\(subject.short) came after the client was closed")
    case .file, .other:
      HPCError(.local, "\(subject.short) failed (\(detail(cause)))")
    }
  }

  private static let again =
    "Try again later; where it stays so, --trace shows what network and proxy do."

  /// A copy with `delete` whose answer was lost: a second run might delete what came in between.
  static func lostSync(_ error: HPCError) -> HPCError {
    var error = error
    error.message = sentence(error.message) + " The sync may have run. NOT repeated"
    error.hint = "It deletes: look at the folder there, then start it again."
    error.isRetryable = false
    return error
  }

  private static func detail(_ cause: TransportError) -> String {
    ServiceFault.oneLine(cause.cause)
  }

  /// What curl adds to the message in parentheses; nothing where it says the same once more, as in
  /// `Failed to connect to HOST port N after 0 ms: Couldn't connect to server`.
  private static func why(_ cause: TransportError) -> String {
    let text = detail(cause)
    let reason = text.firstRange(of: " ms: ").map { String(text[$0.upperBound...]) } ?? text
    let isSame =
      reason == "Couldn't connect to server" || reason.hasPrefix("Could not resolve host: ")
    return isSame ? "" : " (\(reason))"
  }

  /// For a signature that was refused as expired by a service whose own clock cannot be right.
  static func brokenClock(_ date: String) -> String {
    "The service's own clock cannot be followed: its answer is dated \(quoted(date)). "
      + "Tell the operator."
  }

  // MARK: An answer that is no success

  private static func answer(_ fault: ServiceFault, _ subject: Subject) -> HPCError {
    var error = HPCError(
      code: fault.code ?? "HTTP.\(fault.status)",
      message: "\(subject.short) was answered \(summary(fault))", hint: hint(fault, subject))
    if let job = subject.job, fault.isJobNotFound {
      error.message = "no job \(job) (\(summary(fault)))"
    }
    error.status = fault.status
    error.body = fault.body
    return error
  }

  /// `400 Operation failed.` or `503 Server.Maintenance: The system is in maintenance now.`
  static func summary(_ fault: ServiceFault) -> String {
    if let location = fault.location, (300..<400).contains(fault.status) {
      return "\(fault.status), a redirect to \(location)"
    }
    let text = fault.message.isEmpty ? "without a reason" : fault.message
    switch fault.code {
    case nil, "GeneralError": return "\(fault.status) \(text)"
    case .some(let code): return "\(fault.status) \(ServiceFault.oneLine(code)): \(text)"
    }
  }

  private static func hint(_ fault: ServiceFault, _ subject: Subject) -> String {
    switch (fault.status, fault.code) {
    case (300..<400, _) where fault.location != nil:
      "Redirects are not followed: a signature is good for one address. Set the endpoint to the "
        + "address that the service really has."
    case (401, "Client.AuthFailureExpired"):
      "The clocks of this machine and of the service differ: set this one right."
    case (401, _):
      "Check access key, secret key, region and service name: hpc.config shows them with their "
        + "sources."
    case (403, _): "This account may not use the operation: ask the operator."
    case (404, "Client.URLNotFound"): "Check the endpoint: hpc.config.endpoint."
    case (404, _) where fault.isJobNotFound:
      subject.job == nil
        ? "The service does not know what was asked for."
        : "The service forgets a job as soon as it has ended."
    case (405, _), (404, _): "Check the endpoint: hpc.config.endpoint."
    case (422, _): "The service does not take this request's body."
    case (500, _):
      "The service also says so to more than 10 connections at a time, from all programs together."
    case (_, "Server.Maintenance"): "Try again when the maintenance is over."
    case (400, _) where fault.message.hasPrefix("Invalid "):
      "The service cannot read this request: check what was passed to \(subject.operation.rawValue)."
    case (400, _):
      "The service gives no reason. Check what was passed to \(subject.operation.rawValue); where "
        + "that is right, the machine may be at fault: try again later, or ask the operator."
    case (429, _): "Try again later, with fewer requests at a time."
    case (502, _), (504, _):
      "A gateway on the way had no answer from the service: try again later; where it stays so, ask "
        + "the operator."
    case (501..<600, _):
      "The service cannot answer at the moment: try again later; where it stays so, ask the operator."
    default:
      "The service is not known to answer so. Is \(subject.origin) the right endpoint? --trace shows "
        + "what is sent; a proxy on the way may answer in its place."
    }
  }

  private static func badAnswer(
    status: Int, what: String, body: String, _ subject: Subject
  ) -> HPCError {
    var error = HPCError(
      .badAnswer, "\(subject.short) was answered \(status) with \(what)",
      hint: "Is \(subject.origin) the right endpoint?")
    error.status = status
    error.body = body
    return error
  }

  // MARK: Pieces

  /// `300 s`, `1.5 s`.
  static func duration(_ duration: Duration) -> String {
    let tenths = Int64((min(duration, Duration.longest) / .milliseconds(100)).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
  }

  /// With a full stop at its end.
  static func sentence(_ text: String) -> String {
    text.last.map { ".!?…".contains($0) } == true ? text : text + "."
  }
}
