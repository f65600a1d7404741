import CCurl
import HTTP
import Synchronization

/// What callers and the curl thread share: commands one way, wake-ups and state the other.
final class Mailbox: Sendable {
  enum Command: Sendable {
    case send(Call)
    case cancel(UInt64)
    case firstInLine(origin: String)
    case shutdown
  }

  /// A multi handle that other threads may wake and nothing else.
  ///
  /// `@unchecked Sendable`: `curl_multi_wakeup` is the one function that libcurl allows from any
  /// thread (curl_multi_wakeup(3)), and it is called under the mailbox's lock, under which the
  /// curl thread withdraws the handle before it frees it.
  @safe struct Waker: @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer

    init(_ multi: UnsafeMutableRawPointer) { unsafe self.multi = multi }

    func wake() { _ = unsafe curl_multi_wakeup(multi) }
  }

  private struct State {
    var commands: [Command] = []
    var waker: Waker?
    var isClosed = false
  }

  private let state = Mutex(State())
  private let published = Mutex<[String: GovernorState]>([:])

  /// Adds a command for the curl thread; false after `close`.
  func post(_ command: Command) -> Bool {
    state.withLock { state in
      guard !state.isClosed else { return false }
      // A thread that has not fetched the commands before this one is awake or about to be.
      if state.commands.isEmpty { state.waker?.wake() }
      state.commands.append(command)
      return true
    }
  }

  /// Fetches all commands (curl thread).
  func take() -> [Command] {
    state.withLock { state in
      guard !state.commands.isEmpty else { return [] }
      let commands = state.commands
      state.commands = []
      return commands
    }
  }

  /// Lets callers wake the thread; nil before its multi handle is freed.
  func setWaker(_ waker: Waker?) {
    state.withLock { $0.waker = waker }
  }

  /// Refuses further commands and answers those that nobody will fetch.
  func close() -> [Command] {
    state.withLock { state in
      state.isClosed = true
      let commands = state.commands
      state.commands = []
      return commands
    }
  }

  /// The governors' states by origin.
  var governors: [String: GovernorState] {
    get { published.withLock { $0 } }
    set { published.withLock { $0 = newValue } }
  }

  func publish(_ governor: GovernorState, origin: String) {
    published.withLock { $0[origin] = governor }
  }
}

/// One request on its way through the transport.
final class Call: Sendable {
  /// What the cancelling side holds: made before the request is posted.
  final class Ticket: Sendable {
    let id: UInt64
    private let cancelled = Atomic(false)

    init(id: UInt64) { self.id = id }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    func cancel() { cancelled.store(true, ordering: .releasing) }
  }

  typealias Reply = Result<HTTPResponse, TransportError>

  let ticket: Ticket
  let request: HTTPRequest
  let queuedAt: ContinuousClock.Instant
  private let continuation: CheckedContinuation<Reply, Never>

  init(
    _ request: HTTPRequest, ticket: Ticket, continuation: CheckedContinuation<Reply, Never>
  ) {
    self.request = request
    self.ticket = ticket
    self.continuation = continuation
    queuedAt = .now
  }

  func finish(_ reply: Reply) { continuation.resume(returning: reply) }
}
