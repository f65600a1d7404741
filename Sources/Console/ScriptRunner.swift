import Glibc
public import LuaAPI
public import LuaRuntime

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
  /// Set by `os.exit(status, true)`.
  private var exitStatus: Int32?
  private var showsTracebacks = true

  /// Opens a state with the `hpc` table.
  ///
  /// - Parameters:
  ///   - options: what the command line asks for.
  ///   - commandLine: the whole of it, the program's own name first, for `arg`.
  ///   - host: what the program gives to the table.
  ///   - beforeExit: called before `os.exit` ends the process.
  public init(
    _ options: CommandLineOptions, commandLine: [String], host: HPCHost,
    beforeExit: @escaping () -> Void
  ) throws {
    self.options = options
    self.host = host
    if options.ignoresEnvironment {
      for name in Self.environment { unsafe unsetenv(name) }
    }
    state = try LuaState()
    table = try HPCTable.install(in: state, host: host)
    let watch = JobWatch(
      title: options.usesSimulator ? "simulator" : "hpc", allowsColor: options.usesColor,
      variables: Self.variables)
    table.makeWatch = { try watch.make(in: $0) }
    let log = host.log
    state.taskFailed = { [unowned state] error in
      log(.error, "a task failed: \(Self.text(of: error, in: state))")
    }
    try setArguments(commandLine)
    try wrapExit(beforeExit)
    // As lua.c: generational collection.
    try state.call(try state.load(Array("collectgarbage('generational')".utf8), name: "=hpc"))
  }

  /// What stock Lua reads of the environment.
  private static let environment = [
    "LUA_INIT", "LUA_INIT_5_4", "LUA_PATH", "LUA_PATH_5_4", "LUA_CPATH", "LUA_CPATH_5_4",
  ]

  /// Runs everything that the command line names.
  ///
  /// - Returns: the exit status.
  public func run() -> Int32 {
    state.catchSignals()
    defer { state.leaveSignals() }
    return afterSubmissions(runAll())
  }

  private func runAll() -> Int32 {
    do {
      if !options.ignoresEnvironment, let status = try runInit() { return status }
      for step in options.steps {
        if let status = try run(step) { return status }
      }
      return try runProgram()
    } catch {
      return report(error as? LuaError ?? state.describeError(error))
    }
  }

  private var scriptArguments: [LuaValue] { options.scriptArguments.map { .string($0) } }

  private func runProgram() throws -> Int32 {
    switch options.program {
    case .file(let path):
      try addFolder(of: path)
      if let status = try runScript(path) { return status }
    case .standardInput:
      if let status = try run(try state.load(file: nil), scriptArguments) { return status }
    case .subcommand, .none: break
    }
    if options.isInteractive {
      return try prompt()
    }
    if options.program == .none, options.steps.isEmpty || !options.endsAfterSteps,
      !options.showsVersion
    {
      if isatty(STDIN_FILENO) != 0 { return try prompt() }
      if let status = try run(try state.load(file: nil), []) { return status }
    }
    return host.outcome.status
  }

  /// Whether somebody at a terminal waits for the prompt.
  private var isBeforePrompt: Bool { options.isInteractive && isatty(STDIN_FILENO) != 0 }

  /// Runs the script; nil when what comes after it may. On a terminal `-i` shows what is left of a
  /// script that failed.
  private func runScript(_ path: String) throws -> Int32? {
    do {
      let status = try run(try state.load(file: path), scriptArguments)
      return isBeforePrompt ? exitStatus : status
    } catch {
      guard isBeforePrompt else { throw error }
      _ = report(error as? LuaError ?? state.describeError(error))
      return nil
    }
  }

  /// LUA_INIT_5_4 or LUA_INIT: code, or `@file`.
  private func runInit() throws -> Int32? {
    for name in ["LUA_INIT_5_4", "LUA_INIT"] {
      guard let value = unsafe getenv(name).map({ unsafe String(cString: $0) }) else { continue }
      let chunk =
        value.hasPrefix("@")
        ? try state.load(file: String(value.dropFirst()))
        : try state.load(Array(value.utf8), name: "=\(name)")
      return try run(chunk, [])
    }
    return nil
  }

  private func run(_ step: CommandLineOptions.Step) throws -> Int32? {
    switch step {
    case .execute(let code):
      return try run(try state.load(Array(code.utf8), name: "=(command line)"), [])
    case .require(let global, let module):
      guard let require = try state.get(state.globals, "require").asReference else { return nil }
      return try run(require, [.string(module)]) { [state] values in
        try state.set(state.globals, .string(global), values.first ?? .nil)
      }
    case .warningsOn:
      return try run(try state.load(Array("warn('@on')".utf8), name: "=(command line)"), [])
    }
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
      var status = ExitStatus.success
      let stopped = try run(chunk, arguments) { values in
        status = Int32(truncatingIfNeeded: values.first?.asInteger ?? 0)
      }
      return afterSubmissions(stopped ?? status)
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

  /// Runs a chunk and all its tasks, which a prompt that follows lets go on; nil when the next may run.
  private func run(
    _ chunk: LuaReference, _ arguments: [LuaValue], then: ([LuaValue]) throws -> Void = { _ in }
  ) throws -> Int32? {
    let outcome =
      isBeforePrompt
      ? try state.runForeground(chunk, arguments: arguments)
      : try state.run(chunk, arguments: arguments)
    if let exitStatus { return exitStatus }
    switch outcome {
    case .returned(let values):
      try then(values)
      return nil
    case .failed(let error): return report(error)
    case .interrupted:
      awaitSubmissions()
      host.log(.error, "interrupted!")
      return ExitStatus.interrupted
    }
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
    if submissions.isEmpty { return }
    // What has not been sent is withdrawn at once.
    drain(submissions, within: .milliseconds(200))
    if submissions.isEmpty { return }
    let names = submissions.names.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
    let more = submissions.names.count - 3
    host.log(
      .warn,
      "waiting up to 5 s for the answer to the submission of \(names)"
        + (more > 0 ? " and \(more) more" : ""))
    drain(submissions, within: .seconds(6))
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
    // A submission may take the service's own five minutes; a second Ctrl-C ends this.
    _ = state.block(timeout: .seconds(330)) { await sweeps.detached() }
    sweeps.pauseFunctions(false)
    for name in sweeps.detaching {
      host.log(
        .warn,
        "\(name): left before all was settled. Nothing is lost: the next run settles it; "
          + "hpc sweep cancel \(name) cancels all of it.")
    }
  }

  private func prompt() throws -> Int32 {
    let surroundings = REPL.Surroundings(
      version: host.version, variables: Self.variables, allowsColor: options.usesColor,
      isQuiet: options.isQuiet, name: options.usesSimulator ? "sim" : "hpc",
      requestedExit: { [unowned self] in exitStatus },
      reportPlainly: { [unowned self] in _ = report($0) },
      clearProgress: { [unowned self] in host.progress?.show(nil) },
      sweeps: { [unowned self] in host.sweeps.underWay },
      awaitSubmissions: { [unowned self] in awaitSubmissions() })
    let prompt = REPL(state: state, table: table, surroundings: surroundings)
    prompt.lastError = lastError
    return try prompt.run()
  }

  /// The environment as it is now.
  private static var variables: [String: String] {
    var variables: [String: String] = [:]
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    return variables
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
    let text = showsTracebacks ? Self.text(of: error, in: state) : error.message
    Self.writeError("hpc: \(isatty(STDERR_FILENO) == 1 ? TextTable.printableLines(text) : text)\n")
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
  static func text(of error: LuaError, in state: LuaState) -> String {
    guard let object = error.value.asReference,
      let metatable = try? state.metatable(of: object),
      let isOwn = try? state.rawGet(metatable, "__tostring").isTrue, isOwn
    else { return error.traceback.isEmpty ? error.message : "\(error.message)\n\(error.traceback)" }
    guard object.type == .table, let name = try? state.rawGet(metatable, "__name").text,
      name == "hpc.Error", let traceback = try? state.rawGet(object, "traceback").text
    else { return error.message }
    return "\(error.message)\n\(traceback)"
  }

  static func writeError(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = unsafe bytes.withUnsafeBytes {
        unsafe write(STDERR_FILENO, $0.baseAddress, $0.count)
      }
      if written < 0 {
        if errno == EINTR { continue }
        return
      }
      bytes = bytes.dropFirst(written)
    }
  }

  // MARK: Setting up

  /// The table `arg`: script at 0, its arguments after it, what came before below.
  private func setArguments(_ commandLine: [String]) throws {
    let script = options.scriptIndex
    let fields = commandLine.enumerated().map { index, word in
      (key: LuaValue.integer(index - script), value: LuaValue.string(word))
    }
    try state.set(state.globals, "arg", .table(fields))
  }

  /// `require` also looks beside the script, after Lua's own places.
  private func addFolder(of script: String) throws {
    guard let slash = script.lastIndex(of: "/") else { return }
    let folder = slash == script.startIndex ? "" : String(script[..<slash])
    guard folder != "." else { return }
    let chunk = try state.load(
      Array(
        """
        local dir = ...
        package.path = package.path .. ";" .. dir .. "/?.lua;" .. dir .. "/?/init.lua"
        package.cpath = package.cpath .. ";" .. dir .. "/?.so"
        """.utf8), name: "=hpc")
    try state.call(chunk, [.string(folder)])
  }

  /// `os.exit` first lets the program put its house in order: jobs of a simulator, connections.
  /// With `close` the tasks are unwound, so that their to-be-closed variables are closed, and the
  /// state is closed where it was opened.
  private func wrapExit(_ beforeExit: @escaping () -> Void) throws {
    guard let os = try state.rawGet(state.globals, "os").asReference,
      let exit = try state.rawGet(os, "exit").asReference
    else { return }
    let wrapped = try state.function("exit") { [weak self] call in
      // Finalizers of a state that closes outlive this object.
      guard let self else { return .call(exit, [.argument(1)]) }
      if call.count > 1, try call.value(2).isTrue {
        switch try call.value(1) {
        case .boolean(let success): exitStatus = success ? 0 : 1
        case .nil: exitStatus = 0
        default: exitStatus = Int32(truncatingIfNeeded: try call.integer(1))
        }
        call.state.interrupt()
        return .await({ try await Task.sleep(for: .seconds(3600)) }) { _, _ in .nothing }
      }
      awaitLedgers()
      beforeExit()
      return .call(exit, (0..<call.count).map { .argument($0 + 1) })
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
