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
  }

  /// Longest body that is read.
  static let bodyLimit = 1 << 20

  private let parts: Parts
  private let verifier: SigV4Verifier
  private let requests = Mutex<[String: Int]>([:])

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
    do throws(APIError) {
      try verify(request, body: body ?? [])
      let route = try APIRoute(method: request.method, path: request.path)
      requests.withLock { $0[route.countedAs, default: 0] += 1 }
      return try perform(route, request, body: body)
    } catch {
      return error.reply
    }
  }

  private func verify(_ request: ServerRequest, body: [UInt8]) throws(APIError) {
    let asked = SigV4Verifier.Request(
      method: request.method, path: request.path, query: request.query, headers: request.headers,
      bodySHA256: SHA256.hexadecimal(of: body))
    do throws(SigV4Verifier.Failure) {
      let credentials = parts.home.credentials
      _ = try verifier.verify(asked, at: Date()) { key in
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
    _ route: APIRoute, _ request: ServerRequest, body: [UInt8]?
  ) throws(APIError) -> ServerReply {
    guard route.hasBody else { return perform(route) }
    guard request.headers["Content-Type"] == "application/json;charset=utf-8" else {
      throw .invalidContentType
    }
    let value: JSONValue
    do {
      guard let body else { throw APIError.invalidBody }
      value = try JSONValue(parsing: body)
    } catch {
      throw .invalidBody
    }
    do {
      return route == .submit
        ? try submit(SubmitBody(value)) : sync(try SyncBody(value))
    } catch let error as APIError {
      throw error
    } catch {
      return ValidationError.reply((error as? BodyErrors)?.errors ?? [])
    }
  }

  private func perform(_ route: APIRoute) -> ServerReply {
    switch route {
    case .list: .json(200, bytes: fields.list(parts.runner.visibleJobs()))
    case .get(let id): detail(id)
    case .cancel(let id): cancel(id)
    case .syncStatus(let id): .json(200, parts.syncs.status(id))
    case .submit, .sync: APIError.invalidBody.reply
    }
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

  private func submit(_ body: SubmitBody) throws(APIError) -> ServerReply {
    let request = try jobRequest(body.jobfile)
    do throws(Scheduler.Refusal) {
      let id = try parts.runner.schedule { (scheduler, now) throws(Scheduler.Refusal) in
        try scheduler.submit(request, at: now)
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

  private func sync(_ body: SyncBody) -> ServerReply {
    .json(200, ["requestid": .int(Int64(parts.syncs.request(body)))])
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
        connections: parts.gate.counts, requests: requests.withLock { $0 }
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
