import FoundationEssentials
public import HTTP
public import SigV4
import Synchronization

/// A client of the HPC REST API: six operations, retried where that is safe, never a submission
/// sent twice (design §4).
///
/// Usable from any task; every call throws ``HPCError`` only and ends soon after its task is
/// cancelled.
public final class HPCClient: Sendable {
  /// Everything that a client needs to know.
  public struct Configuration: Sendable {
    /// Scheme, host, port and a path before the operations' own.
    public var endpoint: HTTPURL
    public var credentials: Credentials
    public var scope: SigningScope
    public var retry: RetryPolicy
    /// How much faster than the wall clock the service's jobs run: 1 but on a simulator.
    public var clockRate: Double
    public var time: any TimeSource
    /// Where the poller of this endpoint is found, and what has been seen of its jobs; one registry a
    /// process.
    public var watchers = WatcherRegistry.shared
    /// Where the gate of this account's syncs is found; one registry a process.
    public var syncGates = SyncGateRegistry.shared
    /// The user's other programs that sync; nil where they are not to be seen.
    public var syncNeighbours: (any SyncNeighbours)?
    /// Draws in 0..<1, for backoff.
    public var random: @Sendable () -> Double
    /// Whether a file is there on this computer, for the advice after a refused submission.
    public var fileExists: @Sendable (String) -> Bool
    /// Told what happens; called from any thread.
    public var observer: @Sendable (ClientEvent) -> Void

    public init(
      endpoint: HTTPURL, credentials: Credentials, scope: SigningScope,
      retry: RetryPolicy = RetryPolicy(), clockRate: Double = 1,
      time: any TimeSource = SystemTime(),
      random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
      fileExists: @escaping @Sendable (String) -> Bool = { _ in false },
      observer: @escaping @Sendable (ClientEvent) -> Void = { _ in }
    ) {
      self.endpoint = endpoint
      self.credentials = credentials
      self.scope = scope
      self.retry = retry
      self.clockRate = clockRate
      self.time = time
      self.random = random
      self.fileExists = fileExists
      self.observer = observer
    }
  }

  public let configuration: Configuration
  /// How far the service's clock is ahead of this machine's; learnt from refused signatures.
  public let clockOffset: ClockOffset
  let transport: any HTTPTransport
  private let signer: SigV4Signer
  /// What this process has seen of the service and the account's jobs.
  let memory: JobMemory
  private let lastOutageNotice = Mutex<Duration?>(nil)
  private let toldOffset = Mutex<Double>(0)
  private let keptWatcher = Mutex<JobWatcher?>(nil)

  public convenience init(_ configuration: Configuration, transport: any HTTPTransport) {
    self.init(configuration, transport: transport, clockOffset: ClockOffset())
  }

  private init(
    _ configuration: Configuration, transport: any HTTPTransport, clockOffset: ClockOffset
  ) {
    self.configuration = configuration
    self.transport = transport
    self.clockOffset = clockOffset
    memory = configuration.watchers.memory(for: configuration)
    signer = SigV4Signer(
      credentials: configuration.credentials, scope: configuration.scope, clockOffset: clockOffset)
  }

  /// Which account at which endpoint this is: a number of this process.
  public var account: Int { memory.account }

  /// Where tasks run best that make one call and hand its answer on; nil for the global pool.
  public var executor: (any TaskExecutor)? { transport.executor }

  /// Another client of the same account over the same transport and clock.
  func twin() -> HPCClient {
    HPCClient(configuration, transport: transport, clockOffset: clockOffset)
  }

  /// The poller of this endpoint; kept from the first wait on.
  var watcher: JobWatcher {
    keptWatcher.withLock { kept in
      let watcher = kept ?? configuration.watchers.watcher(for: self)
      kept = watcher
      return watcher
    }
  }

  /// Seconds since 1970 on this machine's clock.
  var now: Double { configuration.time.date().timeIntervalSince1970 }

  /// Seconds since 1970 on the service's clock, as far as it is known.
  var serverNow: Double { now + clockOffset.seconds }
}

extension HPCClient {
  /// Whether a whole list of so many jobs proves something.
  func judge(count: Int) -> Bool {
    memory.isGood(count: count, at: configuration.time.uptime())
  }

  /// Follows the service's clock from now on; told where that is news, for ten requests at a time
  /// find it out at once.
  func followClock(ahead seconds: Double) {
    clockOffset.seconds = seconds
    let isNews = toldOffset.withLock { told in
      guard abs(seconds - told) > 2 else { return false }
      told = seconds
      return true
    }
    if isNews { configuration.observer(.clockCorrected(seconds: seconds)) }
  }
}

/// What a single call may change.
public struct CallOptions: Sendable, Hashable {
  /// In place of the policy's: how long after the first failure to try again; zero for never.
  public var retryDeadline: Duration?
  /// In place of the operation's: from the call, a wait for a free connection included, to the
  /// connection, and from there to the whole answer.
  public var timeout: Duration?
  /// When everything has to be over, on the clock of `TimeSource.uptime()`: no request may take
  /// longer.
  var end: Duration?

  public init(retryDeadline: Duration? = nil, timeout: Duration? = nil) {
    self.retryDeadline = retryDeadline
    self.timeout = timeout
  }
}

/// One operation with its arguments, ready to be sent any number of times.
struct Call: Sendable {
  var operation: APIOperation
  var path: String
  var kind: RetryMachine.Kind
  var body: [UInt8]?
  var job: JobID?
  var jobfile: String?
}

extension HPCClient {
  /// Sends a call until it has an answer that `read` accepts, or until trying again is over.
  ///
  /// Returns nil where a repeated DELETE found that an earlier one had worked.
  func perform<Value: Sendable>(
    _ call: Call, options: CallOptions,
    read: @Sendable (HTTPResponse) -> Result<Value, Failure>
  ) async throws(HPCError) -> Value? {
    var request = request(call, options: options)
    var subject = subject(call, request: request)
    var policy = configuration.retry
    if let deadline = options.retryDeadline {
      policy.deadline = deadline
      policy.maintenanceDeadline = deadline
    }
    var machine = RetryMachine(
      kind: call.kind, policy: policy, end: options.end,
      isKnownEndpoint: memory.hasAnswered)
    var attempts = 0
    while true {
      attempts += 1
      if let end = options.end {
        let left = max(end - configuration.time.uptime(), .milliseconds(1))
        request.timeouts.total = min(left, request.timeouts.total ?? left)
        subject.timeout = request.timeouts.total ?? left
        request.timeouts.connect = min(left, request.timeouts.connect)
        request.timeouts.queue = min(left, request.timeouts.queue ?? left)
      }
      let (outcome, response) = await attempt(request)
      let failure: Failure
      switch outcome.flatMap(read) {
      case .success(let value): return value
      case .failure(let reason): failure = reason
      }
      let event = RetryMachine.Event(
        failure: failure,
        retryAfter: response?.headers["Retry-After"].flatMap {
          HTTPDate.retryAfter($0, now: serverNow)
        },
        serverDate: response?.headers["Date"].flatMap(HTTPDate.epochSeconds(parsing:)).map(
          Double.init),
        now: configuration.time.uptime(), localDate: now, random: configuration.random())
      switch machine.decide(event) {
      case .alreadyDone: return nil
      case .fail(let isAmbiguous):
        var error = ErrorText.error(failure, subject, attempts: attempts)
        error.isAmbiguous = isAmbiguous
        if isAmbiguous, call.kind == .destructive { error = ErrorText.lostSync(error) }
        error.retryAfter = failure.isTransient ? machine.asked(event) : nil
        if let asked = event.retryAfter, failure.isTransient, !isAmbiguous {
          error.hint = "The service asks to wait \(Int64(min(asked, 1e9))) s."
        }
        if let text = response?.headers["Date"], failure.saysExpired,
          !RetryMachine.isPlausible(event.serverDate)
        {
          error.hint = ErrorText.brokenClock(text)
        }
        throw error
      case .correctClock(let offset):
        followClock(ahead: offset)
      case .retry(let pause):
        let why = ErrorText.error(failure, subject, attempts: 1).message
        configuration.observer(
          .retrying(operation: call.operation, request: subject.request, after: pause, why: why))
        tellOutage(why, since: machine.firstFailure ?? event.now, now: event.now, pause, policy)
        do {
          try await configuration.time.sleep(for: pause)
        } catch {
          throw ErrorText.error(
            .transport(.init(.cancelled, mayHaveBeenSent: false, detail: "cancelled")), subject,
            attempts: attempts)
        }
      }
    }
  }

  /// Tells once a minute that calls are held up, so that a program that waits does not look dead,
  /// and before a long pause, not after it; of shorter trials, and so of the poller, long pauses alone.
  private func tellOutage(
    _ why: String, since: Duration, now: Duration, _ pause: Duration, _ policy: RetryPolicy
  ) {
    let isLong = pause >= .seconds(10)
    guard isLong || (policy.deadline > .seconds(60) && now + pause - since >= .seconds(10)) else {
      return
    }
    let isDue = lastOutageNotice.withLock { last in
      if let last, now - last < .seconds(60) { return false }
      last = now
      return true
    }
    guard isDue else { return }
    let next = isLong ? " Next try in \(ErrorText.duration(pause))." : ""
    configuration.observer(.warning("still trying: \(ErrorText.sentence(why))\(next)"))
  }

  /// One attempt: an answer that is a success, or why there is none.
  func attempt(_ request: HTTPRequest) async -> (Result<HTTPResponse, Failure>, HTTPResponse?) {
    let response: HTTPResponse
    do {
      response = try await transport.send(request)
    } catch {
      return (.failure(.transport(error)), nil)
    }
    memory.hasAnswered = true
    guard (200..<300).contains(response.status) else {
      var fault = ServiceFault(response)
      let keys = configuration.credentials
      fault.hide([keys.secretAccessKey, keys.sessionToken].compactMap { $0 })
      return (.failure(.fault(fault)), response)
    }
    return (.success(response), response)
  }

  func request(_ call: Call, options: CallOptions) -> HTTPRequest {
    let operation = call.operation
    var request = HTTPRequest(
      operation.method, configuration.endpoint.appending(path: call.path),
      requestClass: operation.requestClass, isRepeatable: call.kind == .idempotent,
      wantsFreshConnection: [.submission, .destructive].contains(call.kind), signer: signer)
    let total = options.timeout ?? operation.totalTimeout
    // A sync whose number is not learnt cannot be kept apart from an opposite one.
    let isAwaited = [.submitJob, .startSync].contains(operation)
    // The machine works in silence: the total is the only limit on a quiet connection.
    request.timeouts = HTTPTimeouts(
      queue: options.timeout, connect: min(.seconds(10), total), idle: nil, total: total,
      afterCancellation: isAwaited ? Self.graceAfterCancellation : nil)
    if let body = call.body {
      // Exactly so, or the service answers "Invalid Content-Type." (api.md, Operations).
      request.headers["Content-Type"] = "application/json;charset=utf-8"
      request.body = .bytes(body)
      request.bodySHA256 = SHA256.hexadecimal(of: body)
    }
    return request
  }

  func subject(_ call: Call, request: HTTPRequest) -> ErrorText.Subject {
    ErrorText.Subject(
      operation: call.operation, url: request.url, path: call.path,
      timeout: request.timeouts.total ?? .zero, job: call.job, jobfile: call.jobfile)
  }
}
