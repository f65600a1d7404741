import Glibc

/// Gives the terminal back on every way out: `exit` (Lua's `os.exit` too), a signal, a crash.
///
/// All state is written on the thread of the prompt before it matters and read by exit functions and
/// signal handlers of this process only; nothing in `restore` allocates or locks.
public enum TerminalGuard {
  // `nonisolated(unsafe)`: signal handlers cannot take a lock. Each is one word, set before the
  // state that it describes begins and cleared after it ended.
  nonisolated(unsafe) private static var modes: UnsafeMutablePointer<termios>? = nil
  nonisolated(unsafe) private static var terminal: Int32 = -1
  nonisolated(unsafe) private static var isPrompting = false
  nonisolated(unsafe) private static var isFullScreen = false
  nonisolated(unsafe) private static var previous: UnsafeMutablePointer<sigaction>? = nil
  nonisolated(unsafe) private static var owner: pid_t = 0

  /// The signals that end a process and leave a terminal behind.
  private static let fatalSignals = [
    SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
  ]

  /// Remembers the modes that the terminal has now, and restores them when the process ends.
  ///
  /// - Parameter descriptor: the terminal; it stays open.
  /// - Returns: false when it is no terminal.
  @discardableResult
  public static func arm(_ descriptor: Int32) -> Bool {
    var now = termios()
    guard unsafe tcgetattr(descriptor, &now) == 0 else { return false }
    if let modes = unsafe modes {
      unsafe modes.pointee = now
    } else {
      let pointer = UnsafeMutablePointer<termios>.allocate(capacity: 1)
      unsafe pointer.initialize(to: now)
      unsafe modes = unsafe pointer
      unsafe owner = getpid()
      atexit { TerminalGuard.restore() }
      catchSignals()
    }
    unsafe terminal = descriptor
    return true
  }

  /// Says whether the terminal is in the modes of the line editor, with a prompt on it.
  static func setPrompting(_ prompting: Bool) { unsafe isPrompting = prompting }

  /// Says whether a ``FullScreen`` is on the terminal.
  static func setFullScreen(_ full: Bool) { unsafe isFullScreen = full }

  /// Puts the terminal into the modes that it had, and stdout and stderr back onto it.
  public static func restore() {
    // A child between fork and exec is not the owner.
    guard let modes = unsafe modes, unsafe owner == getpid() else { return }
    if unsafe isFullScreen {
      unsafe isFullScreen = false
      // "\e[?25h\e[?1049l": the cursor, and the screen that was there before.
      var bytes:
        (
          UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
          UInt8
        ) = (
          0x1b, 0x5b, 0x3f, 0x32, 0x35, 0x68, 0x1b, 0x5b, 0x3f, 0x31, 0x30, 0x34, 0x39, 0x6c
        )
      _ = unsafe write(terminal, &bytes, 14)
    }
    OutputCapture.release()
    if unsafe isPrompting {
      unsafe isPrompting = false
      // "\e[?2004l\r\n": bracketed paste off, and off the line of the prompt.
      var bytes: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) =
        (0x1b, 0x5b, 0x3f, 0x32, 0x30, 0x30, 0x34, 0x6c, 0x0d, 0x0a)
      _ = unsafe write(terminal, &bytes, 10)
    }
    // A process in the background would be stopped for asking.
    if unsafe tcgetpgrp(terminal) == getpgrp() {
      _ = unsafe tcsetattr(terminal, TCSANOW, modes)
    }
  }

  private static func catchSignals() {
    let slots = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)
    unsafe slots.initialize(repeating: sigaction(), count: 65)
    unsafe previous = unsafe slots
    for signal in fatalSignals {
      var before = sigaction()
      // Who handles a signal already is left to it.
      guard unsafe sigaction(signal, nil, &before) == 0,
        unsafe before.__sigaction_handler.sa_handler == nil
      else { continue }
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { TerminalGuard.die(of: $0) }
      unsafe sigemptyset(&action.sa_mask)
      // Once: a fault within the handler, or the raise below, has its default effect.
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER
      _ = unsafe sigaction(signal, &action, slots + Int(signal))
    }
  }

  /// Restores, then lets the signal do what it did before.
  private static func die(of signal: Int32) {
    restore()
    if let previous = unsafe previous {
      _ = unsafe sigaction(signal, previous + Int(signal), nil)
    }
    _ = raise(signal)
  }

  /// Columns and lines of the terminal; 80 × 24 where it does not say.
  public static func size(of descriptor: Int32) -> (columns: Int, rows: Int) {
    var window = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 else {
      return (80, 24)
    }
    return (Int(window.ws_col), window.ws_row > 0 ? Int(window.ws_row) : 24)
  }
}
