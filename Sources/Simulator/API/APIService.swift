import FoundationEssentials
import HTTP
import JSON
import SigV4
import Synchronization

/// The API over HTTP: connections counted, signatures verified, requests routed and answered.
final class APIService: ServerService {
  /// What the service stands on.
  struct Parts: Sendable {
    var configuration: Simulator.Configuration
    var home: HomeFolder
    var runner: JobRunner
    var syncs: SyncBoard
    var gate: ConnectionGate
    var faults: FaultInjector
  }

  /// Longest body that is read.
  static let bodyLimit = 1 << 20

  private let parts: Parts
  private let verifier: SigV4Verifier
  private let requests = Mutex<[String: Int]>([:])
  /// Submissions that came in, by their job file.
  private let submissions = Mutex<[String: Int]>([:])
  /// Jobs that lists leave out, and until when.
  private let hidden = Mutex<[Int: SimulatedTime]>([:])

  init(_ parts: Parts) {
    self.parts = parts
    verifier = SigV4Verifier(
      scope: SigningScope(
        region: parts.configuration.region, service: parts.configuration.service))
  }

  func begin(_ request: ServerRequest, on connection: ServerConnection) -> any ServerExchange {
    if request.path.hasPrefix("/_sim/") {
      connection.observe()
      return SettledExchange(observe(request, on: connection))
    }
    guard connection.admit() else {
      var reply = APIError.internal.reply
      reply.delivery = .last
      return SettledExchange(reply)
    }
    return APIExchange(request) { [self] request, body in answer(request, body: body) }
  }

  // MARK: Requests

  private func answer(_ request: ServerRequest, body: [UInt8]?) -> ServerReply {
    let route: APIRoute
    do throws(APIError) {
      route = try APIRoute(method: request.method, path: request.path)
    } catch {
      // Who may not ask is told that first.
      let refused = refusal { () throws(APIError) in
        try verify(request, body: body ?? [], at: Date())
      }
      return refused ?? error.reply
    }
    requests.withLock { $0[route.countedAs, default: 0] += 1 }
    let drawn = parts.faults.draw(route.target, subject: subject(route, body))
    return parts.faults.answer(drawn) { status in
      status == 422
        ? ValidationError.reply([
          ValidationError(location: ["body"], message: "invalid", type: "value_error")
        ]) : APIError.refusal(status, of: route)
    } perform: {
      do throws(APIError) {
        try verify(request, body: body ?? [], at: parts.faults.date(drawn))
        return try perform(route, request, body: body, drawn)
      } catch {
        return error.reply
      }
    }
  }

  /// Counts a submission; whom its script is about.
  private func subject(_ route: APIRoute, _ body: [UInt8]?) -> String? {
    guard route.target == .submit, let body,
      let jobfile = (try? JSONValue(parsing: body))?["jobfile"]?.string
    else { return nil }
    submissions.withLock { $0[jobfile, default: 0] += 1 }
    guard let path = parts.home.jobFile(jobfile),
      let script = try? LocalFiles.read(path, limit: 16 << 20)
    else { return nil }
    return FaultInjector.subject(of: script)
  }

  private func refusal(_ body: () throws(APIError) -> Void) -> ServerReply? {
    do throws(APIError) {
      try body()
      return nil
    } catch {
      return error.reply
    }
  }

  private func verify(_ request: ServerRequest, body: [UInt8], at date: Date) throws(APIError) {
    let asked = SigV4Verifier.Request(
      method: request.method, path: request.path, query: request.query, headers: request.headers,
      bodySHA256: SHA256.hexadecimal(of: body))
    do throws(SigV4Verifier.Failure) {
      let credentials = parts.home.credentials
      _ = try verifier.verify(asked, at: date) { key in
        key == credentials.accessKeyID ? credentials : nil
      }
    } catch {
      switch error {
      case .missingAccessKey: throw .noAccessKey
      case .missingSignature: throw .noSignature
      case .expired: throw .signatureExpired
      default:
        parts.configuration.log?("\(request.method) \(request.path) refused: \(error)")
        throw .authenticationFailed
      }
    }
  }

  private func perform(
    _ route: APIRoute, _ request: ServerRequest, body: [UInt8]?, _ drawn: FaultDraw.Drawn?
  ) throws(APIError) -> ServerReply {
    switch route {
    case .list: return list(drawn)
    case .get(let id): return detail(id)
    case .cancel(let id): return cancel(id)
    case .syncStatus(let id): return .json(200, parts.syncs.status(id))
    case .submit, .sync: break
    }
    guard request.headers["Content-Type"] == "application/json;charset=utf-8" else {
      throw .invalidContentType
    }
    guard let body, let value = try? JSONValue(parsing: body) else { throw .invalidBody }
    let submission: SubmitBody
    do throws(BodyErrors) {
      guard route == .submit else { return sync(try SyncBody(value), drawn) }
      submission = try SubmitBody(value)
    } catch {
      return ValidationError.reply(error.errors)
    }
    return try submit(submission, drawn)
  }

  // MARK: Operations

  private var fields: JobFields {
    JobFields(
      dialect: parts.configuration.dialect, user: parts.configuration.user,
      group: parts.configuration.group, now: parts.runner.clock.now())
  }

  private func detail(_ id: Int) -> ServerReply {
    if let job = parts.runner.job(id) { return .json(200, bytes: fields.detail(job)) }
    return parts.configuration.dialect == .upstream
      ? .json(404, "Parse entry failed: None") : APIError.notPermitted.reply
  }

  private func cancel(_ id: Int) -> ServerReply {
    do throws(Scheduler.Refusal) {
      try parts.runner.schedule { (scheduler, now) throws(Scheduler.Refusal) in
        try scheduler.cancel(id, at: now)
      }
      return ServerReply(status: 204)
    } catch {
      guard parts.configuration.dialect == .upstream else { return APIError.notPermitted.reply }
      let message =
        error == .notFound
        ? "[ERR.] PJM 0112 pjdel Job \(id) does not exist.\n"
        : "[ERR.] PJM 0113 pjdel Job \(id) is not in a state that can be deleted.\n"
      return .json(404, ["errorMessage": .string(message)])
    }
  }

  /// The list, without the jobs that are hidden.
  private func list(_ drawn: FaultDraw.Drawn?) -> ServerReply {
    if drawn?.kind == .empty { return .json(200, bytes: Array("[]".utf8)) }
    let now = parts.runner.clock.now()
    var jobs = parts.runner.visibleJobs()
    if let drawn, drawn.kind == .short {
      // Every other one, now these and now those.
      let rest = Int(drawn.chance * 1000) % 2
      jobs.removeAll { $0.id % 2 == rest }
    }
    hidden.withLock { hidden in
      if let drawn, drawn.kind == .hide, !jobs.isEmpty {
        let id = jobs[min(jobs.count - 1, Int(drawn.chance * Double(jobs.count)))].id
        hidden[id] = now + drawn.fault.duration
      }
      guard !hidden.isEmpty else { return }
      hidden = hidden.filter { $0.value > now }
      jobs.removeAll { hidden[$0.id] != nil }
    }
    return .json(200, bytes: fields.list(jobs))
  }

  private func submit(
    _ body: SubmitBody, _ drawn: FaultDraw.Drawn?
  ) throws(APIError) -> ServerReply {
    let request = try jobRequest(body.jobfile)
    do throws(Scheduler.Refusal) {
      let id = try parts.runner.schedule { (scheduler, now) throws(Scheduler.Refusal) in
        if let drawn, drawn.kind == .acceptLate {
          scheduler.submitLate(request, after: drawn.fault.duration, at: now)
          return 0
        }
        let id = try scheduler.submit(request, at: now)
        if drawn?.kind == .acceptTwice { _ = try? scheduler.submit(request, at: now) }
        return id
      }
      let location = ("Location", "/jobs/\(id)")
      return parts.configuration.dialect == .upstream
        ? .json(200, ["job_id": .string("\(id)")], headers: [location])
        : .json(201, ["job_id": .int(Int64(id))], headers: [location])
    } catch {
      parts.configuration.log?("\"\(body.jobfile)\" refused: \(error)")
      throw .operationFailed
    }
  }

  /// Reads a script as pjsub does. The API gives one answer to all that may be wrong with it.
  private func jobRequest(_ jobfile: String) throws(APIError) -> JobRequest {
    func refuse(_ why: String) -> APIError {
      parts.configuration.log?("\"\(jobfile)\" refused: \(why)")
      return .operationFailed
    }
    guard let path = parts.home.jobFile(jobfile) else { throw refuse("no such file in home") }
    do {
      let script = try LocalFiles.read(path, limit: 16 << 20)
      let directives = try JobDirectives(parsing: script)
      let base = jobfile.split(separator: "/").last.map(String.init) ?? jobfile
      return JobRequest(
        name: directives.name ?? String(base.prefix(63)), directives: directives, script: script)
    } catch {
      throw refuse("\(error)")
    }
  }

  private func sync(_ body: SyncBody, _ drawn: FaultDraw.Drawn?) -> ServerReply {
    let trouble = drawn?.trouble(speed: parts.configuration.speed)
    return .json(200, ["requestid": .int(Int64(parts.syncs.request(body, trouble: trouble)))])
  }

  // MARK: The simulator's own

  private func observe(_ request: ServerRequest, on connection: ServerConnection) -> ServerReply {
    guard connection.isLoopback else { return APIError.noRights.reply }
    guard request.path == "/_sim/state" else { return APIError.urlNotFound.reply }
    guard request.method == "GET" else { return APIError.methodNotAllowed.reply }
    return .json(
      200,
      StateReport(
        now: parts.runner.clock.now(), jobs: parts.runner.allJobs(), syncs: parts.syncs.all(),
        connections: parts.gate.counts, requests: requests.withLock { $0 },
        submissions: submissions.withLock { $0 },
        faults: parts.faults.counts
      ).json)
  }
}

/// One request of the API: its body is kept up to a bound.
private final class APIExchange: ServerExchange {
  private let request: ServerRequest
  private let answer: (ServerRequest, [UInt8]?) -> ServerReply
  private var body: [UInt8]? = []

  init(_ request: ServerRequest, answer: @escaping (ServerRequest, [UInt8]?) -> ServerReply) {
    self.request = request
    self.answer = answer
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    guard let count = body?.count, count + bytes.count <= APIService.bodyLimit else {
      body = nil
      return
    }
    unsafe body?.append(contentsOf: bytes)
  }

  func finish() -> ServerReply { answer(request, body) }
}
