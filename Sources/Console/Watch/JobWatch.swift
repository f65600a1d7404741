import Glibc
import LineEditor
import LuaAPI
import LuaRuntime

/// The console's side of `hpc.watch()`: the screen, its keys, and the functions that watch.lua calls.
final class JobWatch {
  private let palette: Palette
  private let title: String
  private let isDumb: Bool
  private var view: WatchView
  private var screen: FullScreen?
  /// Which call has the screen.
  private var owner: UInt?
  /// Whether lists are printed; neither this nor a screen: a list that comes too late.
  private var isPlain = false
  private var signals: TerminalSignals?
  private var watches: [LuaWatch] = []
  private var keys = KeyQueue()
  private var function: LuaReference?

  /// - Parameters:
  ///   - title: whose jobs these are.
  ///   - allowsColor: false for `--no-color`.
  ///   - variables: the environment.
  init(title: String, allowsColor: Bool, variables: [String: String]) {
    self.title = title
    palette = Palette(
      isOn: Palette.isWanted(isTerminal: true, allowed: allowsColor, variables: variables))
    isDumb = ["dumb", ""].contains(variables["TERM", default: ""])
    view = WatchView(title: title, interval: 0, palette: palette)
  }

  /// The function that `hpc.watch` calls.
  func make(in state: LuaState) throws -> LuaReference {
    if let function { return function }
    let chunk = try state.load(PackageResources.watch_lua, name: "=hpc.watch")
    let console = try state.make([:])
    for (name, body) in bodies {
      try state.rawSet(console, .string(name), .reference(try state.function(name, body)))
    }
    guard let made = try state.call(chunk, [.reference(console)]).first?.asReference else {
      throw LuaError("watch.lua gives no function")
    }
    function = made
    return made
  }

  private var bodies: [(String, LuaBody)] {
    [
      ("open", { [self] call in .value(.boolean(try open(call))) }),
      (
        "shown",
        { [self] call in
          view.show(try JobSummary.read(call.table(1), in: call.state), at: Self.now())
          show()
          return .nothing
        }
      ),
      (
        "failed",
        { [self] call in
          view.fail(try call.state.text(of: call.value(1)), at: Self.now())
          show()
          return .nothing
        }
      ),
      (
        "key",
        { [keys] _ in .await({ await keys.next() }) { _, key in .value(.string(key)) } }
      ),
      (
        "leave",
        { [keys] _ in
          keys.push("quit")
          return .nothing
        }
      ),
      (
        "close",
        { [self] call in
          if owner == call.state.identity(of: try call.table(1)) { close(call.state) }
          return .nothing
        }
      ),
    ]
  }

  /// Takes the screen, if there is one.
  private func open(_ call: borrowing LuaCall) throws -> Bool {
    let palette = isatty(1) == 1 ? palette : Palette(isOn: false)
    let interval = try call.number(1)
    view = WatchView(title: title, interval: interval, palette: palette)
    let state = call.state
    isPlain = isDumb || isatty(0) != 1 || isatty(1) != 1
    guard !isPlain else { return false }
    guard state.isForegroundRunning, screen == nil else {
      throw LuaError(
        "hpc.watch takes the whole terminal: call it at the prompt or in the main program, not in a task"
      )
    }
    guard let screen = FullScreen() else {
      isPlain = true
      return false
    }
    self.screen = screen
    owner = state.identity(of: try call.table(2))
    keys.clear()
    state.willWait = { [unowned self] in self.screen?.boundOutput() }
    LuaState.restoreTerminal { TerminalGuard.restore() }
    watches = [state.watch(screen.descriptor) { [unowned self] _ in takeKeys() }]
    signals = TerminalSignals.current ?? TerminalSignals()
    if let signals {
      watches.append(
        state.watch(signals.descriptor) { [unowned self] _ in
          _ = signals.take()
          show()
        })
    }
    show()
    return true
  }

  private func close(_ state: LuaState) {
    for watch in watches { state.unwatch(watch) }
    watches = []
    state.willWait = nil
    signals = nil
    screen?.close()
    (screen, owner) = (nil, nil)
  }

  private func show() {
    if let screen {
      let size = screen.size
      screen.draw(view.screen(columns: size.columns, rows: size.rows))
    } else if isPlain {
      StandardOutput.write(
        view.snapshot(width: isatty(1) == 1 ? TerminalGuard.size(of: 1).columns : nil) + "\n")
    }
  }

  private func takeKeys() {
    guard let screen else { return }
    for key in screen.takeKeys() {
      switch key {
      case .endOfInput, .character("q"), .character("Q"): keys.push("quit")
      case .character("r"): keys.push("refresh")
      case .up, .character("k"): view.scroll(by: -1)
      case .down, .character("j"): view.scroll(by: 1)
      case .pageUp, .character("b"): view.scroll(pages: -1)
      case .pageDown, .character(" "): view.scroll(pages: 1)
      case .home, .character("g"): view.scroll(toEnd: false)
      case .end, .character("G"): view.scroll(toEnd: true)
      case .stop: screen.stop()
      case .character: break
      }
    }
    show()
  }

  /// The time of day on this computer.
  private static func now() -> String {
    var seconds = Glibc.time(nil)
    var parts = unsafe tm()
    _ = unsafe localtime_r(&seconds, &parts)
    return unsafe clock(Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec))
  }

  private static func clock(_ hour: Int, _ minute: Int, _ second: Int) -> String {
    [hour, minute, second].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }
}
