import LineEditor
import LuaAPI
import LuaRuntime

/// Shows long text a screen at a time; background tasks go on meanwhile.
struct Pager {
  let variables: [String: String]
  /// Waits for the program's end.
  let wait: (TerminalChild) -> Int32

  /// Whether a text takes more rows than a screen has, the next prompt's included.
  static func isTaller(_ text: String, columns: Int, rows: Int) -> Bool {
    var left = rows - 1
    for line in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false) {
      // Most lines are short: their bytes alone say so.
      let cells = line.count <= columns ? 1 : Self.width(line)
      left -= max(1, (cells + columns - 1) / columns)
      if left < 0 { return true }
    }
    return false
  }

  /// Cells of a line, without its colour sequences.
  private static func width(_ line: Substring.UTF8View) -> Int {
    let parts = line.split(separator: 0x1b, omittingEmptySubsequences: false)
    return parts.enumerated().reduce(0) { sum, part in
      let (index, bytes) = part
      let end = index > 0 ? bytes.firstIndex(of: 0x6d) : nil
      let shown = end.map { bytes[bytes.index(after: $0)...] } ?? bytes
      return sum + TextTable.width(String(decoding: shown, as: UTF8.self))
    }
  }

  /// - Returns: false when there is no pager to be had: the text is still to be shown.
  func show(_ text: String) -> Bool {
    let command = variables["PAGER"] ?? "less"
    guard !["", "cat"].contains(command) else { return false }
    var environment = variables
    // As git: colours pass, short text ends at once, the screen stays.
    if environment["LESS"] == nil { environment["LESS"] = "FRX" }
    if environment["LESSCHARSET"] == nil { environment["LESSCHARSET"] = "utf-8" }
    guard
      let child = TerminalChild(
        command, input: Array((text + "\n").utf8), variables: environment)
    else { return false }
    return wait(child) != 127
  }
}

extension LuaState {
  /// Runs the loop until a condition holds or the time is over.
  func waitAtMost(until deadline: ContinuousClock.Instant, _ condition: () -> Bool) {
    let port = port(of: Bool.self) { _, _ in }
    let alarm = Task.detached {
      try? await Task.sleep(until: deadline, clock: .continuous)
      port.post(true)
    }
    wait { condition() || ContinuousClock.now >= deadline }
    alarm.cancel()
  }

  /// Runs what is due and ready, and waits for nothing.
  func runReady() {
    var hasTurned = false
    let port = port(of: Bool.self) { _, _ in hasTurned = true }
    port.post(true)
    wait { hasTurned }
  }
}
