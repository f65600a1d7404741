import FoundationEssentials
import HPCClient
import LuaRuntime
import Synchronization

/// The functions of `hpc.jobs` and the methods of a Job.
final class JobBindings {
  private let connection: LazyConnection
  private let objects: ObjectTypes
  private let native: LuaReference
  private let table: HPCTable
  private let sweeps: SweepBindings
  private let index: LuaReference
  private let text: LuaReference
  private let pairs: LuaReference
  private let arrayType: LuaReference
  private(set) var bodies: [String: APIBody] = [:]

  init(
    table: HPCTable, connection: LazyConnection, sweeps: SweepBindings, state: LuaState
  ) throws {
    self.table = table
    self.sweeps = sweeps
    self.connection = connection
    objects = table.objects
    let native = table.native
    self.native = native
    let methods = try Self.methods(native, state)
    index = try state.function("Job") { call in
      guard let key = try call.value(2).text else { return .nothing }
      let method = try call.state.rawGet(methods, .string(key))
      if !method.isNil { return .value(method) }
      let job = try call.table(1)
      guard let type = try call.state.metatable(of: job) else { return .nothing }
      if ["observation", "never_seen"].contains(key) {
        return .value(try call.state.rawGet(type, .string(key)))
      }
      let observedAt = try call.state.rawGet(type, "observed_at").asNumber ?? 0
      return .value(try JobObject.value(key, of: job, observedAt: observedAt, in: call.state))
    }
    func fromPrelude(_ name: String, _ key: LuaValue) throws -> LuaReference {
      try state.function(name) { call in
        guard let function = try call.state.rawGet(native, key).asReference else {
          return .nothing
        }
        return .call(function, [.argument(1)])
      }
    }
    text = try fromPrelude("tostring", "job_text")
    pairs = try fromPrelude("pairs", "job_pairs")
    arrayType = try state.make([
      "__name": "Job[]", "__jsontype": "array",
      "__tostring": .reference(try fromPrelude("tostring", "table_text")),
    ])
    bodies = makeBodies()
    for (name, body) in try natives() {
      try state.rawSet(native, .string(name), .reference(try state.function(name, body)))
    }
    try state.rawSet(native, "short_names", .array(JobObject.shortNames.map { .string($0) }))
    try state.rawSet(native, "job_columns", .array(JobObject.columns.map { .string($0) }))
  }

  /// Methods are looked up in a table of their own, before fields.
  private static func methods(_ native: LuaReference, _ state: LuaState) throws -> LuaReference {
    let methods = try state.make([:])
    for entry in APISpec.entries where entry.kind == .method && entry.path.hasPrefix("Job:") {
      let key = LuaValue.string("job_" + entry.name)
      let check = ArgumentCheck(entry: entry, objects: ObjectTypes())
      let method = try state.function(entry.name) { call in
        guard try ObjectTypes().name(of: call.value(1), in: call.state) == "Job" else {
          throw LuaError.type(1, expected: "Job")
        }
        try check.check(call)
        guard let function = try call.state.rawGet(native, key).asReference else {
          return .nothing
        }
        return .call(function, (0..<call.count).map { .argument($0 + 1) })
      }
      try state.rawSet(methods, .string(entry.name), .reference(method))
    }
    return methods
  }

  /// The client; from now on all connections know whose Jobs and errors these are.
  private func client() throws -> HPCClient {
    if let known = madeClient { return known }
    let client = try connection.client()
    if table.accounts[client.account]?() == nil {
      table.accounts[client.account] = { [weak self] in self }
    }
    madeClient = client
    return client
  }
  private var madeClient: HPCClient?

  /// The metatable of jobs that were seen at one moment.
  private func jobType(observedAt: Double, in state: LuaState) throws -> LuaReference {
    try state.make(
      .table(
        typeFields + [
          (Self.observedAtKey, .number(observedAt)),
          (Self.accountKey, .integer(try client().account)),
        ]))
  }

  /// What the metatables of all jobs share.
  private lazy var typeFields: [(key: LuaValue, value: LuaValue)] = [
    ("__name", "Job"), ("__index", .reference(index)), ("__pairs", .reference(pairs)),
    ("__tostring", .reference(text)),
  ]
  private static let observedAtKey: LuaValue = "observed_at"
  private static let accountKey: LuaValue = "account"

  private func makeBodies() -> [String: APIBody] {
    [
      "hpc.jobs.list": table.inLua("list"), "hpc.jobs.cancel": table.inLua("cancel"),
      "hpc.jobs.get": .native { [self] call in
        let id = try id(call, 1)
        let options = try HPCTable.callOptions(call, 2)
        let client = try self.client()
        let find = sweeps.finder(client)
        return .await(
          by: LuaAwait.task(on: client.executor),
          {
            let answer = try await client.jobRaw(id, options)
            return (answer, await find { answer.jobs })
          }
        ) { [self] call, found in
          let (answer, places) = found
          let type = try jobType(observedAt: answer.observedAt, in: call.state)
          let job = try decode(answer, .getJob, "/jobs/\(id)", "a job", in: call.state)
          try call.state.setMetatable(of: job, to: type)
          let list = try call.state.make([.reference(job)])
          try sweeps.mark(list, with: places, in: call.state)
          table.sawJobs?(list)
          return .value(.reference(job))
        }
      },
      "hpc.jobs.submit": .native { [self] call in
        let argument = try call.value(1)
        var jobfile = try argument.wireText("jobfile", 1) ?? ""
        var qopt: String?
        if let table = argument.asReference {
          jobfile = try call.state.rawGet(table, "jobfile").wireText("jobfile", 1) ?? ""
          qopt = try call.state.rawGet(table, "qopt").wireText("qopt", 1)
        }
        // Options here, or another script, would be lost silently.
        if !call.isAbsent(2) {
          throw LuaError.argument(
            2,
            "one script a call; options belong into one table: "
              + "hpc.jobs.submit{jobfile = …, timeout = …}")
        }
        guard !jobfile.isEmpty else {
          throw LuaError.argument(1, "the jobfile is empty: name a script in your home there")
        }
        if qopt != nil { warnOnce() }
        let client = try self.client()
        let options = try HPCTable.callOptions(call, 1)
        return submit(jobfile, qopt, by: client, options)
      },
      "hpc.jobs.wait": .native { [self] call in try wait(call) },
      "hpc.jobs.settle": .native { [self] call in try settle(call) },
    ]
  }

  /// Submits; what comes of it is told even where no task takes it.
  private func submit(
    _ path: String, _ qopt: String?, by client: HPCClient, _ options: CallOptions
  ) -> LuaReturn {
    typealias Outcome = (receipt: Int, job: Result<SubmittedJob, any Error>)
    let (ledger, log) = (table.host.submissions, table.host.log)
    @Sendable func tell(_ text: String?) { if let text { log(.warn, text) } }
    return .await(
      LuaAwait(
        starting: { (end: @escaping @Sendable (Result<Outcome, any Error>) -> Void) in
          let receipt = ledger.begin(path)
          let cancel = ledger.start(path) {
            do throws(HPCError) {
              let job = try await client.submitJob(jobfile: path, qopt: qopt, options)
              tell(ledger.answered(receipt, .accepted(job.id)))
              end(.success((receipt, .success(job))))
            } catch {
              tell(ledger.answered(receipt, error.isAmbiguous ? .unknown : .notSubmitted))
              end(.success((receipt, .failure(error))))
            }
          }
          return {
            tell(ledger.leave(receipt))
            cancel()
          }
        },
        then: { [self] call, result in
          let outcome = try result.get()
          ledger.taken(outcome.receipt)
          return try submitted(outcome.job.get(), path, in: call)
        }))
  }

  /// The numbers of jobs that were just submitted, among the results of a map that ends early.
  static func submitted(in results: LuaReference, _ state: LuaState) throws -> [Int] {
    try state.entries(of: results).compactMap { _, value in
      guard let job = value.asReference, try ObjectTypes().name(of: value, in: state) == "Job",
        try state.rawGet(job, "jobfile").text != nil, try state.rawGet(job, "status").isNil
      else { return nil }
      return try state.rawGet(job, "job_id").asInteger
    }.sorted()
  }

  /// A Job of an accepted submission.
  private func submitted(
    _ accepted: SubmittedJob, _ path: String, in call: borrowing LuaCall
  ) throws -> LuaReturn {
    if table.host.submissions.isForsaken {
      table.host.log(.warn, "submitted: \"\(path)\" is job \(accepted.id)")
    }
    let type = try jobType(observedAt: Date().timeIntervalSince1970, in: call.state)
    let job = LuaValue.table(
      LuaValue.fields(accepted.fields) + [
        ("job_id", .integer(Int(accepted.id.number))), ("jobfile", .string(path)),
      ], metatable: type)
    if let saw = table.sawJobs { saw(try call.state.make(.array([job]))) }
    return .value(job)
  }

  private func natives() throws -> [(String, LuaBody)] {
    [
      (
        "fetch_list",
        { [self] call in
          let options = try HPCTable.callOptions(call, 1)
          let client = try self.client()
          let find = sweeps.finder(client)
          return .await(
            by: LuaAwait.task(on: client.executor),
            {
              let answer = try await client.listJobsRaw(options)
              let isEmpty = !answer.bytes.contains(UInt8(ascii: "{"))
              return (answer, isEmpty ? nil : await find { answer.jobs })
            }
          ) { [self] call, found in
            let (answer, places) = found
            // Without an object in it nothing gets a type.
            let type =
              try places == nil ? index : jobType(observedAt: answer.observedAt, in: call.state)
            let jobs = try decode(
              answer, .listJobs, "/jobs", "a list of jobs", elements: type, in: call.state)
            try sweeps.mark(jobs, with: places ?? [:], in: call.state)
            table.sawJobs?(jobs)
            return .value(.reference(jobs))
          }
        }
      ),
      (
        "cancel_one",
        { [self] call in
          let id = try id(call, 1)
          let options = try HPCTable.callOptions(call, 2)
          let client = try self.client()
          return .await(
            by: LuaAwait.task(on: client.executor), { try await client.cancel(id, options) }
          ) { _, _ in .nothing }
        }
      ),
      (
        "is_one_job",
        { [objects] call in
          .value(.boolean(try objects.isOneJob(call.value(1), in: call.state)))
        }
      ),
      ("tell_sweeps", { [sweeps] call in try sweeps.tellSweeps(call) }),
      ("id_of", { [self] call in .value(.integer(Int(try id(call, 1).number))) }),
      (
        "is_job",
        { [objects] call in
          .value(.boolean(try objects.name(of: call.value(1), in: call.state) == "Job"))
        }
      ),
      ("job_array", { [arrayType] _ in .value(.array([], metatable: arrayType)) }),
      (
        "spelling",
        { call in
          guard let name = try call.value(1).text else { return .value(.argument(1)) }
          return .value(.string(JobObject.spelling(name)))
        }
      ),
      (
        "printable",
        { call in
          .value(.string(TextTable.printable(try call.state.text(of: call.value(1)))))
        }
      ),
      (
        "no_jobs",
        { [self] _ in throw try badAnswer(.listJobs, "/jobs", "a list of something that is no job")
        }
      ),
      (
        "load_tables",
        { call in
          .call(
            try call.state.load(PackageResources.tables_lua, name: "=hpc.tables"), [.argument(1)])
        }
      ),
      (
        "layout",
        { call in
          let state = call.state
          func texts(_ value: LuaValue) throws -> [String] {
            guard let list = value.asReference else { return [] }
            return try state.read(list: list).map { $0.text ?? "" }
          }
          let right = try state.read(list: call.table(3)).map(\.isTrue)
          let table = TextTable(
            headers: try texts(call.value(1)),
            rows: try state.read(list: call.table(2)).map(texts),
            alignments: right.map { $0 ? .right : .left })
          return .value(.string(table.rendered()))
        }
      ),
    ]
  }

  // MARK: Waiting

  private func wait(_ call: borrowing LuaCall) throws -> LuaReturn {
    let what = try call.value(1)
    let state = call.state
    let isOne = try objects.isOneJob(what, in: state)
    var seen: [JobID: JobRecord] = [:]
    var items = [what]
    if !isOne, let list = what.asReference { items = try state.read(list: list) }
    var ids: [JobID] = []
    for item in items {
      guard let number = try objects.number(of: item, in: state) else {
        throw LuaError.argument(1, "id or Job expected")
      }
      try checkAccount(of: item, JobID(number), in: state)
      ids.append(JobID(number))
      guard let job = item.asReference else { continue }
      seen[JobID(number)] = try JobObject.record(of: job, JobID(number), in: state)
    }
    let times = try HPCTable.times(call, options: 2)
    var options = WaitOptions(interval: times.interval, timeout: times.timeout)
    options.seen = seen
    var port: LuaPort<JobObservation>?
    if !call.isAbsent(2),
      let handler = try state.rawGet(call.table(2), "on_change").asReference
    {
      let made = state.port(of: JobObservation.self) { [self] state, observation in
        _ = try? state.spawn(handler, [observed(observation, in: state)])
      }
      port = made
      options.onChange = { made.post($0) }
    }
    let client = try self.client()
    let (wanted, final, keptPort) = (ids, options, port)
    return .await(
      LuaAwait(
        starting: { (end: @escaping @Sendable (Result<WaitResult, any Error>) -> Void) in
          do throws(HPCError) {
            return try client.startWait(for: wanted, final) { outcome in
              _ = keptPort
              end(Result { try isOne ? outcome.get().known() : outcome.get() })
            }
          } catch {
            end(.failure(error))
            return {}
          }
        },
        then: { [self] call, result in
          let result = try result.get()
          let jobs = try call.state.make(
            .array(result.jobs.map { observed($0, in: call.state) }, metatable: arrayType))
          let first = isOne ? try call.state.rawGet(jobs, 1) : .reference(jobs)
          let answer = LuaReturn.values(result.isTimeout ? [first, "timeout"] : [first])
          guard result.jobs.contains(where: { $0.record?.name == nil }) else { return answer }
          // A sweep may know those that nobody else has seen.
          let find = sweeps.finder(client)
          let names = result.jobs.map { ($0.id.number, $0.record?.name ?? "") }
          return .await({ await find { names } }) { [self] call, places in
            try sweeps.mark(jobs, with: places, in: call.state)
            return answer
          }
        }))
  }

  /// A job as a watcher knows it: the last record, with what evidence there is.
  private func observed(_ observation: JobObservation, in state: LuaState) -> LuaValue {
    guard let type = try? jobType(observedAt: observation.observedAt, in: state) else {
      return .nil
    }
    var fields: [(key: LuaValue, value: LuaValue)] = [
      ("job_id", .integer(Int(observation.id.number)))
    ]
    if let record = observation.record,
      case .table(let known, _) = JobObject.value(record, metatable: type)
    {
      fields = known
    }
    fields.append(("evidence", .string(observation.evidence.description)))
    fields.append(("age", .number(max(0, Date().timeIntervalSince1970 - observation.observedAt))))
    fields.append(("state", .string(observation.state.description)))
    // What only messages are made of is no field of the job.
    try? state.rawSet(type, "observation", .string(observation.text))
    if observation.evidence == .gone, !observation.wasKnown {
      try? state.rawSet(type, "never_seen", true)
    }
    return .table(fields, metatable: type)
  }

  private func settle(_ call: borrowing LuaCall) throws -> LuaReturn {
    let error = try call.table(1)
    guard let jobfile = try call.state.rawGet(error, "jobfile").text,
      let sentAt = try call.state.rawGet(error, "sent_at").asNumber
    else {
      throw LuaError.argument(1, "the error of an ambiguous submission expected")
    }
    let times = try HPCTable.times(call, options: 2)
    let account = try call.state.rawGet(error, Self.accountKey).asInteger ?? 0
    let attempt = SubmissionAttempt(jobfile: jobfile, sentAt: sentAt, account: account)
    // Another account's list would say that there is no such job.
    let owner = table.accounts[account]?() ?? self
    return try owner.settle(attempt, times.interval, times.timeout)
  }

  private func settle(
    _ attempt: SubmissionAttempt, _ interval: Duration?, _ timeout: Duration?
  ) throws -> LuaReturn {
    let client = try self.client()
    return .await({
      try await client.settle(
        attempt, interval: interval ?? .seconds(10), timeout: timeout ?? .seconds(180))
    }) { [self] call, settlement in
      let type = try jobType(observedAt: Date().timeIntervalSince1970, in: call.state)
      let candidates = settlement.candidates.map { JobObject.value($0, metatable: type) }
      let verdict =
        candidates.isEmpty ? (settlement.isAbsent ? "absent" : "unknown") : "candidates"
      return .values([.array(candidates, metatable: arrayType), .string(verdict)])
    }
  }

  // MARK: Pieces

  private func id(_ call: borrowing LuaCall, _ position: Int) throws -> JobID {
    guard let number = try objects.number(of: call.value(position), in: call.state) else {
      throw LuaError.type(position, expected: "id or Job")
    }
    try checkAccount(of: call.value(position), JobID(number), in: call.state)
    return JobID(number)
  }

  /// Refuses a Job of another account: the same number is another job here.
  private func checkAccount(of value: LuaValue, _ id: JobID, in state: LuaState) throws {
    guard let job = value.asReference, let type = try state.metatable(of: job),
      let account = try state.rawGet(type, Self.accountKey).asInteger,
      try account != client().account
    else { return }
    let owner = try? table.accounts[account]?()?.client()
    let place = owner.map { " (\($0.configuration.endpoint))" } ?? ""
    throw HPCError(
      .invalidArgument, "job \(id) is one of another connection\(place)",
      hint: "Use the table that hpc.connect gave, or the job's own methods.")
  }

  private func decode(
    _ answer: RawAnswer, _ operation: APIOperation, _ path: String, _ what: String,
    elements: LuaReference? = nil, in state: LuaState
  ) throws -> LuaReference {
    do {
      return try state.make(
        .json(answer.bytes, list: elements == nil ? nil : arrayType, elements: elements))
    } catch {
      throw try badAnswer(operation, path, "something that is not \(what): \(error)", answer.bytes)
    }
  }

  private func badAnswer(
    _ operation: APIOperation, _ path: String, _ what: String, _ body: [UInt8] = []
  ) throws -> HPCError {
    try client().badAnswer(operation, path: path, what: what, body)
  }

  private var warned = false

  private func warnOnce() {
    guard !warned else { return }
    warned = true
    table.host.log(.warn, "qopt is passed on, but the service ignores it")
  }
}
