import HTTP
import JSON

/// A JSON text as the service sent it, for callers that decode it themselves.
public struct RawAnswer: Sendable, Hashable {
  /// One array or one object, checked at both ends only.
  public var bytes: [UInt8]
  /// Seconds since 1970 on this machine's clock when the call began and when the answer was there.
  public var requestedAt: Double
  public var observedAt: Double
  /// The answer's `Date`: seconds since 1970 on the service's clock; nil without a readable one.
  public var serverTime: Double?

  /// Number and name of each job, of a list or of one; where that is no such text, of fewer.
  public var jobs: [(id: Int64, name: String)] {
    var jobs: [(id: Int64, name: String)] = []
    let isOne = bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
    let list = isOne ? [UInt8(ascii: "[")] + bytes : bytes
    ListGlance.forEachJob(in: list) { jobs.append(($0.id.number, $0.name)) }
    return jobs
  }
}

/// The jobs that had not ended when the list was made.
public struct JobList: Sendable, Hashable {
  public var jobs: [JobRecord]
  /// Seconds since 1970 on this machine's clock when the call began and when the answer was there.
  public var requestedAt: Double
  public var observedAt: Double
  /// The answer's `Date`: seconds since 1970 on the service's clock; nil without a readable one.
  public var serverTime: Double?
}

extension HPCClient {
  /// GET /jobs without models.
  public func listJobsRaw(_ options: CallOptions = CallOptions()) async throws(HPCError)
    -> RawAnswer
  {
    let answer = try await rawList(options)
    memory.note(list: answer, at: configuration.time.uptime())
    return answer
  }

  /// The same, of which ``memory`` is not told.
  func rawList(_ options: CallOptions) async throws(HPCError) -> RawAnswer {
    try await raw(
      Call(operation: .listJobs, path: "/jobs", kind: .idempotent), opening: "[", closing: "]",
      what: "a list of jobs", options: options)
  }

  /// GET /jobs: the jobs that have not ended yet.
  public func listJobs(_ options: CallOptions = CallOptions()) async throws(HPCError) -> JobList {
    let answer = try await rawList(options)
    guard let jobs = Self.jobs(answer) else {
      throw badAnswer(
        .listJobs, path: "/jobs", what: "something that is no list of jobs", answer.bytes)
    }
    memory.note(jobs)
    _ = judge(count: jobs.count)
    return JobList(
      jobs: jobs, requestedAt: answer.requestedAt, observedAt: answer.observedAt,
      serverTime: answer.serverTime)
  }

  /// GET /jobs/{jobid} without models.
  public func jobRaw(
    _ id: JobID, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> RawAnswer {
    let answer = try await raw(
      Call(operation: .getJob, path: "/jobs/\(id)", kind: .idempotent, job: id), opening: "{",
      closing: "}", what: "a job", options: options)
    if let value = try? JSONValue(parsing: answer.bytes),
      let record = JobRecord(value, observedAt: answer.observedAt)
    {
      // What is said of another job says nothing of this one.
      if let other = record.id, other != id {
        throw badAnswer(.getJob, path: "/jobs/\(id)", what: "job \(other)", answer.bytes)
      }
      memory.note([record])
    }
    return answer
  }

  /// GET /jobs/{jobid}: one job that has not ended yet.
  public func job(
    _ id: JobID, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> JobRecord {
    let answer = try await jobRaw(id, options)
    guard let value = try? JSONValue(parsing: answer.bytes),
      let record = JobRecord(value, observedAt: answer.observedAt)
    else {
      throw badAnswer(.getJob, path: "/jobs/\(id)", what: "something that is no job", answer.bytes)
    }
    return record
  }

  /// DELETE /jobs/{jobid}: asks for the end of a job; it may take its time to end.
  ///
  /// - Returns: false where a repeated request found the job gone, so that an earlier one worked.
  @discardableResult
  public func cancel(
    _ id: JobID, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> Bool {
    let call = Call(operation: .cancelJob, path: "/jobs/\(id)", kind: .cancellation, job: id)
    return try await perform(call, options: options) { response in
      // 204, or what a gateway makes of it: a page with 200 says nothing of the job.
      let isAccepted =
        response.body.isEmpty || (try? JSONValue(parsing: response.body))?.object != nil
      return Self.result(isAccepted ? true : nil, response, what: "something that accepts nothing")
    } ?? false
  }

  /// GET /files/sync/{requestid}: where a synchronisation stands.
  public func syncStatus(
    _ id: SyncID, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> SyncStatus {
    try await syncRecord(id, options).status
  }

  /// The same, with every field of the answer.
  public func syncRecord(
    _ id: SyncID, _ options: CallOptions = CallOptions()
  ) async throws(HPCError) -> (record: SyncRecord, status: SyncStatus) {
    let call = Call(operation: .syncStatus, path: "/files/sync/\(id)", kind: .idempotent)
    let answer = try await perform(call, options: options) { response in
      let fields = (try? JSONValue(parsing: response.body))?.object
      let record = SyncRecord(id, fields: fields ?? [])
      return Self.result(
        record.status.map { (record: record, status: $0) }, response, what: "no status")
    }
    guard let answer else { throw HPCError(.badAnswer, "no status of synchronisation \(id)") }
    if answer.status.isOver { syncGate.ended(id) }
    return answer
  }

  // MARK: Reading answers

  /// The jobs of a raw list; nil where it is no array of objects.
  static func jobs(_ answer: RawAnswer) -> [JobRecord]? {
    guard let elements = (try? JSONValue(parsing: answer.bytes))?.array else { return nil }
    let jobs = elements.compactMap { JobRecord($0, observedAt: answer.observedAt) }
    return jobs.count == elements.count ? jobs : nil
  }

  private func raw(
    _ call: Call, opening: Unicode.Scalar, closing: Unicode.Scalar, what: String,
    options: CallOptions
  ) async throws(HPCError) -> RawAnswer {
    let requestedAt = now
    let answer = try await perform(call, options: options) { response in
      let first = response.body.first { $0 > 0x20 }
      let last = response.body.last { $0 > 0x20 }
      let isWhole =
        response.status == 200 && first == UInt8(ascii: opening) && last == UInt8(ascii: closing)
      let date = response.headers["Date"].flatMap(HTTPDate.epochSeconds(parsing:)).map(Double.init)
      return Self.result(
        isWhole ? (response.body, date) : nil, response, what: "something that is not \(what)")
    }
    return RawAnswer(
      bytes: answer?.0 ?? [], requestedAt: requestedAt, observedAt: now, serverTime: answer?.1)
  }

  static func result<Value>(
    _ value: Value?, _ response: HTTPResponse, what: String
  ) -> Result<Value, Failure> {
    if let value { return .success(value) }
    return .failure(
      .badAnswer(
        status: response.status, what: response.body.isEmpty ? "an empty body" : what,
        body: ServiceFault(response).body))
  }

  /// The error of a 200 whose body is not what the operation answers with.
  ///
  /// - Parameters:
  ///   - operation: which was asked for, by GET.
  ///   - path: behind the endpoint.
  ///   - what: what came instead, as the message says it.
  ///   - body: kept in the error, bounded.
  public func badAnswer(
    _ operation: APIOperation, path: String, what: String, _ body: [UInt8]
  ) -> HPCError {
    let url = configuration.endpoint.appending(path: path)
    let subject = ErrorText.Subject(
      operation: operation, url: url, path: path, timeout: .zero)
    let body = ServiceFault(HTTPResponse(status: 200, body: body)).body
    return ErrorText.error(
      .badAnswer(status: 200, what: what, body: body), subject, attempts: 1)
  }
}
