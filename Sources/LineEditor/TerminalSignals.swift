internal import CTerminal
import Glibc

/// Signals that a prompt has to know of: the terminal's size changed, the process was continued.
public final class TerminalSignals {
  /// What happened.
  public enum Event: Sendable {
    case resized, continued
  }

  /// Readable when ``take()`` has something to say.
  public let descriptor: Int32
  private var previous: [Int32: sigaction] = [:]

  /// The one that exists, for whoever has the terminal for a while. `nonisolated(unsafe)`: made and
  /// used on the thread of the prompt.
  nonisolated(unsafe) private static weak var shared: TerminalSignals?
  public static var current: TerminalSignals? { unsafe shared }

  // Written before the handlers are installed, read by them.
  nonisolated(unsafe) private static var writer: Int32 = -1

  /// Catches SIGWINCH and SIGCONT. One at a time may exist.
  public init?() {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { return nil }
    descriptor = ends[0]
    unsafe Self.writer = ends[1]
    for signal in [SIGWINCH, SIGCONT] {
      var action = sigaction()
      var before = sigaction()
      unsafe action.__sigaction_handler.sa_handler = { signal in
        let saved = errno
        var byte = UInt8(truncatingIfNeeded: signal)
        _ = unsafe write(TerminalSignals.writer, &byte, 1)
        errno = saved
      }
      action.sa_flags = SA_RESTART
      _ = unsafe sigaction(signal, &action, &before)
      previous[signal] = before
    }
    unsafe Self.shared = self
  }

  deinit {
    for (signal, before) in previous {
      var before = before
      _ = unsafe sigaction(signal, &before, nil)
    }
    _ = close(descriptor)
    _ = unsafe close(Self.writer)
    unsafe Self.writer = -1
  }

  /// What happened since the last call, each thing once.
  public func take() -> Set<Event> {
    var events: Set<Event> = []
    while Descriptor.isReadable(descriptor) {
      let bytes = Descriptor.read(descriptor, atMost: 64)
      if bytes.isEmpty { break }
      for byte in bytes { events.insert(Int32(byte) == SIGWINCH ? .resized : .continued) }
    }
    return events
  }
}
