import HTTP
import JSON
import SigV4
import Synchronization

/// What one POST /jobs came to, for callers that settle what is unclear by themselves.
public enum SubmissionOutcome: Sendable {
  case accepted(JobID)
  /// Not one byte left this computer.
  case notSent(HPCError)
  /// 401 Expired: nothing was done, and from now on the service's clock is followed.
  case expired(HPCError)
  /// 401, 403, 404, 405: nothing was done, and the same again will not help.
  case denied(HPCError)
  /// 422, or 400 "Invalid …": nothing was done, and this submission will never be taken.
  case refused(HPCError)
  /// 400 without a reason, as for a full queue: the job may exist.
  case unaccepted(HPCError)
  /// No answer, or one that proves nothing: the job may exist.
  case unclear(HPCError)
}

extension HPCClient {
  /// POST /jobs exactly once: no retry of any kind, no look at the list (`exactly-once.md`, INTENT).
  ///
  /// Not ended by cancelling the surrounding task, so that an answer is never thrown away.
  ///
  /// - Parameter jobfile: path of the script, relative to the home on the machine.
  public func submitOnce(jobfile: String) async -> SubmissionOutcome {
    let call = Call(
      operation: .submitJob, path: "/jobs", kind: .submission,
      body: JSONValue.object([.init(key: "jobfile", value: .string(jobfile))]).encoded(),
      jobfile: jobfile)
    let request = request(call, options: CallOptions())
    let subject = subject(call, request: request)
    let sending = Task { await self.attempt(request) }
    let outcome = await sending.value
    let failure: Failure
    switch outcome.0 {
    case .success(let response):
      let value = try? JSONValue(parsing: response.body)
      if let id = JobID(json: value?["job_id"]) ?? Self.id(inLocation: response.headers["Location"])
      {
        memory.note(id, submittedWith: jobfile)
        return .accepted(id)
      }
      failure = .badAnswer(
        status: response.status, what: "no usable job_id", body: ServiceFault(response).body)
    case .failure(let reason): failure = reason
    }
    var error = ErrorText.error(failure, subject, attempts: 1)
    switch failure {
    case .transport(let reason) where !reason.mayHaveBeenSent: return .notSent(error)
    case .fault(let fault) where fault.isDefiniteRefusal:
      if fault.isExpiredSignature { return expired(error, outcome.1) }
      return fault.status == 422 || fault.status == 400 ? .refused(error) : .denied(error)
    case .fault(let fault) where fault.status == 400:
      error.isAmbiguous = true
      return .unaccepted(error)
    case .transport, .fault, .badAnswer:
      error.isAmbiguous = true
      return .unclear(error)
    }
  }

  private func expired(_ error: HPCError, _ response: HTTPResponse?) -> SubmissionOutcome {
    guard
      let date = response?.headers["Date"].flatMap(HTTPDate.epochSeconds(parsing:)).map(
        Double.init),
      RetryMachine.isPlausible(date)
    else { return .denied(error) }
    followClock(ahead: date - now)
    return .expired(error)
  }
}
