import Glibc
import LineEditor
import LuaAPI
import LuaRuntime

extension REPL {
  /// Carries out a command that begins with a dot; the exit status when it ends the session.
  func command(_ name: String, _ argument: String) -> Int32? {
    switch name {
    case ".quit", ".exit", ".q": return mayLeave() ? ScriptRunner.ExitStatus.success : nil
    case ".help": argument.isEmpty ? say(Self.overview) : help(argument)
    case ".tasks":
      let lines = taskLines(limit: 100)
      show(lines.isEmpty ? "no task runs in the background" : lines.joined(separator: "\n"))
    case ".time":
      if argument.isEmpty {
        showsTime.toggle()
        show("the time of each form is \(showsTime ? "shown" : "not shown")")
      } else {
        return handle(Array(argument.utf8), isTimed: true)
      }
    case ".trace":
      show(lastError.map(view.traceback) ?? "there was no error yet")
    default:
      let names = PromptInput.commands.map(\.name)
      show("there is no \(name); there are \(names.joined(separator: " "))")
    }
    return nil
  }

  private static var overview: String {
    let rows =
      PromptInput.commands
      + [
        ("hpc", "the table on one screen; hpc.help(hpc.jobs.submit), hpc.jobs.submit? explain"),
        ("!cmd", "run a shell command"),
        ("_  _2 … _9", "the last value, and those before it"),
        ("Tab", "complete names, fields, options, states, job ids, files"),
        ("Return", "run the form; a new line while it is not complete"),
        ("Up  Ctrl-R", "earlier forms, also of other sessions; search in them"),
        ("Ctrl-C", "clear the form; stop what runs in the foreground"),
      ]
    let width = rows.map { $0.0.count }.max() ?? 0
    return rows.map { $0.0 + String(repeating: " ", count: width + 2 - $0.0.count) + $0.1 }
      .joined(separator: "\n")
  }

  /// One line for each task.
  func taskLines(limit: Int) -> [String] {
    var lines = state.tasks(limit: limit).map { task in
      let wait =
        switch task.wait {
        case .nothing: "is ready to run"
        case .time(let seconds): "sleeps for \((seconds * 10).rounded() / 10) s more"
        case .task: "waits for another task"
        case .outside: "waits for an answer"
        }
      // A function of C that waits has no line.
      let isNew = task.place.isEmpty && task.wait == .nothing
      let place = isNew ? "has not begun" : task.place.isEmpty ? "in C" : "at \(task.place)"
      return "  task \(task.id)  \(place)  \(wait)"
    }
    if state.aliveTasks > limit { lines.append("  … \(state.aliveTasks - limit) more") }
    return lines
  }

  /// Explains a name such as `hpc.jobs.submit`, `jobs.submit`, `Job` or a variable that holds one
  /// of the table's functions; nothing is run.
  func help(_ name: String) {
    if name.isEmpty || name == "hpc" {
      return show(TableMap.text(width: width, palette: view.palette))
    }
    if let members = HelpText.members(of: name) { return say(members) }
    if let command = PromptInput.commands.first(where: { [name, "." + name].contains($0.name) }) {
      return say("\(command.name)  \(command.summary)")
    }
    let context = CursorContext(before: Array((name + ".").utf8))
    let types = APITypes(world: LuaWorld(state: state, table: table, jobs: jobs))
    if case .member(let steps, _) = context.place {
      let target = types.resolve(steps)
      switch target {
      case .entry(let entry): return say(HelpText.describe(entry))
      case .live(_, let entry?): return say(HelpText.describe(entry))
      default: break
      }
      if let entry = APISpec.entry(name) ?? APISpec.entry("hpc.\(name)") ?? types.member(steps) {
        return say(HelpText.describe(entry))
      }
      if let folder = HelpText.folder(name) { return say(folder) }
      if let name = types.className(target), let members = HelpText.members(of: name) {
        return say(members)
      }
      if case .live(let value, _) = target {
        let type = (try? state.typeName(of: value)) ?? "value"
        return say("\(name) is a \(type); hpc.help() lists what is explained")
      }
    }
    say(HelpText.unknown(name))
  }

  /// What was probably meant where a form calls or indexes a name that nothing has; nothing is run.
  func suggestion(for error: LuaError, in form: [UInt8]) -> String? {
    let parts = error.message.split(separator: "'", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[2] == ")",
      let kind = ["field", "method", "global"].first(where: {
        parts[0].hasSuffix("a nil value (\($0) ")
      })
    else { return nil }
    let name = Array(parts[1].utf8)
    let isMember = kind != "global"
    let start = LuaLexer.tokens(of: form).first { token in
      let before = form[..<token.range.lowerBound].last { !LuaLexer.isSpace($0) }
      return form[token.range].elementsEqual(name) && (before == 0x2e || before == 0x3a) == isMember
    }?.range.lowerBound
    guard let start else { return nil }
    let there = completer.complete(Array(form[..<start]), at: start).candidates.map(\.text)
    return NearestName.find(String(parts[1]), in: there).map { "did you mean '\($0)'?" }
  }

  private var width: Int { TerminalGuard.size(of: 1).columns }

  /// Runs a shell command; background tasks go on.
  func shell(_ command: String) {
    guard !command.isEmpty else { return show("!cmd runs a shell command, such as !ls -l") }
    StandardOutput.flush()
    guard let child = TerminalChild(command, variables: surroundings.variables) else {
      return show("the shell cannot be started")
    }
    // Wherever the cursor is left, what follows begins on a line of its own: a full line of blanks
    // wraps unless it began at the edge.
    let edge = String(repeating: " ", count: max(1, width - 1)) + "\r\u{1b}[K"
    let status = wait(for: child, closing: view.palette.isOn ? edge : "")
    if status != 0 { show(view.palette.paint("exit status \(status)", .faint)) }
  }
}
