import Glibc

/// A screen of its own on the terminal, with keys as they are typed; what was on the terminal comes
/// back when it ends, whichever way the process takes (``TerminalGuard``). Ctrl-C stays a signal.
public final class FullScreen {
  /// Readable when ``takeKeys()`` has something to say.
  public let descriptor: Int32
  private let output: Int32
  private let capture: OutputCapture?
  private var decoder = KeyDecoder()
  private var modes = termios()
  private var isOpen = false

  /// Takes the terminal of stdin and stdout. What the process writes meanwhile is shown afterwards.
  ///
  /// - Returns: nil where these are no terminal.
  public init?() {
    guard isatty(0) == 1, isatty(1) == 1, TerminalGuard.arm(0) else { return nil }
    descriptor = 0
    capture = OutputCapture()
    output = capture?.terminal ?? 1
    guard unsafe tcgetattr(0, &modes) == 0 else { return nil }
    open()
  }

  deinit { close() }

  /// Lines and columns now.
  public var size: (columns: Int, rows: Int) { TerminalGuard.size(of: output) }

  private func open() {
    guard !isOpen else { return }
    isOpen = true
    capture?.start()
    TerminalGuard.setFullScreen(true)
    var raw = modes
    raw.c_lflag &= ~UInt32(ICANON | ECHO)
    raw.c_cc.6 = 1  // VMIN
    raw.c_cc.5 = 0  // VTIME
    raw.c_cc.10 = 0  // VSUSP: comes as a key, so that the screen can be left first.
    _ = unsafe tcsetattr(0, TCSADRAIN, &raw)
    // Alternate screen, no cursor (xterm's private modes 1049 and 25).
    Descriptor.write("\u{1b}[?1049h\u{1b}[?25l".utf8, to: output)
  }

  /// Gives the terminal back.
  public func close() {
    guard isOpen else { return }
    isOpen = false
    Descriptor.write("\u{1b}[?25h\u{1b}[?1049l".utf8, to: output)
    _ = unsafe tcsetattr(0, TCSADRAIN, &modes)
    TerminalGuard.setFullScreen(false)
    capture?.stop()
  }

  /// The keys that were typed; never waits when the descriptor is readable.
  public func takeKeys() -> [ScreenKey] {
    let bytes = Descriptor.read(descriptor, atMost: 256)
    return bytes.isEmpty ? [.endOfInput] : decoder.take(bytes)
  }

  /// Has what the process writes meanwhile take no more room than is sensible; to be called often.
  public func boundOutput() { capture?.keepNewest() }

  /// Shows lines from the top, each already cut to the width.
  public func draw(_ lines: [String]) {
    guard isOpen else { return }
    let text = lines.map { $0 + "\u{1b}[K" }.joined(separator: "\n")
    Descriptor.write("\u{1b}[H\(text)\u{1b}[J".utf8, to: output)
  }

  /// Stops the process as a shell's job; comes back when it is continued.
  public func stop() {
    close()
    kill(0, SIGTSTP)
    open()
  }
}
