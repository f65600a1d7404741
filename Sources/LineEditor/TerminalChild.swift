internal import CTerminal
import Glibc

/// A program that has the terminal for a while: a shell command, a pager. This process goes on
/// beside it; Ctrl-C and Ctrl-\ are for the child only.
public final class TerminalChild {
  /// Readable when the child has ended; -1 where nothing can tell, and ``finish()`` waits.
  public let descriptor: Int32
  private let process: pid_t
  private var interrupt = sigaction()
  private var quit = sigaction()

  /// Starts `sh -c command`.
  ///
  /// - Parameters:
  ///   - command: for the shell.
  ///   - input: what it reads as its standard input; nil for the terminal.
  ///   - variables: of the environment, in place of this process's own.
  /// - Returns: nil when it cannot be started.
  public init?(_ command: String, input: [UInt8]? = nil, variables: [String: String]) {
    var file: Int32 = -1
    if let input {
      file = unsafe memfd_create("hpc-pager", UInt32(hpc_close_on_exec_file))
      guard file >= 0 else { return nil }
      Descriptor.write(input, to: file)
      _ = lseek(file, 0, SEEK_SET)
    }
    defer { if file >= 0 { _ = close(file) } }
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    if file >= 0 { unsafe posix_spawn_file_actions_adddup2(&actions, file, 0) }
    var defaults = sigset_t()
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigemptyset(&defaults)
    for signal in [SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGHUP, SIGWINCH, SIGCONT] {
      unsafe sigaddset(&defaults, signal)
    }
    unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    let environment = variables.map { "\($0.key)=\($0.value)" }
    var child: pid_t = 0
    let status = unsafe Self.withCStrings(["sh", "-c", command]) { arguments in
      unsafe Self.withCStrings(environment) { environment in
        unsafe posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments, environment)
      }
    }
    guard status == 0 else { return nil }
    process = child
    descriptor = hpc_open_process(child)
    // As system(3): what the keyboard sends is for the child.
    var ignore = sigaction()
    unsafe ignore.__sigaction_handler.sa_handler = SIG_IGN
    _ = unsafe sigaction(SIGINT, &ignore, &interrupt)
    _ = unsafe sigaction(SIGQUIT, &ignore, &quit)
  }

  /// Sends the child a signal.
  public func send(_ signal: Int32) { _ = kill(process, signal) }

  /// Waits for the child's end, if it has not come yet, and takes the signals back.
  ///
  /// - Returns: its exit status; 128 and the signal that ended it.
  public func finish() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    _ = unsafe sigaction(SIGINT, &interrupt, nil)
    _ = unsafe sigaction(SIGQUIT, &quit, nil)
    if descriptor >= 0 { _ = close(descriptor) }
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }

  private static func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = unsafe texts.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
      // Never empty: it ends with nil.
      unsafe body(buffer.baseAddress ?? UnsafeMutablePointer.allocate(capacity: 1))
    }
  }
}
