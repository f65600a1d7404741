import Glibc
import LineEditor
import LuaAPI
import LuaRuntime

/// The prompt that people keep open all day: forms are typed, run as the foreground task, their
/// values shown; background tasks go on all the while.
final class REPL {
  /// What the program around gives.
  struct Surroundings {
    var version: String
    var variables: [String: String]
    var allowsColor = true
    var isQuiet = false
    /// Before the prompt: `sim` for an embedded simulator.
    var name = "hpc"
    /// Shows an error where there is no terminal.
    var reportPlainly: (LuaError) -> Void
    /// Takes a line of progress off the terminal; its writer writes it again.
    var clearProgress: () -> Void
    /// Sweeps that are under way.
    var sweeps: () -> [String]
    /// Waits for the answers of submissions under way.
    var awaitSubmissions: () -> Void
  }

  let state: LuaState
  let table: HPCTable
  let surroundings: Surroundings
  let isTerminal: Bool
  let view: ValueView
  let jobs: SeenJobs
  let compiler: FormCompiler
  private var history: HistoryFile?
  private var input: PromptReader?

  /// Whether each form's time is shown.
  var showsTime = false
  var lastError: LuaError?
  private var hasExplainedLocal = false
  private var hasMentionedTrace = false

  init(state: LuaState, table: HPCTable, surroundings: Surroundings) {
    self.state = state
    self.table = table
    self.surroundings = surroundings
    isTerminal = isatty(0) == 1 && isatty(1) == 1
    let variables = surroundings.variables
    let palette = Palette(
      isOn: Palette.isWanted(
        isTerminal: isTerminal, allowed: surroundings.allowsColor, variables: variables))
    view = ValueView(state: state, table: table, palette: palette)
    let jobs = SeenJobs(state: state)
    self.jobs = jobs
    compiler = FormCompiler(state: state)
    if isTerminal {
      jobs.noteGlobals(ValueReader(state: state, table: table))
      table.sawJobs = { jobs.note($0) }
    }
  }

  /// Reads and runs forms until the user leaves.
  ///
  /// - Returns: the exit status.
  func run() throws -> Int32 {
    let input = makeInput()
    self.input = input
    defer { input.close() }
    if isTerminal {
      loadHistory(into: input)
      if !surroundings.isQuiet { greet(completes: input.isRich) }
    }
    runInit()
    while true {
      surroundings.clearProgress()
      switch input.read(prompt: prompt) {
      case .form(let form):
        remember(form, input)
        if let status = handle(form) { return leave(status) }
      case .interrupted: continue
      case .endOfInput:
        if mayLeave() { return leave(ScriptRunner.ExitStatus.success) }
      case .closed: return leave(ScriptRunner.ExitStatus.success)
      case .terminated(let status): return leave(status)
      }
    }
  }

  private func makeInput() -> PromptReader {
    let hooks = LineEditorHooks(
      isComplete: { [unowned self] in isComplete($0) },
      complete: { [unowned self] in completer.complete($0, at: $1) },
      list: { CandidateList.text($0, columns: $1, rows: $2) })
    return PromptReader(
      state: state, hooks: hooks,
      isRich: isTerminal
        && !["dumb", ""].contains(surroundings.variables["TERM", default: ""]))
  }

  var completer: Completer<LuaWorld> {
    Completer(
      world: LuaWorld(state: state, table: table, jobs: jobs),
      commands: PromptInput.commands.map(\.name))
  }

  private var prompt: String {
    if let own = try? state.rawGet(state.globals, "_PROMPT"), !own.isNil {
      return (try? state.text(of: own)) ?? "> "
    }
    guard isTerminal else { return "> " }
    return view.palette.paint("\(surroundings.name)>", .heading) + " "
  }

  private func greet(completes: Bool) {
    say(
      "hpc \(surroundings.version), Lua 5.4. hpc shows the table, .help the commands, "
        + "\(completes ? "Tab completes, " : "")Ctrl-D leaves.", .faint)
  }

  private func runInit() {
    let variables = surroundings.variables
    guard
      let folder = variables["XDG_CONFIG_HOME"].flatMap({ $0.isEmpty ? nil : $0 })
        ?? variables["HOME"].map({ $0 + "/.config" })
    else { return }
    let path = "\(folder)/hpc/init.lua"
    guard unsafe access(path, F_OK) == 0 else { return }
    do {
      let chunk = try state.load(file: path)
      finish(try state.runForeground(chunk), of: nil)
    } catch {
      show(error)
    }
  }

  // MARK: History

  private func loadHistory(into input: PromptReader) {
    let variables = surroundings.variables
    guard
      let folder = variables["XDG_STATE_HOME"].flatMap({ $0.isEmpty ? nil : $0 })
        ?? variables["HOME"].map({ $0 + "/.local/state" })
    else { return }
    let file = HistoryFile(path: "\(folder)/hpc/history")
    do {
      for entry in try file.load() { input.remember(entry) }
      history = file
    } catch {
      warn("no history: \(error)")
    }
  }

  /// What is known of secrets now.
  private var filter: HistoryFilter {
    let variables = surroundings.variables.filter {
      $0.key.contains("SECRET") || $0.key.contains("TOKEN")
    }
    return HistoryFilter(secrets: variables.map(\.value) + table.secrets)
  }

  /// Before the form runs: whatever it does, it can be recalled.
  private func remember(_ form: [UInt8], _ input: PromptReader) {
    guard form.contains(where: { !LuaLexer.isSpace($0) }) else { return }
    let isNew = input.remember(form)
    guard isNew, let history, filter.allows(form) else { return }
    do { try history.append(form) } catch {
      self.history = nil
      warn("history is not kept: \(error)")
    }
  }

  // MARK: Forms

  private func sorted(_ form: [UInt8]) -> PromptInput {
    PromptInput(form) { [state] name in
      (try? state.rawGet(state.globals, .string(name)).isNil) == false
    }
  }

  private func isComplete(_ form: [UInt8]) -> Bool {
    guard sorted(form) == .lua else { return true }
    if case .incomplete = compiler.compile(form) { return false }
    return true
  }

  /// Does what a form says; the exit status when it ends the session.
  func handle(_ form: [UInt8], isTimed: Bool = false) -> Int32? {
    switch isTerminal ? sorted(form) : .lua {
    case .empty: return nil
    case .lua: evaluate(form, isTimed: isTimed)
    case .command(let name, let argument): return command(name, argument)
    case .shell(let command): shell(command)
    case .help(let name): help(name)
    case .hint(let text): say(text)
    }
    return nil
  }

  /// Runs a form of Lua and shows its values.
  func evaluate(_ form: [UInt8], isTimed: Bool = false) {
    switch compiler.compile(form) {
    case .failed(let error), .incomplete(let error): show(error)
    case .ready(let chunk):
      let start = ContinuousClock.now
      var help: [String] = []
      if isTerminal {
        table.present = { text in
          help.append(text)
          return true
        }
      }
      do {
        let outcome = try state.runForeground(chunk)
        table.present = nil
        if !help.isEmpty { say(help.joined(separator: "\n\n")) }
        finish(outcome, of: form)
      } catch {
        table.present = nil
        show(error)
      }
      if showsTime || isTimed {
        show(view.palette.paint(Self.time(ContinuousClock.now - start), .faint))
      }
      explainLocal(form)
    }
  }

  private static func time(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = Double(seconds) * 1e3 + Double(attoseconds) * 1e-15
    let digits = milliseconds < 1000 ? milliseconds : milliseconds / 1000
    let rounded = (digits * 100).rounded() / 100
    return "\(rounded) \(milliseconds < 1000 ? "ms" : "s")"
  }

  /// - Parameter form: what was run; nil for the init file, whose values nobody asked for.
  private func finish(_ outcome: LuaOutcome, of form: [UInt8]?) {
    surroundings.clearProgress()
    switch outcome {
    case .returned(let values):
      guard form != nil, !values.isEmpty else { break }
      keep(values)
      display(values)
    case .failed(let error): show(error, of: form)
    case .interrupted(let signal):
      if signal != SIGINT {
        input?.terminate(128 + signal)
      } else {
        // The terminal has echoed ^C.
        show("\n" + view.palette.paint("interrupted", .error))
      }
    }
    if StandardOutput.isWithinLine, isTerminal { StandardOutput.write("\n") }
  }

  /// `_` is the last value, `_1` too, `_2` … `_9` those before.
  private func keep(_ values: [LuaValue]) {
    guard let value = values.first, !value.isNil, let globals = try? state.globals else { return }
    for place in stride(from: 9, to: 1, by: -1) {
      let before = (try? state.rawGet(globals, .string("_\(place - 1)"))) ?? .nil
      try? state.rawSet(globals, .string("_\(place)"), before)
    }
    try? state.rawSet(globals, "_1", value)
    try? state.rawSet(globals, "_", value)
  }

  private func display(_ values: [LuaValue]) {
    guard isTerminal else {
      // As stock Lua: whatever reads the pipe gets what print gives.
      guard let print = try? state.get(state.globals, "print").asReference else { return }
      do { try state.call(print, values) } catch { show(error) }
      return
    }
    show(view.text(of: values, width: TerminalGuard.size(of: 1).columns))
  }

  private func explainLocal(_ form: [UInt8]) {
    guard isTerminal, !hasExplainedLocal else { return }
    let tokens = LuaLexer.tokens(of: form)
    guard let first = tokens.first, first.kind == .keyword,
      String(decoding: form[first.range], as: UTF8.self) == "local"
    else { return }
    hasExplainedLocal = true
    say(
      "A local ends with the form that declares it: leave \"local\" out to use the name later.",
      .faint)
  }

  // MARK: Output

  /// Shows text, through a pager when it is taller than the screen.
  func show(_ text: String) {
    if StandardOutput.isWithinLine, isTerminal { StandardOutput.write("\n") }
    let size = TerminalGuard.size(of: 1)
    if isTerminal, Pager.isTaller(text, columns: size.columns, rows: size.rows),
      Pager(variables: surroundings.variables, wait: { [self] in wait(for: $0) }).show(text)
    {
      return
    }
    StandardOutput.write(text + "\n")
  }

  /// Waits for a program that has the terminal; its exit status.
  func wait(for child: TerminalChild, closing: String = "") -> Int32 {
    input?.wait(for: child, closing: closing) ?? child.finish()
  }

  /// Shows prose, broken between words.
  func say(_ text: String, _ style: Palette.Style? = nil) {
    let text = isTerminal ? WordWrap.text(text, width: TerminalGuard.size(of: 1).columns) : text
    show(style.map { view.palette.paint(text, $0) } ?? text)
  }

  func show(_ error: any Error, of form: [UInt8]? = nil) {
    let error = error as? LuaError ?? state.describeError(error)
    lastError = error
    guard isTerminal else { return surroundings.reportPlainly(error) }
    var text = view.text(of: error, width: TerminalGuard.size(of: 1).columns)
    if let form, let meant = suggestion(for: error, in: form) {
      text += "\n" + view.palette.paint(meant, .waiting)
    }
    if !hasMentionedTrace, !error.traceback.isEmpty {
      hasMentionedTrace = true
      text += "\n" + view.palette.paint(".trace shows where it came from.", .faint)
    }
    show(text)
  }

  private func warn(_ text: String) { say(text, .waiting) }

  // MARK: Leaving

  /// Says what still runs, and asks.
  func mayLeave() -> Bool {
    // What only waits for its turn does not run for long.
    state.runReady()
    let alive = state.aliveTasks
    guard alive > 0 else { return true }
    guard isTerminal else {
      // Nobody can be asked; a program's tasks end before it does.
      state.wait { [self] in state.aliveTasks == 0 }
      return true
    }
    show(
      "\(alive) background task\(alive == 1 ? "" : "s") still run\(alive == 1 ? "s" : ""):\n"
        + taskLines(limit: 10).joined(separator: "\n"))
    let sweeps = surroundings.sweeps()
    if !sweeps.isEmpty {
      say(
        "Sweeps under way: \(sweeps.joined(separator: ", ")). Their journals keep everything; a later run goes on."
      )
    }
    let question = "Leave and cancel \(alive == 1 ? "it" : "them")? [y/N] "
    switch input?.read(prompt: question, isQuestion: true) {
    case .form(let answer):
      return ["y", "yes"].contains(String(decoding: answer, as: UTF8.self).trimmed.lowercased())
    case .interrupted: return false
    default: return true
    }
  }

  /// Ends what runs, in good order.
  private func leave(_ status: Int32) -> Int32 {
    if state.aliveTasks > 0 {
      state.cancelAll()
      let deadline = ContinuousClock.now + .seconds(1)
      state.waitAtMost(until: deadline) { [state] in state.aliveTasks == 0 }
    }
    surroundings.awaitSubmissions()
    return status
  }
}
