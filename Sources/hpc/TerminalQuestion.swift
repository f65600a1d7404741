import Console
import Dispatch
import Glibc
import LineEditor
import Synchronization

/// Questions to whoever sits at the terminal.
enum TerminalQuestion {
  /// Nil where nobody does: input or messages go elsewhere, or the program runs in the background.
  static var ask: (@Sendable (String) async -> String?)? {
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1,
      tcgetpgrp(STDIN_FILENO) == getpgrp()
    else { return nil }
    return { question in
      ErrorOutput.question(question)
      return await line()
    }
  }

  /// The next line; nil at the end of input, and where the caller is cancelled: nothing blocks in a
  /// read meanwhile.
  private static func line() async -> String? {
    let waiting = Mutex<CheckedContinuation<String?, Never>?>(nil)
    @Sendable func end(_ line: String?) {
      let continuation = waiting.withLock { waiting in
        defer { waiting = nil }
        return waiting
      }
      continuation?.resume(returning: line)
    }
    let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .global())
    source.setEventHandler {
      // What is typed after the answer is somebody else's.
      guard waiting.withLock({ $0 != nil }) else { return }
      // A terminal gives whole lines.
      let bytes = Descriptor.read(STDIN_FILENO, atMost: 4096)
      end(bytes.isEmpty ? nil : String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self))
    }
    let line = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        waiting.withLock { $0 = continuation }
        source.activate()
        if Task.isCancelled { end(nil) }
      }
    } onCancel: {
      end(nil)
    }
    source.cancel()
    return line
  }
}
