import Dispatch
import Glibc
public import LuaAPI
import Synchronization

/// Whole lines to stderr, from any thread, and below them a line of progress; on a terminal what they
/// quote does nothing to it.
public enum ErrorOutput {
  /// Where lines wait whose thread must not wait for whoever reads stderr.
  private static let reports = DispatchQueue(label: "hpc-stderr")
  private static let waiting = Mutex((lines: 0, leftOut: 0))
  /// Lines that wait at most, some megabytes.
  private static let mostWaiting = 20_000

  // Asked once: a prompt leads the descriptor elsewhere for a while.
  private static let isTerminal = isatty(STDERR_FILENO) == 1
  private static let live = Mutex<String?>(nil)

  /// Called before anything leads stderr elsewhere.
  public static func prepare() { _ = isTerminal }

  /// Writes a line, or several; waits until they are taken.
  public static func line(_ text: String) { line(Array(text.utf8)) }

  static func line(_ text: [UInt8]) {
    finishReports()
    show(text)
  }

  /// Has a line written, in order with all others: for threads that serve connections. A pager that
  /// nobody scrolls, or a terminal stopped with Ctrl-S, must not make them hold the slots that other
  /// programs wait for.
  public static func report(_ text: String) {
    let isTaken = waiting.withLock { waiting in
      let hasRoom = waiting.lines < mostWaiting
      if hasRoom { waiting.lines += 1 } else { waiting.leftOut += 1 }
      return hasRoom
    }
    guard isTaken else { return }
    reports.async {
      show(Array(text.utf8))
      let leftOut = waiting.withLock { waiting in
        waiting.lines -= 1
        guard waiting.lines == 0 else { return 0 }
        defer { waiting.leftOut = 0 }
        return waiting.leftOut
      }
      if leftOut > 0 {
        show(Array("hpc: \(leftOut) further lines were left out: stderr was not read".utf8))
      }
    }
  }

  /// Waits until what was reported is written.
  public static func finishReports() {
    if waiting.withLock({ $0.lines > 0 }) { reports.sync {} }
  }

  private static func show(_ line: [UInt8]) {
    let line =
      isTerminal
      ? Array(TextTable.printableLines(String(decoding: line, as: UTF8.self)).utf8) : line
    live.withLock { live in
      guard let live else { return write(line + [0x0a]) }
      write(Array("\r\u{1b}[K".utf8) + line + Array("\n\(live)\r".utf8))
    }
  }

  /// A question: its answer is typed behind it.
  public static func question(_ text: String) {
    let text = TextTable.printableLines(text)
    finishReports()
    live.withLock { live in
      write(Array(((live == nil ? "" : "\r\u{1b}[K") + text).utf8))
      live = nil
    }
  }

  /// The line of progress.
  public static var progress: ProgressOutput {
    let canRewrite = isTerminal && Environment.variables["TERM"] != "dumb"
    return ProgressOutput(isTerminal: canRewrite, width: { width }) { text in
      live.withLock { live in
        let text = text.map(TextTable.printable)
        if text != nil || live != nil {
          write(Array(("\r\u{1b}[K" + (text.map { $0 + "\r" } ?? "")).utf8))
        }
        live = text
      }
    }
  }

  private static var width: Int {
    var size = winsize()
    // A prompt leads stderr elsewhere, and reads from the terminal then.
    for descriptor in [STDERR_FILENO, STDIN_FILENO]
    where unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return 80
  }

  /// Writes all of it, unless that fails.
  private static func write(_ text: [UInt8]) {
    var bytes = text[...]
    while !bytes.isEmpty {
      let written = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
      }
      if written < 0 {
        if errno == EINTR { continue }
        break
      }
      bytes = bytes.dropFirst(written)
    }
    PromptOutput.didWrite()
  }
}
