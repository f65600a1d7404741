/// What a typed form is: Lua, or one of the things that only a prompt understands.
enum PromptInput: Equatable {
  case empty
  case lua
  /// `.time`, `.time expression`, …
  case command(String, argument: String)
  /// `!cmd`
  case shell(String)
  /// `x?`
  case help(String)
  /// A word of another tool's, and what to type here.
  case hint(String)

  /// Commands and what they do, for `.help` and completion.
  static let commands: [(name: String, summary: String)] = [
    (".help", "this list; .help NAME or NAME? explains a function"),
    (".quit", "leave (so does Ctrl-D)"),
    (".tasks", "what runs in the background"),
    (".time", "show how long each form takes, or stop showing; .time FORM: once"),
    (".trace", "the traceback of the last error"),
  ]

  /// Sorts a form.
  ///
  /// - Parameters:
  ///   - form: what was typed.
  ///   - isGlobal: whether a global of that name exists, which then is meant.
  init(_ form: [UInt8], isGlobal: (String) -> Bool) {
    let text = String(decoding: form, as: UTF8.self).trimmed
    if text.isEmpty {
      self = .empty
    } else if text.hasPrefix("!") {
      self = .shell(String(text.dropFirst()).trimmed)
    } else if text.hasPrefix("."), let second = text.dropFirst().first, second.isLetter {
      let parts = text.split(separator: " ", maxSplits: 1)
      self = .command(
        String(parts[0]), argument: parts.count > 1 ? String(parts[1]).trimmed : "")
    } else if let name = Self.question(text) {
      self = .help(name)
    } else if let hint = Self.hint(text, isGlobal) {
      self = .hint(hint)
    } else {
      self = .lua
    }
  }

  /// The name in `name?` or `?name`.
  private static func question(_ text: String) -> String? {
    guard !text.contains("\n") else { return nil }
    var name = text
    if text.hasPrefix("?") {
      name.removeFirst()
    } else if text.hasSuffix("?") {
      name.removeLast()
    } else {
      return nil
    }
    name = name.trimmed
    return name.utf8.allSatisfy { LuaLexer.isNamePart($0) || $0 == 0x2e || $0 == 0x3a }
      ? name : nil
  }

  private static let overview =
    "hpc shows the map of the table, .help the commands of this prompt, hpc.jobs.submit? explains one function."

  /// What to type here, for words of shells and of batch systems.
  private static func hint(_ text: String, _ isGlobal: (String) -> Bool) -> String? {
    guard !text.contains("\n") else { return nil }
    let word = String(text.prefix { LuaLexer.isNamePart($0.asciiValue ?? 0) })
    let rest = String(text.dropFirst(word.count))
    let argument = rest.trimmed
    // An assignment or a call is Lua, whatever the name.
    let isWord =
      rest.isEmpty || (rest.hasPrefix(" ") && !"=({[.:'\"".contains(argument.first ?? "x"))
    let isCall = rest == "()" && ["exit", "quit", "help"].contains(word)
    let isHelpCall = word == "help" && rest.hasPrefix("(") && rest.hasSuffix(")")
    if word == "hpc", isWord, !argument.isEmpty {
      return argument.hasPrefix("help")
        ? overview : "This is hpc already; !\(text) runs another one in the shell."
    }
    guard isWord || isCall || isHelpCall, !isGlobal(word) else { return nil }
    switch word {
    case "help":
      let name = isHelpCall ? String(argument.dropFirst().dropLast()).trimmed : argument
      if name.isEmpty { return overview }
      return isHelpCall ? "hpc.help(\(name)) explains it." : ".help \(name) explains it."
    case "exit", "quit": return "Ctrl-D or .quit leaves."
    case "clear", "cls": return "Ctrl-L clears the screen."
    case "history": return "Up recalls earlier forms, Ctrl-R searches in them."
    case "pjstat", "squeue", "qstat":
      return "hpc.jobs.list() shows your jobs; hpc.watch() keeps showing them."
    case "pjsub", "sbatch", "qsub":
      return argument.isEmpty
        ? "hpc.jobs.submit(\"run.sh\") submits a script that lies in your home on the machine."
        : "hpc.jobs.submit(\(ValuePrinter.quoted(Array((argument.split(separator: " ").last ?? "").utf8)))) submits a script that lies in your home on the machine."
    case "pjdel", "scancel", "qdel":
      let id = argument.split(separator: " ").first.flatMap { Int($0) }.map(String.init)
      return "hpc.jobs.cancel(\(id ?? "id")) cancels a job."
    case "ls", "cat", "pwd", "head", "tail", "less", "grep", "cp", "mv", "rm", "mkdir", "vi", "vim",
      "nano", "man", "which", "sh", "bash":
      return "!\(text) runs it in the shell."
    case "cd":
      return
        "The working folder stays the one that hpc was started in; !\(text) && … works for one command."
    default: return nil
    }
  }
}

extension String {
  /// Without white space at both ends.
  var trimmed: String {
    var bytes = utf8[...]
    while let first = bytes.first, LuaLexer.isSpace(first) { bytes.removeFirst() }
    while let last = bytes.last, LuaLexer.isSpace(last) { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
