import Glibc
public import LuaAPI
import LineEditor
public import LuaRuntime
import Sweeps

/// Runs a command line as stock `lua` would (lua.c, `pmain`), with the `hpc` table and tasks.
public final class ScriptRunner {
  /// Exit statuses (design §6).
  public enum ExitStatus {
    public static let success: Int32 = 0
    public static let failure: Int32 = 1
    public static let usage: Int32 = 2
    public static let interrupted: Int32 = 130
  }

  public let state: LuaState
  private let options: CommandLineOptions
  private let host: HPCHost
  private let table: HPCTable
  /// What was reported last, for `.trace` of a prompt after a script.
  private var lastError: LuaError?
  private var showsTracebacks = true
  /// Whether a task failed that nobody joined.
  private var hasFailedTask = false
  /// What the command line runs and has not begun, and the global that the module of the last `-l`
  /// goes to.
  private var stages: ArraySlice<Stage> = []
  private var pendingGlobal: [UInt8]?

  /// Opens a state with the `hpc` table.
  ///
  /// - Parameters:
  ///   - options: what the command line asks for.
  ///   - commandLine: the whole of it, the program's own name first, for `arg`.
  ///   - host: what the program gives to the table.
  ///   - beforeExit: called before `os.exit` ends the process.
  public init(
    _ options: CommandLineOptions, commandLine: [[UInt8]], host: HPCHost,
    beforeExit: @escaping () -> Void
  ) throws {
    self.options = options
    self.host = host
    state = try LuaState(ignoresEnvironment: options.ignoresEnvironment)
    table = try HPCTable.install(in: state, host: host)
    let watch = JobWatch(
      title: options.usesSimulator ? "simulator" : "hpc", allowsColor: options.usesColor,
      variables: Environment.variables)
    table.makeWatch = { try watch.make(in: $0) }
    let log = host.log
    state.taskFailed = { [unowned state, weak self] error in
      self?.hasFailedTask = true
      let text = String(decoding: Self.text(of: error, in: state), as: UTF8.self)
      log(.error, "a task failed: \(text)")
    }
    try setArguments(commandLine)
    try wrapExit(beforeExit)
    // As lua.c: generational collection.
    try state.call(try state.load(Array("collectgarbage('generational')".utf8), name: "=hpc"))
  }

  /// Runs everything that the command line names.
  ///
  /// - Returns: the exit status.
  public func run() -> Int32 {
    state.catchSignals()
    defer { state.leaveSignals() }
    return afterSubmissions(runAll())
  }

  /// One thing that stock lua does with a command line (lua.c, `pmain`).
  private enum Stage: Equatable {
    case environment
    case step(CommandLineOptions.Step)
    case script([UInt8])
    case standardInput(takesArguments: Bool)
  }

  /// Runs everything in one main task, as stock lua does on one coroutine: hooks that `-l` sets reach
  /// the script.
  private func runAll() -> Int32 {
    stages = allStages[...]
    let isTerminal = isatty(STDIN_FILENO) != 0
    let submissions = host.submissions
    defer { submissions.isForsaken = false }
    // Told at once, for other tasks may go on for hours.
    var failure: Int32?
    do {
      switch try state.run(
        program: { [unowned self] in try nextCall(after: $0) }, leavesTasks: isBeforePrompt,
        mainFailed: { [unowned self] error in
          submissions.isForsaken = true
          failure = report(error)
        })
      {
      case .returned: break
      case .failed(let error):
        let status = failure ?? report(error)
        guard promptFollowsFailure else { return status }
      case .interrupted:
        let status = reportInterrupt()
        guard promptFollowsFailure else { return status }
      }
      let isBare = options.program == .none && !options.endsAfterSteps && !options.showsVersion
      guard options.isInteractive || isBare && isTerminal else {
        let status = host.outcome.status
        return status == ExitStatus.success && hasFailedTask ? ExitStatus.failure : status
      }
      return try prompt()
    } catch {
      return report(error as? LuaError ?? state.describeError(error))
    }
  }

  private var allStages: [Stage] {
    var stages = options.ignoresEnvironment ? [] : [Stage.environment]
    stages += options.steps.map(Stage.step)
    switch options.program {
    case .file(let path): stages.append(.script(path))
    case .standardInput: stages.append(.standardInput(takesArguments: true))
    case .none:
      if !options.isInteractive, !options.endsAfterSteps, !options.showsVersion,
        isatty(STDIN_FILENO) == 0
      {
        stages.append(.standardInput(takesArguments: false))
      }
    case .subcommand: break
    }
    return stages
  }

  /// Whether somebody at a terminal waits for the prompt.
  private var isBeforePrompt: Bool { options.isInteractive && isatty(STDIN_FILENO) != 0 }

  /// On a terminal `-i` shows what is left of a script that failed.
  private var promptFollowsFailure: Bool {
    guard case .file = options.program else { return false }
    return isBeforePrompt && stages.isEmpty
  }

  /// What the main task calls next, with its arguments; nothing when all has been run.
  private func nextCall(after results: [LuaValue]) throws -> [LuaValue] {
    if let global = pendingGlobal {
      pendingGlobal = nil
      try state.set(state.globals, .bytes(global), results.first ?? .nil)
    }
    while let stage = stages.popFirst() {
      switch stage {
      case .environment:
        if let chunk = try environmentChunk() { return [.reference(chunk)] }
      case .step(.execute(let code)):
        return [.reference(try state.load(code, name: "=(command line)"))]
      case .step(.require(let global, let module)):
        pendingGlobal = global
        return [try state.get(state.globals, "require"), .bytes(module)]
      case .step(.warningsOn): state.showWarnings()
      case .script(let path):
        try addFolder(of: path)
        return [.reference(try state.load(file: path))] + (try scriptArguments())
      case .standardInput(let takesArguments):
        return [.reference(try state.load(file: nil))]
          + (takesArguments ? try scriptArguments() : [])
      }
    }
    return []
  }

  /// LUA_INIT_5_4 or LUA_INIT: code, or `@file`.
  private func environmentChunk() throws -> LuaReference? {
    for name in ["LUA_INIT_5_4", "LUA_INIT"] {
      guard let value = unsafe getenv(name) else { continue }
      let bytes = unsafe Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
      return bytes.first == UInt8(ascii: "@")
        ? try state.load(file: Array(bytes.dropFirst()))
        : try state.load(bytes, name: "=\(name)")
    }
    return nil
  }

  /// What `arg` holds now: what ran before may have changed it.
  private func scriptArguments() throws -> [LuaValue] {
    guard let arg = try state.get(state.globals, "arg").asReference, arg.type == .table else {
      throw LuaError(value: "'arg' is not a table", message: "'arg' is not a table")
    }
    return try (0..<state.length(of: arg)).map { try state.rawGet(arg, .integer($0 + 1)) }
  }

  /// Runs a subcommand that works through the table.
  ///
  /// - Parameter command: what to do.
  /// - Returns: the exit status.
  public func run(_ command: ShellCommand) -> Int32 {
    runEmbedded(PackageResources.shell_lua, command.arguments())
  }

  /// Steers a sweep.
  ///
  /// - Parameter command: what to do.
  /// - Returns: the exit status.
  public func run(_ command: SweepCommand) -> Int32 {
    runEmbedded(PackageResources.sweep_shell_lua, command.arguments())
  }

  private func runEmbedded(_ source: [UInt8], _ arguments: [LuaValue]) -> Int32 {
    state.catchSignals()
    defer { state.leaveSignals() }
    // Where in our own files it happened helps nobody.
    showsTracebacks = false
    do {
      let chunk = try state.load(source, name: "=hpc")
      let makeEmit = try state.load(PackageResources.emit_lua, name: "=hpc")
      let emit = try state.call(makeEmit, [.reference(try table.csvText(in: state))])
      switch try state.run(chunk, arguments: arguments + emit) {
      case .returned(let values):
        guard StandardOutput.isWhole() else {
          // What a full disk or a closed descriptor did not take must not look like success.
          return afterSubmissions(report(LuaError("the output could not be written whole")))
        }
        return afterSubmissions(Int32(truncatingIfNeeded: values.first?.asInteger ?? 0))
      case .failed(let error): return afterSubmissions(report(error))
      case .interrupted: return reportInterrupt()
      }
    } catch {
      return report(error as? LuaError ?? state.describeError(error))
    }
  }

  /// Ends with what cancelled tasks have left: the answer of a submission is waited for on every way
  /// out.
  private func afterSubmissions(_ status: Int32) -> Int32 {
    if status != ExitStatus.interrupted { awaitSubmissions() }
    return status
  }

  private func reportInterrupt() -> Int32 {
    awaitSubmissions()
    host.log(.error, "interrupted!")
    return ExitStatus.interrupted
  }

  /// Waits for the answers of submissions, five seconds and a little, so that no id is lost, and for
  /// sweeps that detach: these settle what is in flight.
  private func awaitSubmissions() {
    awaitSweeps()
    awaitLedgers()
  }

  private func awaitLedgers() {
    // Transfers that are cancelled take back what they have begun.
    host.transfers.cancel()
    host.submissions.cancel()
    if !host.transfers.isEmpty { drain(host.transfers, within: .seconds(6)) }
    let submissions = host.submissions
    // Answers that have come and that no task has looked at.
    for text in submissions.leaveAll() { host.log(.warn, text) }
    if submissions.isEmpty { return }
    // What has not been sent is withdrawn at once.
    drain(submissions, within: .milliseconds(200))
    if submissions.isEmpty { return }
    let names = submissions.names.prefix(3)
      .map { "\"\(TextTable.printable($0))\"" }.joined(separator: ", ")
    let more = submissions.names.count - 3
    host.log(
      .warn,
      "waiting up to 5 s for the answer to the submission of \(names)"
        + (more > 0 ? " and \(more) more" : ""))
    drain(submissions, within: .seconds(6))
    // A later Ctrl-C has ended the waiting.
    for text in submissions.abandon() { host.log(.warn, text) }
  }

  private func drain(_ ledger: SubmissionLedger, within time: Duration) {
    _ = state.block(timeout: time) { await ledger.drained() }
  }

  private func awaitSweeps() {
    let sweeps = host.sweeps
    let names = sweeps.detaching
    if names.isEmpty { return }
    host.log(
      .info, "detaching from \(names.joined(separator: ", ")): settling what is in flight …")
    sweeps.pauseFunctions(true)
    defer { sweeps.pauseFunctions(false) }
    // A submission may take the service's own five minutes; a later Ctrl-C ends this.
    let end = ContinuousClock.now + .seconds(330)
    _ = state.block(timeout: .seconds(330)) { await sweeps.detached() }
    let left = sweeps.detachingSessions
    guard !left.isEmpty else { return }
    if ContinuousClock.now < end, cancelsAll(names) { return cancel(left) }
    for session in left { host.log(.warn, farewell(session)) }
  }

  /// What a later Ctrl-C offers, where somebody can answer.
  private func cancelsAll(_ names: [String]) -> Bool {
    guard let ask = host.ask else { return false }
    let question =
      "answers to submissions are still awaited. Cancel all points of "
      + "\(names.joined(separator: ", ")), and their jobs? [y/N] "
    let answer = state.block(timeout: .seconds(600)) { await ask(question) }
    return ["y", "yes"].contains(answer??.lowercased() ?? "")
  }

  /// Cancels what is known of sweeps that are still detaching, and once they have, the rest.
  private func cancel(_ sessions: [SweepSession]) {
    let sweeps = host.sweeps
    let log = host.log
    let isDone: Void? = state.block(timeout: .seconds(330)) {
      for session in sessions {
        do throws(SweepError) {
          // Made durable at once, before the answers that are awaited.
          _ = try await session.cancel()
        } catch {
          log(.warn, "\(session.name): \(error)")
        }
      }
      await sweeps.detached()
      for session in sessions {
        do throws(SweepError) {
          _ = try await session.cancel()
          log(.info, "\(session.name): cancelled; the next run or step settles what is ending")
        } catch {
          log(.warn, "\(session.name): \(error)")
        }
      }
    }
    guard isDone == nil else { return }
    for session in sessions { host.log(.warn, farewell(session)) }
  }

  /// What whoever leaves early must know.
  private func farewell(_ session: SweepSession) -> String {
    let unsure = session.unsure
    let ids =
      unsure.isEmpty
      ? "" : " Submissions whose job ids are not known yet: \(unsure.joined(separator: ", "))."
    return "\(session.name): left before all was settled.\(ids) Nothing is lost: the next run "
      + "settles it; hpc sweep cancel \(session.name) cancels all of it."
  }

  private func prompt() throws -> Int32 {
    let surroundings = REPL.Surroundings(
      version: host.version, variables: Environment.variables, allowsColor: options.usesColor,
      isQuiet: options.isQuiet, name: options.usesSimulator ? "sim" : "hpc",
      reportPlainly: { [unowned self] in _ = report($0) },
      clearProgress: { [unowned self] in host.progress?.show(nil) },
      sweeps: { [unowned self] in host.sweeps.underWay },
      awaitSubmissions: { [unowned self] in awaitSubmissions() })
    let prompt = REPL(state: state, table: table, surroundings: surroundings)
    prompt.lastError = lastError
    return try prompt.run()
  }

  // MARK: Errors

  /// Shows an error as lua.c does: strings with a traceback, objects by their `__tostring`.
  private func report(_ error: LuaError) -> Int32 {
    lastError = error
    fflush(nil)
    if let status = sweepStatus(of: error) {
      host.log(status == ExitStatus.success ? .info : .error, error.message)
      return status
    }
    let text =
      showsTracebacks ? Self.text(of: error, in: state) : Self.withoutPlace(error.messageBytes)
    ErrorOutput.line(Array("hpc: ".utf8) + text)
    return ExitStatus.failure
  }

  /// The exit status that the error of a sweep asks for, where it is one of its own: an answer is
  /// needed, another process runs the journal, or nothing failed at all (design §6).
  private func sweepStatus(of error: LuaError) -> Int32? {
    guard let table = error.value.asReference,
      let status = try? state.rawGet(table, "exit_status").asInteger,
      status != ExitStatus.failure
    else { return nil }
    return Int32(truncatingIfNeeded: status)
  }

  /// Message and traceback of an error; an object with a `__tostring` of its own stands alone, but
  /// for ours, which keep where they were raised.
  static func text(of error: LuaError, in state: LuaState) -> [UInt8] {
    let newline = [UInt8(ascii: "\n")]
    guard let object = error.value.asReference,
      let metatable = try? state.metatable(of: object),
      let isOwn = try? state.rawGet(metatable, "__tostring").isTrue, isOwn,
      !error.message.hasPrefix("(error object is a ")
    else {
      let traceback = error.tracebackBytes
      return error.messageBytes + (traceback.isEmpty ? [] : newline + traceback)
    }
    guard object.type == .table, let name = try? state.rawGet(metatable, "__name").text,
      name == "hpc.Error", let traceback = try? state.rawGet(object, "traceback").text
    else { return error.messageBytes }
    return error.messageBytes + newline + Array(traceback.utf8)
  }

  /// Without the place in our own files: `hpc:48: `.
  private static func withoutPlace(_ message: [UInt8]) -> [UInt8] {
    guard message.starts(with: "hpc:".utf8) else { return message }
    let rest = message.dropFirst(4).drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return rest.starts(with: ": ".utf8) ? Array(rest.dropFirst(2)) : message
  }

  // MARK: Setting up

  /// The table `arg`: script at 0, its arguments after it, what came before below.
  private func setArguments(_ commandLine: [[UInt8]]) throws {
    let script = options.scriptIndex
    // Options of ours may stand between the script's own arguments.
    let words =
      script == 0 ? commandLine : Array(commandLine.prefix(script + 1)) + options.scriptArguments
    let fields = words.enumerated().map { index, word in
      (key: LuaValue.integer(index - script), value: LuaValue.bytes(word))
    }
    try state.set(state.globals, "arg", .table(fields))
  }

  /// `require` also looks beside the script, after Lua's own places.
  private func addFolder(of script: [UInt8]) throws {
    guard let slash = script.lastIndex(of: UInt8(ascii: "/")) else { return }
    let folder = script[..<slash]
    guard folder != [UInt8(ascii: ".")] else { return }
    let chunk = try state.load(
      Array(
        """
        local dir = ...
        package.path = package.path .. ";" .. dir .. "/?.lua;" .. dir .. "/?/init.lua"
        package.cpath = package.cpath .. ";" .. dir .. "/?.so"
        """.utf8), name: "=hpc")
    try state.call(chunk, [.bytes(Array(folder))])
  }

  /// `os.exit` first lets the program put its house in order: answers of submissions, jobs of a
  /// simulator, connections.
  private func wrapExit(_ beforeExit: @escaping () -> Void) throws {
    guard let os = try state.rawGet(state.globals, "os").asReference else { return }
    let wrapped = try state.function("os.exit") { [weak self] call in
      let status: Int32 =
        switch try call.value(1) {
        case .boolean(let success): success ? ExitStatus.success : ExitStatus.failure
        case .nil: ExitStatus.success
        default: Int32(truncatingIfNeeded: try call.integer(1))
        }
      // Finalizers of a state that closes outlive this object.
      let end: () -> Never = {
        if self != nil { beforeExit() }
        exit(status)
      }
      if try call.value(2).isTrue {
        let state = call.state
        return .exit(
          LuaExit(
            before: {
              state.reportFailures()
              self?.awaitSubmissions()
              state.leaveSignals()
            }, end: end))
      }
      call.state.reportFailures()
      self?.awaitLedgers()
      end()
    }
    try state.rawSet(os, "exit", .reference(wrapped))
  }
}

extension CommandLineOptions {
  /// `-e` ends the program unless a script or `-i` follows; `-l` alone does not (lua.c).
  var endsAfterSteps: Bool {
    steps.contains { if case .execute = $0 { true } else { false } }
  }
}
