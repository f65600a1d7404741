public import HTTP
import Synchronization

/// Sends requests through libcurl: one thread, started at the first request, and never more
/// connections than the governor allows (design §2, §4).
public final class CurlTransport: HTTPTransport, Sendable {
  private enum Phase {
    case unused
    case running(LoopThread)
    case closed
  }

  private let configuration: Configuration
  private let mailbox: Mailbox
  private let loopExecutor: LoopExecutor
  private let phase = Mutex(Phase.unused)
  private let lastID = Atomic<UInt64>(0)

  /// Opens nothing and starts nothing yet.
  public init(_ configuration: Configuration = Configuration()) {
    self.configuration = configuration
    mailbox = Mailbox()
    loopExecutor = LoopExecutor(mailbox)
  }

  deinit {
    // Nobody waits for an answer any more: a call in flight holds the transport.
    phase.withLock { phase in
      if case .running = phase {
        _ = mailbox.post(.shutdown)
      }
      phase = .closed
    }
  }

  public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
    let ticket = Call.Ticket(id: lastID.wrappingAdd(1, ordering: .relaxed).newValue)
    let reply = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        submit(Call(request, ticket: ticket, continuation: continuation))
      }
    } onCancel: {
      // The flag first: the curl thread looks at it when the request arrives after this command.
      ticket.cancel()
      _ = mailbox.post(.cancel(ticket.id))
    }
    return try reply.get()
  }

  /// The transport's own thread.
  public var executor: (any TaskExecutor)? { loopExecutor }

  /// The governors' states, one for each endpoint used so far.
  public var governors: [GovernorState] {
    mailbox.governors.sorted { $0.origin < $1.origin }
  }

  /// The state for an endpoint, used or not yet.
  ///
  /// - Parameter origin: `scheme://host[:port]`, as ``HTTPURL/origin`` has it.
  /// - Returns: limits and counts.
  public func governor(origin: String) -> GovernorState {
    if let state = mailbox.governor(origin: origin) { return state }
    let rules = configuration.governorRules
    return GovernorState(Governor(rules: rules), origin: origin, isShared: rules.isShared)
  }

  /// Ends every transfer with `.closed`, closes connections, gives slots back and ends the thread.
  ///
  /// Blocks until that is done, two seconds at most. To be called before the process exits, since
  /// the thread must not be inside libcurl when exit handlers take it apart.
  public func shutdown() {
    let thread: LoopThread? = phase.withLock { phase in
      defer { phase = .closed }
      guard case .running(let thread) = phase else {
        _ = mailbox.close()
        return nil
      }
      _ = mailbox.post(.shutdown)
      return thread
    }
    thread?.waitForEnd(within: .seconds(2))
  }

  private func submit(_ call: Call) {
    if let error = start() {
      call.finish(.failure(error))
    } else if !mailbox.post(.send(call)) {
      call.finish(.failure(.closed))
    }
  }

  /// Starts the thread unless it runs.
  private func start() -> TransportError? {
    phase.withLock { phase in
      switch phase {
      case .running: return nil
      case .closed: return .closed
      case .unused: break
      }
      guard let wakeUp = WakeUp() else {
        return TransportError(
          .other(code: 0), mayHaveBeenSent: false,
          detail: "no file descriptor is left: close files, or raise `ulimit -n`")
      }
      let thread = LoopThread { [mailbox, loopExecutor, configuration] in
        CurlLoop.run(
          mailbox: mailbox, executor: loopExecutor, wakeUp: wakeUp, configuration: configuration)
      }
      guard let thread else {
        return TransportError(
          .other(code: 0), mayHaveBeenSent: false, detail: "no thread could be started")
      }
      phase = .running(thread)
      return nil
    }
  }
}

extension TransportError {
  static let closed = TransportError(
    .closed, mayHaveBeenSent: false, detail: "the transport was shut down")
}
