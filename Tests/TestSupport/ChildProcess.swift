import Glibc
import Synchronization

/// A process of a test's own, with its standard output; killed when it is let go.
public final class ChildProcess: Sendable {
  public let pid: Int32
  private let shared: Shared

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - path: the executable; looked for in PATH where it has no slash.
  ///   - arguments: without the program's own name.
  /// - Throws: the errno of `posix_spawn` or `pipe`.
  public init(_ path: String, _ arguments: [String]) throws(ServerError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw ServerError(errno: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var argv = unsafe ([path] + arguments).map { unsafe strdup($0) }
    unsafe argv.append(nil)
    defer { unsafe argv.forEach { unsafe free($0) } }
    var pid = pid_t()
    let code = unsafe posix_spawnp(&pid, path, &actions, nil, argv, environ)
    close(ends[1])
    guard code == 0 else {
      close(ends[0])
      throw ServerError(errno: code)
    }
    self.pid = pid
    let shared = Shared(pid: pid)
    self.shared = shared
    let output = ends[0]
    DetachedThread.start { shared.follow(output) }
  }

  deinit { shared.kill(SIGKILL) }

  public func kill(_ signal: Int32 = 9) { shared.kill(signal) }

  /// Everything written, once the process has ended.
  ///
  /// - Returns: its output, and its exit status, or minus the signal that ended it.
  public func ended() async -> (output: String, status: Int32) {
    let state = await shared.wait { $0.status != nil }
    // Its end kills the process: not before the process has ended.
    return withExtendedLifetime(self) { (state.output, state.status ?? 0) }
  }

  /// Waits until the output holds a text, or the process has ended.
  public func output(containing text: String) async -> String {
    let state = await shared.wait { $0.status != nil || $0.output.contains(text) }
    return withExtendedLifetime(self) { state.output }
  }

  /// What the following thread writes and waiters read.
  private final class Shared: Sendable {
    struct State: Sendable {
      var output = ""
      var status: Int32?
    }

    private struct Waiters {
      var state = State()
      var waiting: [(@Sendable (State) -> Bool, CheckedContinuation<State, Never>)] = []
    }

    private let pid: pid_t
    private let waiters = Mutex(Waiters())

    init(pid: pid_t) { self.pid = pid }

    func kill(_ signal: Int32) {
      // Under the lock: a process that has been waited for may have lent its number to another.
      waiters.withLock { if $0.state.status == nil { _ = Glibc.kill(pid, signal) } }
    }

    func wait(_ condition: @escaping @Sendable (State) -> Bool) async -> State {
      await withCheckedContinuation { continuation in
        let now: State? = waiters.withLock { waiters in
          if condition(waiters.state) { return waiters.state }
          waiters.waiting.append((condition, continuation))
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    }

    func follow(_ descriptor: Int32) {
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = unsafe read(descriptor, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { break }
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        update { $0.output += text }
      }
      close(descriptor)
      // Ended, but not yet waited for: its number is still its own.
      var info = unsafe siginfo_t()
      while unsafe waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
      update { state in
        var code: Int32 = 0
        while unsafe waitpid(pid, &code, 0) < 0 && errno == EINTR {}
        state.status = code & 0x7f == 0 ? (code >> 8) & 0xff : -(code & 0x7f)
      }
    }

    private func update(_ change: (inout State) -> Void) {
      let due = waiters.withLock { waiters in
        change(&waiters.state)
        let state = waiters.state
        let due = waiters.waiting.filter { $0.0(state) }.map(\.1)
        waiters.waiting.removeAll { $0.0(state) }
        return due.map { ($0, state) }
      }
      for (continuation, state) in due { continuation.resume(returning: state) }
    }
  }
}

/// The executable of that name beside the running test bundle.
public func builtExecutable(_ name: String) -> String {
  var path = [CChar](repeating: 0, count: 4096)
  let count = unsafe readlink("/proc/self/exe", &path, path.count - 1)
  let own = String(
    decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  return own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/" + name
}
