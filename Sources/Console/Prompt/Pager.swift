import LineEditor
import LuaRuntime

/// Shows long text a screen at a time; background tasks go on meanwhile.
struct Pager {
  let state: LuaState
  let variables: [String: String]

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
    return child.wait(in: state) != 127
  }
}

extension TerminalChild {
  /// Waits for the end while the loop runs.
  func wait(in state: LuaState) -> Int32 {
    if descriptor >= 0 {
      var hasEnded = false
      let watch = state.watch(descriptor) { _ in hasEnded = true }
      state.wait { hasEnded }
      state.unwatch(watch)
    }
    return finish()
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
}
