import HTTP

extension ObjectStore {
  /// One request, as often as it takes.
  struct Call: Sendable {
    var context: ObjectStoreError.Context
    var method: HTTPMethod
    /// nil for the bucket itself.
    var key: String?
    var query: [(String, String)] = []
    var headers: HTTPHeaders = [:]
    var body: HTTPBody = .none
    var bodySHA256: String?
    var sink: HTTPSink = .memory(limit: HTTPSink.standardLimit)
    /// What the sink writes to, for messages.
    var sinkPath = ""
    /// Longest silence; completing a large upload takes a service long.
    var idle: Duration = .seconds(60)
    /// Bounds the time in which it is repeated, below what the policy allows.
    var patience: Duration?
  }

  /// Looks at an answer after how many attempts, on top of what ``S3Answer`` says of its status.
  typealias Judge = @Sendable (HTTPResponse, _ attempts: Int) -> S3Answer.Verdict
  /// Changes a request before each attempt.
  typealias Prepare = @Sendable (inout HTTPRequest) throws(LocalFileFailure) -> Void

  /// Answers that contradict themselves are asked for so often.
  static let attemptsOnContradiction = 3

  /// Sends a request, again where that may help, until it is accepted.
  ///
  /// - Parameters:
  ///   - call: the request.
  ///   - judge: looks at an answer 2xx.
  ///   - prepare: changes it before each attempt.
  /// - Returns: the answer that was accepted.
  /// - Throws: the error of the last attempt.
  func perform(
    _ call: Call, judge: Judge? = nil, prepare: Prepare? = nil
  ) async throws(ObjectStoreError) -> HTTPResponse {
    try await perform(call, judge: judge, prepare: prepare, clock: surroundings.clock)
  }

  private func perform<C: Clock>(
    _ call: Call, judge: Judge?, prepare: Prepare?, clock: C
  ) async throws(ObjectStoreError) -> HTTPResponse where C.Duration == Duration {
    let start = clock.now
    var attempts = 0
    var clockCorrected = false
    while true {
      attempts += 1
      var request = request(call)
      do throws(LocalFileFailure) {
        try prepare?(&request)
      } catch {
        throw ObjectStoreError(.local(error), call.context)
      }
      var failure: ObjectStoreError
      var policy = configuration.retry
      if let patience = call.patience { policy.deadline = min(policy.deadline, patience) }
      var retryAfter: Duration?
      switch await send(request) {
      case .success(let response):
        var verdict = S3Answer.judge(response, call.context, now: signingTime)
        if case .accepted = verdict, let judge { verdict = judge(response, attempts) }
        switch verdict {
        case .accepted:
          return response
        case .final(let error):
          failure = error
          policy.deadline = .zero
        case .transient(let error, let after):
          failure = error
          retryAfter = after
        case .wrongClock(let serverTime, let error):
          failure = error
          failure.attempts = attempts
          guard let serverTime, !clockCorrected else { throw failure }
          clockCorrected = true
          correctClock(serverTime: serverTime)
          continue
        }
      case .failure(let error):
        failure = Self.error(error, call)
        policy.deadline = min(policy.deadline, patience(error.kind))
      }
      failure.attempts = attempts
      let pause = policy.pause(
        attempts: attempts, elapsed: start.duration(to: clock.now), retryAfter: retryAfter,
        random: surroundings.random())
      guard let pause, !Task.isCancelled else { throw failure }
      do {
        try await clock.sleep(for: pause)
      } catch {
        throw ObjectStoreError(.cancelled, call.context, attempts: attempts)
      }
    }
  }

  private func request(_ call: Call) -> HTTPRequest {
    HTTPRequest(
      call.method, url(key: call.key, query: call.query), headers: call.headers, body: call.body,
      bodySHA256: call.bodySHA256,
      timeouts: HTTPTimeouts(idle: call.idle, total: nil), sink: call.sink)
  }

  private static func error(_ error: TransportError, _ call: Call) -> ObjectStoreError {
    switch error.kind {
    case .cancelled:
      return ObjectStoreError(.cancelled, call.context)
    case .file(let code):
      guard case .file(let path, _, _) = call.body else {
        let failure = LocalFileFailure.system(call: "write", path: call.sinkPath, errno: code)
        return ObjectStoreError(.local(failure), call.context)
      }
      return ObjectStoreError(
        .local(.system(call: "read", path: path, errno: code)), call.context)
    default:
      return ObjectStoreError(.transport(error.kind, detail: error.detail), call.context)
    }
  }

  /// How long an attempt may be repeated after a failure of its kind.
  private func patience(_ kind: TransportError.Kind) -> Duration {
    switch kind {
    // Mostly a wrong address, at least where it has never answered: minutes of silence would help
    // nobody.
    case .resolve, .connect, .connectTimeout: isKnownEndpoint ? .seconds(30) : .seconds(4)
    case .queueTimeout, .idleTimeout, .totalTimeout, .reset, .truncated: .seconds(3600)
    case .tls, .bodyTooLarge, .protocolViolation, .file, .cancelled, .closed, .other: .zero
    }
  }
}
