internal import CTerminal
import Glibc

/// The C library's standard output, which Lua's `print` and `io.write` share.
public enum StandardOutput {
  /// Whether the last thing written did not end its line.
  public static var isWithinLine: Bool { hpc_stdout_pending() > 0 }

  /// Hands over what is held back.
  public static func flush() { _ = unsafe fflush(hpc_stdout()) }

  /// Hands over what is held back; false where anything written so far was not taken, by a full disk
  /// or a descriptor that is closed.
  public static func isWhole() -> Bool {
    let flushed = unsafe fflush(hpc_stdout())
    return unsafe flushed == 0 && ferror(hpc_stdout()) == 0
  }

  /// Has the C library hold nothing of the standard input back, so that a program that reads it and
  /// the prompt that does get each what comes next.
  public static func unbufferInput() { _ = unsafe setvbuf(hpc_stdin(), nil, _IONBF, 0) }

  /// Writes text after what is held back.
  public static func write(_ text: String) {
    flush()
    Descriptor.write(text.utf8, to: 1)
  }
}
