import Glibc
public import HTTP
import Synchronization

/// An HTTP/1.1 server on loopback that does what a test says: answers, delays, drops, truncates,
/// resets, talks garbage. It counts connections exactly: one thread looks at every connection that
/// peers have closed before it accepts the next one.
public final class ScriptedServer: Sendable {
  /// One request as it arrived.
  public struct Request: Sendable, Hashable {
    public var method: String
    public var target: String
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// Counted from 0: the connection, the request on it, and the request at this server.
    public var connection: Int
    public var turn: Int
    public var number: Int
    /// Connections open at this moment, this one included.
    public var openConnections: Int
  }

  /// What the server does next on a connection; when no step is left it reads the next request.
  public enum Step: Sendable, Hashable {
    case send([UInt8])
    /// `count` bytes of one value, written as fast as the peer reads.
    case fill(UInt8, count: Int64)
    case pause(Duration)
    /// Goes on when the gate is opened.
    case wait(Gate)
    case close
    /// Closes so that the peer sees a reset.
    case reset
    /// Answers never; ends when the peer closes.
    case hold
  }

  /// What a test opens when an answer may come.
  public final class Gate: Sendable, Hashable {
    private let opened = Mutex(false)

    public init() {}

    public func open() { opened.withLock { $0 = true } }
    var isOpen: Bool { opened.withLock { $0 } }

    public static func == (a: Gate, b: Gate) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
  }

  public typealias Script = @Sendable (Request) -> [Step]

  /// Connections seen so far.
  public struct Counts: Sendable, Hashable {
    public var accepted = 0
    public var open = 0
    public var peak = 0
    /// Requests that were read whole.
    public var requests = 0
  }

  public let port: Int
  private let listener: Int32
  private let wakeUp: Int32
  private let shared = Mutex(Shared())
  private let script: Script
  private let atFirstByte: @Sendable (_ connection: Int, _ turn: Int) -> [Step]?

  private struct Shared {
    var counts = Counts()
    var requests: [Request] = []
    var waiters: [(@Sendable (Counts) -> Bool, CheckedContinuation<Counts, Never>)] = []
    var isStopping = false
  }

  /// Starts a server on a port of the kernel's choice.
  ///
  /// - Parameters:
  ///   - backlog: length of the accept queue.
  ///   - atFirstByte: steps to take when the first byte of a request arrives, instead of reading on
  ///     and asking the script; nil to read on.
  ///   - script: steps for a request that has arrived whole.
  /// - Throws: the errno of a socket call.
  public init(
    backlog: Int32 = 128,
    atFirstByte: @escaping @Sendable (_ connection: Int, _ turn: Int) -> [Step]? = { _, _ in nil },
    script: @escaping Script
  ) throws(ServerError) {
    self.script = script
    self.atFirstByte = atFirstByte
    let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    listener = socket(AF_INET, Int32(kind), 0)
    var pipeEnds: [Int32] = [-1, -1]
    unsafe pipe(&pipeEnds)
    for end in pipeEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    wakeUp = pipeEnds[1]
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let bound = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener, $0, length) == 0 && listen(listener, backlog) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard bound, listener >= 0, wakeUp >= 0 else { throw ServerError(errno: errno) }
    port = Int(UInt16(bigEndian: address.sin_port))
    let loop = ServerLoop(listener: listener, wakeUp: pipeEnds[0])
    loop.start(for: self)
  }

  /// An address of this server.
  public func url(_ path: String = "/", query: String? = nil) -> HTTPURL {
    HTTPURL(scheme: .http, host: "127.0.0.1", port: port, path: path, query: query)
  }

  /// Every request that arrived whole.
  public var requests: [Request] { shared.withLock { $0.requests } }

  public var counts: Counts { shared.withLock { $0.counts } }

  /// Waits until the counts are as wanted.
  @discardableResult
  public func waitUntil(_ condition: @escaping @Sendable (Counts) -> Bool) async -> Counts {
    await withCheckedContinuation { continuation in
      let now: Counts? = shared.withLock { shared in
        if condition(shared.counts) { return shared.counts }
        shared.waiters.append((condition, continuation))
        return nil
      }
      if let now { continuation.resume(returning: now) }
    }
  }

  /// Closes every connection and the listener.
  public func stop() {
    shared.withLock { $0.isStopping = true }
    unsafe write(wakeUp, "x", 1)
  }

  deinit {
    // The loop's end of the pipe sees that this one is gone.
    close(wakeUp)
  }

  // MARK: - Called by the server's thread

  var isStopping: Bool { shared.withLock { $0.isStopping } }

  func update(_ change: (inout Counts) -> Void) {
    let due = shared.withLock { shared in
      change(&shared.counts)
      shared.counts.peak = max(shared.counts.peak, shared.counts.open)
      let counts = shared.counts
      let due = shared.waiters.filter { $0.0(counts) }.map(\.1)
      shared.waiters.removeAll { $0.0(counts) }
      return due.map { ($0, counts) }
    }
    for (continuation, counts) in due { continuation.resume(returning: counts) }
  }

  func steps(for request: Request) -> [Step] {
    var request = request
    shared.withLock { shared in
      request.number = shared.requests.count
      request.openConnections = shared.counts.open
      shared.requests.append(request)
    }
    let steps = script(request)
    update { $0.requests += 1 }
    return steps
  }

  func stepsAtFirstByte(connection: Int, turn: Int) -> [Step]? { atFirstByte(connection, turn) }
}

/// A system call of the server failed.
public struct ServerError: Error, Sendable {
  public let errno: Int32

  public init(errno: Int32) { self.errno = errno }
}

extension Array where Element == ScriptedServer.Step {
  /// A whole answer with its length.
  public static func status(
    _ status: Int, _ body: String = "", headers: [(String, String)] = [],
    after delay: Duration? = nil
  ) -> Self {
    let fields = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
    let head = "HTTP/1.1 \(status) Any\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n"
    let answer = ScriptedServer.Step.send([UInt8]((head + body).utf8))
    return delay.map { [.pause($0), answer] } ?? [answer]
  }

  /// Bytes as they are.
  public static func raw(_ text: String) -> Self { [.send([UInt8](text.utf8))] }
}
