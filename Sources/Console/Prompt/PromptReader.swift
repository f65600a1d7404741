import Glibc
import LineEditor
import LuaAPI
import LuaRuntime

/// Waits for forms while the loop runs background tasks, and shows above the prompt what these
/// write.
final class PromptReader {
  /// What reading led to.
  enum Outcome {
    case form([UInt8])
    case interrupted
    case endOfInput
    case closed
    /// A signal ends the session with this status.
    case terminated(Int32)
  }

  private let state: LuaState
  private let editor: any LineEditor
  private let capture: OutputCapture?
  private let signals: TerminalSignals?
  private var lastForm: [UInt8] = []
  private var ending: Int32?

  /// - Parameters:
  ///   - state: the loop that runs while nothing is typed.
  ///   - hooks: what an editor asks.
  ///   - isRich: whether the terminal can do more than print lines.
  init(state: LuaState, hooks: LineEditorHooks, isRich: Bool) {
    self.state = state
    let isAnswer = Box(false)
    var hooks = hooks
    let isComplete = hooks.isComplete
    hooks.isComplete = { isAnswer.value || isComplete($0) }
    let rich = isRich ? Self.richEditor(hooks) : nil
    editor = rich?.editor ?? PlainLineEditor(isComplete: hooks.isComplete)
    capture = rich?.capture
    self.isAnswer = isAnswer
    signals = rich == nil ? nil : TerminalSignals()
    if rich == nil, isatty(0) == 0 { StandardOutput.unbufferInput() }
    LuaState.restoreTerminal { TerminalGuard.restore() }
  }

  /// Whether keys do more than write.
  var isRich: Bool { capture != nil }

  /// Readline, and what holds output back from it; nil where it cannot be had.
  private static func richEditor(_ hooks: LineEditorHooks) -> (
    editor: any LineEditor, capture: OutputCapture
  )? {
    #if Readline
      if let capture = OutputCapture(),
        let editor = ReadlineEditor(output: capture.terminal, hooks: hooks)
      {
        return (editor, capture)
      }
    #endif
    return nil
  }

  private final class Box {
    var value: Bool
    init(_ value: Bool) { self.value = value }
  }
  private let isAnswer: Box

  /// Shows a prompt and waits until something was entered.
  ///
  /// - Parameter isQuestion: any line is an answer.
  func read(prompt: String, isQuestion: Bool = false) -> Outcome {
    var event: LineEvent?
    state.idleInterrupt = { [unowned self] signal in
      if signal != SIGINT { ending = 128 + signal } else { event = event ?? .interrupted }
    }
    // A Ctrl-C from before this prompt meant what was there then, not what is typed ahead.
    state.takeInterrupt()
    // Its echo is where the prompt is to stand.
    if event == .interrupted, isatty(1) == 1 { StandardOutput.write("\n") }
    event = nil
    if let ending {
      state.idleInterrupt = nil
      return .terminated(ending)
    }
    isAnswer.value = isQuestion
    StandardOutput.flush()
    editor.begin(prompt: prompt, isQuestion: isQuestion)
    capture?.start()
    let wake = state.port(of: Bool.self) { _, _ in }
    if capture != nil { PromptOutput.onWrite { wake.post(true) } }
    defer { PromptOutput.onWrite(nil) }
    event = editor.process()
    let keys = state.watch(editor.descriptor) { [editor] _ in
      if event == nil { event = editor.process() }
    }
    let happenings = signals.map { signals in
      state.watch(signals.descriptor) { [editor] _ in
        for happening in signals.take() {
          switch happening {
          case .resized: editor.resize()
          case .continued:
            editor.suspend()
            editor.resume()
          }
        }
      }
    }
    state.willWait = { [unowned self] in
      showOutput()
      editor.willWait()
    }
    state.wait { [self] in
      // Without a task there is nothing that a signal could stop.
      if state.aliveTasks > 0 { editor.didWait() }
      return event != nil || ending != nil
    }
    state.willWait = nil
    state.idleInterrupt = nil
    state.unwatch(keys)
    happenings.map(state.unwatch)
    showOutput()
    if editor.isActive {
      event == .interrupted ? editor.abandon() : editor.close()
    }
    capture?.stop()
    if let ending { return .terminated(ending) }
    switch event {
    case .form(let form): return .form(form)
    case .interrupted: return .interrupted
    case .closed: return .closed
    case .endOfInput, nil: return .endOfInput
    }
  }

  /// Waits for a program that has the terminal, while the loop runs; what tasks write meanwhile is
  /// shown after it, and pauses them where it is much. SIGTERM is passed on, and ends the session once
  /// the program has ended.
  ///
  /// - Parameters:
  ///   - child: the program.
  ///   - closing: what the terminal is to get before that.
  /// - Returns: its exit status.
  func wait(for child: TerminalChild, closing: String = "") -> Int32 {
    capture?.start()
    let before = state.idleInterrupt
    var (isTerminated, hasPaused) = (false, false)
    state.idleInterrupt = { [unowned self] signal in
      guard signal != SIGINT else { return }
      terminate(128 + signal)
      child.send(SIGTERM)
      isTerminated = true
    }
    if child.descriptor >= 0 {
      var hasEnded = false
      let watch = state.watch(child.descriptor) { _ in hasEnded = true }
      state.wait { [self] in
        state.pausesTasks = capture?.isFull == true
        hasPaused = hasPaused || state.pausesTasks
        return hasEnded || isTerminated
      }
      state.pausesTasks = false
      if !hasEnded {
        // A shell may not heed it.
        state.waitAtMost(until: .now + .seconds(1)) { hasEnded }
        if !hasEnded { child.send(SIGKILL) }
      }
      state.unwatch(watch)
    }
    state.idleInterrupt = before
    let status = child.finish()
    Descriptor.write(closing.utf8, to: capture?.terminal ?? 1)
    if capture?.stop() == true { StandardOutput.write("\n") }
    if hasPaused {
      StandardOutput.write("hpc: background tasks rested meanwhile: they had written too much\n")
    }
    return status
  }

  private func showOutput() {
    guard let capture else { return }
    let lines = capture.takeLines()
    if !lines.isEmpty { editor.showAbove(lines) }
    let line = capture.unfinishedLine
    guard !line.isEmpty else { return editor.showStatus([]) }
    // More than any line of a terminal shows.
    let text = TextTable.printable(String(decoding: line.prefix(4096), as: UTF8.self))
    editor.showStatus(
      Array(
        TextTable.cut(text, to: TerminalGuard.size(of: capture.terminal).columns - 1).utf8))
  }

  /// Adds a form to those that can be recalled.
  ///
  /// - Returns: false when it is the last one again.
  @discardableResult
  func remember(_ form: [UInt8]) -> Bool {
    guard form != lastForm else { return false }
    lastForm = form
    editor.remember(form)
    return true
  }

  /// Has the next ``read(prompt:isQuestion:)`` answer that the session ends.
  func terminate(_ status: Int32) { ending = status }

  func close() { editor.close() }
}
