import HTTP
import JSON
import Synchronization

extension HPCClient {
  /// How long a submission in flight is waited for after its task was cancelled.
  static let graceAfterCancellation = Duration.seconds(5)

  /// POST /jobs: hands a script that lies in the home on the machine to the job manager.
  ///
  /// Sent once. Nothing but a refusal before the service acted, or proof that not a byte went
  /// out, lets it be sent again; what remains unknown is thrown as ambiguous, with the jobs in the
  /// list that may be it.
  ///
  /// A cancelled task withdraws what has not been sent; for the answer to what has it still waits,
  /// up to five seconds, so that an id is not lost. The observer hears of either.
  ///
  /// - Parameters:
  ///   - jobfile: path of the script, relative to the home on the machine.
  ///   - qopt: passed on; the service ignores it (`api.md`, upstream).
  ///   - options: of this call.
  /// - Returns: the number of the new job.
  /// - Throws: why there is none, or that it is not known whether there is one.
  public func submit(
    jobfile: String, qopt: String? = nil, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> JobID {
    try await submitJob(jobfile: jobfile, qopt: qopt, options).id
  }

  /// The same, with every field of the answer.
  public func submitJob(
    jobfile: String, qopt: String? = nil, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> SubmittedJob {
    guard !jobfile.isEmpty else {
      throw HPCError(
        .invalidArgument, "jobs.submit needs a jobfile: the path of a script in your home there")
    }
    let attempt = SubmissionAttempt(jobfile: jobfile, sentAt: now, account: account)
    let error: HPCError
    do {
      let job = try await post(jobfile: jobfile, qopt: qopt, options)
      memory.note(job.id, submittedWith: jobfile)
      return job
    } catch let reason {
      error = reason
    }
    let timeout = options.timeout ?? APIOperation.submitJob.totalTimeout
    throw await explained(error, attempt, timeout: timeout)
  }

  private func post(
    jobfile: String, qopt: String?, _ options: CallOptions
  ) async throws(HPCError) -> SubmittedJob {
    var members: [JSONValue.Member] = [.init(key: "jobfile", value: .string(jobfile))]
    if let qopt { members.append(.init(key: "qopt", value: .string(qopt))) }
    let call = Call(
      operation: .submitJob, path: "/jobs", kind: .submission,
      body: JSONValue.object(members).encoded(), jobfile: jobfile)
    let job = try await perform(call, options: options) { response in
      let value = try? JSONValue(parsing: response.body)
      let id = JobID(json: value?["job_id"]) ?? Self.id(inLocation: response.headers["Location"])
      return Self.result(
        id.map { SubmittedJob(id: $0, fields: value?.object ?? []) }, response,
        what: "no usable job_id")
    }
    guard let job else { throw HPCError(.badAnswer, "POST /jobs was answered without a job_id") }
    return job
  }

  /// The last part of `/jobs/6291500`.
  static func id(inLocation location: String?) -> JobID? {
    guard let location else { return nil }
    let parts = location.prefix { $0 != "?" && $0 != "#" }.split(separator: "/")
    guard parts.dropLast().last == "jobs" else { return nil }
    return parts.last.flatMap { JobID($0) }
  }
}
