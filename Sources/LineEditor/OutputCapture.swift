internal import CTerminal
import Glibc

/// Holds back what this process writes to stdout and stderr while a prompt is up, whoever writes
/// it, so that it can be shown above the prompt.
///
/// The descriptors lead into a file in memory meanwhile: a pipe would block the one thread that
/// writes and reads.
public final class OutputCapture {
  /// The terminal, whatever descriptor 1 leads to.
  public let terminal: Int32
  private let errors: Int32
  private let file: Int32
  private let capturesErrors: Bool
  private var offset: off_t = 0
  /// The beginning of a line that is not ended yet.
  private var pending: [UInt8] = []
  /// Lines that were given up for want of room.
  private var dropped = 0
  /// What may be held back: whoever asks ``isFull`` or calls ``keepNewest()`` sees to it.
  private static let limit = 4 << 20
  /// Text without an end that is taken for a line.
  private static let longestLine = 1 << 16
  /// Whether the descriptors lead into the file now.
  public private(set) var isActive = false

  // See TerminalGuard: read by exit functions and signal handlers.
  nonisolated(unsafe) private static var active: (terminal: Int32, errors: Int32, file: Int32)? =
    nil
  nonisolated(unsafe) private static var released: off_t = 0

  /// - Returns: nil where the system has no descriptors or no file in memory to give.
  public init?() {
    terminal = fcntl(1, F_DUPFD_CLOEXEC, 10)
    errors = fcntl(2, F_DUPFD_CLOEXEC, 10)
    file = unsafe memfd_create("hpc-output", UInt32(hpc_close_on_exec_file))
    capturesErrors = isatty(2) == 1
    guard terminal >= 0, errors >= 0, file >= 0, fcntl(file, F_SETFL, O_APPEND) == 0 else {
      for descriptor in [terminal, errors, file] where descriptor >= 0 { _ = close(descriptor) }
      return nil
    }
    // Lines leave at their ends even where the first write meets the file.
    _ = unsafe setvbuf(hpc_stdout(), nil, _IOLBF, 4096)
  }

  deinit {
    stop()
    _ = close(terminal)
    _ = close(errors)
    _ = close(file)
  }

  /// Begins to hold output back.
  public func start() {
    guard !isActive else { return }
    _ = unsafe fflush(hpc_stdout())
    isActive = true
    unsafe Self.released = offset
    unsafe Self.active = (terminal, capturesErrors ? errors : -1, file)
    _ = dup2(file, 1)
    if capturesErrors { _ = dup2(file, 2) }
  }

  /// The whole lines written since the last call.
  public func takeLines() -> [UInt8] {
    while readNew() {}
    return cutLines()
  }

  /// What of `pending` is complete.
  private func cutLines() -> [UInt8] {
    var end = pending.lastIndex(of: 0x0a)
    // Who writes without ever ending a line is shown all the same, whole characters of it.
    if end == nil, pending.count > Self.longestLine,
      let last = pending.lastIndex(where: { $0 & 0xc0 != 0x80 }), last > 0
    {
      end = last - 1
    }
    guard let end else { return [] }
    let lines = pending[...end]
    defer { pending.removeSubrange(...end) }
    guard lines.contains(0x0d) else { return Array(lines) }
    return Array(
      lines.split(separator: 0x0a, omittingEmptySubsequences: false).map(Self.visible)
        .joined(separator: [0x0a]))
  }

  /// Whether as much is held back as should be; what writes on had better pause.
  public var isFull: Bool { held > Self.limit }

  /// Gives the oldest lines up where there are too many, for a time when nobody can be made to pause.
  public func keepNewest() {
    guard isFull else { return }
    while readNew() {}
    let cut = pending.count - Self.limit / 2
    guard cut > 0 else { return }
    let end = pending[cut...].firstIndex(of: 0x0a).map { $0 + 1 } ?? cut
    dropped += pending[..<end].count { $0 == 0x0a }
    pending.removeSubrange(..<end)
  }

  private var held: Int {
    var information = stat()
    guard isActive, unsafe fstat(file, &information) == 0 else { return 0 }
    return pending.count + Int(information.st_size - offset)
  }

  /// The line that is not ended yet, as a terminal would show it: what stands after the last return
  /// of the carriage. Progress is written so.
  public var unfinishedLine: [UInt8] {
    var line = pending[...]
    while line.last == 0x0d { line.removeLast() }
    if let last = line.lastIndex(of: 0x0d) { line = line[(last + 1)...] }
    if line.starts(with: Self.eraseLine) { line = line.dropFirst(Self.eraseLine.count) }
    return Array(line)
  }

  /// A line without the progress that was shown in its place before: `\r`, "erase in line", text,
  /// `\r`.
  static func visible(_ line: ArraySlice<UInt8>) -> [UInt8] {
    guard line.contains(0x0d) else { return Array(line) }
    let parts = line.split(separator: 0x0d, omittingEmptySubsequences: false)
    let kept = parts.enumerated().filter { index, part in
      index == parts.count - 1 || !(part.isEmpty || part.starts(with: eraseLine))
    }.map(\.element)
    return Array(kept.joined(separator: [0x0d]))
  }

  /// "Erase in line" (ECMA-48, 8.3.41).
  private static let eraseLine = Array("\u{1b}[K".utf8)

  /// Lets output go to the terminal again, what was held back first; a line of progress, which its
  /// writer will write again, is dropped.
  @discardableResult
  public func stop() -> Bool {
    guard isActive else { return false }
    _ = unsafe fflush(hpc_stdout())
    if dropped > 0 {
      Descriptor.write("… \(dropped) lines of output are left out\n".utf8, to: terminal)
      dropped = 0
    }
    var hasMore = true
    while hasMore {
      hasMore = readNew()
      Descriptor.write(cutLines(), to: terminal)
    }
    unsafe Self.active = nil
    _ = dup2(terminal, 1)
    if capturesErrors { _ = dup2(errors, 2) }
    isActive = false
    let rest = pending.contains(0x0d) ? [] : pending
    pending = []
    Descriptor.write(rest, to: terminal)
    return !rest.isEmpty
  }

  /// Reads on, a megabyte at the most.
  ///
  /// - Returns: whether there is more.
  private func readNew() -> Bool {
    var information = stat()
    guard isActive, unsafe fstat(file, &information) == 0 else { return false }
    let want = min(Int(information.st_size - offset), 1 << 20)
    var hasRead = false
    if want > 0 {
      let chunk = unsafe [UInt8](unsafeUninitializedCapacity: want) { buffer, size in
        size = unsafe max(0, pread(file, buffer.baseAddress, want, offset))
      }
      pending += chunk
      offset += off_t(chunk.count)
      hasRead = !chunk.isEmpty
    }
    // What a carriage return makes invisible need not be kept.
    if pending.count > 1 << 16, let last = pending.dropLast().lastIndex(of: 0x0d),
      pending.lastIndex(of: 0x0a).map({ $0 < last }) ?? true
    {
      pending.removeSubrange((pending.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0)..<last)
    }
    // Emptied whenever it is read to its end: it never holds more than one batch of the loop.
    if offset > 0, offset >= information.st_size, ftruncate(file, 0) == 0 { offset = 0 }
    unsafe Self.released = offset
    return hasRead && offset > 0
  }

  /// Async-signal-safe: the descriptors lead to the terminal again and what was held back is shown.
  static func release() {
    guard let held = unsafe active else { return }
    unsafe active = nil
    _ = dup2(held.terminal, 1)
    if held.errors >= 0 { _ = dup2(held.errors, 2) }
    var at = unsafe released
    var bytes: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
      (0, 0, 0, 0, 0, 0, 0, 0)
    var isFirst = true
    while true {
      let count = unsafe pread(held.file, &bytes, 64, at)
      guard count > 0 else { return }
      if isFirst {
        var newline: (UInt8, UInt8) = (0x0d, 0x0a)
        _ = unsafe write(held.terminal, &newline, 2)
        isFirst = false
      }
      _ = unsafe write(held.terminal, &bytes, count)
      at += off_t(count)
    }
  }
}
