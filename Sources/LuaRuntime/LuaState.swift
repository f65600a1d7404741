import CLua

/// A Lua 5.4 state and the loop that runs its tasks. It belongs to the thread that made it and never
/// leaves it (the class is not `Sendable`); nothing of it is asynchronous.
///
/// **Building a library**
/// ```swift
/// let state = try LuaState()
/// let get = try state.function("get") { call in
///   let id = try call.integer(1)                        // or: bad argument #1 to 'get' (…)
///   return .await({ try await client.job(id) }) { call, job in .value(["id": .integer(job.id)]) }
/// }
/// let table = try state.make(["get": .reference(get), "sleep": .builtin(.sleep)])
/// try state.set(state.globals, "hpc", .reference(table))
/// ```
/// A body reads arguments from ``LuaCall``, answers a ``LuaReturn`` (values; an await; the call of a
/// Lua function), or throws: ``LuaError/init(_:)`` for a string with the caller's position,
/// ``LuaError/init(value:message:traceback:)`` for a table with a metatable,
/// ``LuaError/argument(_:_:)``, or any Swift error, which ``describeError`` turns into a value.
///
/// **Values** are ``LuaValue``: literals build scalars, lists and tables; tables and functions of Lua
/// come as ``LuaReference`` and are read with ``get(_:_:)``, ``rawGet(_:_:)``, ``entries(of:)``,
/// ``read(list:)``, written with ``set(_:_:_:)``, called with ``call(_:_:)``. Swift objects become
/// userdata through ``objectType(_:holding:fields:)`` and ``make(_:as:)``.
///
/// **Running**: ``run(_:arguments:)`` for scripts (until the main chunk and all tasks have ended), and
/// ``run(program:)`` for several in one main task,
/// ``runForeground(_:arguments:)`` for a line of a REPL, ``wait(until:)`` for its prompt, together with
/// ``watch(_:read:write:_:)`` for the terminal. ``spawn(_:_:then:)`` starts a Lua function as a task.
///
/// **From other threads**: ``port(of:handler:)`` answers a ``LuaPort`` whose `post` has a handler
/// called on the Lua thread.
public final class LuaState {
  let machine: LuaMachine
  let inbox: LuaInbox
  let released = ReleasedReferences()
  /// The stack that Swift may use now.
  var stack: LuaStack

  var awaits: [UInt64: PendingAwait] = [:]
  var lastID: UInt64 = 0
  var ports: [UInt64: (LuaState, any Sendable) -> Void] = [:]
  var endings: [UInt64: (Result<[LuaValue], LuaError>) -> Void] = [:]
  /// Messages that came while a call blocked in place, when no other Lua may run.
  var deferred: [LuaInbox.Message] = []
  var watches: [UInt64: Watch] = [:]
  /// When descriptors were last looked at, in monotonic nanoseconds.
  var lastPoll: UInt64 = 0
  var collectedFailures = false
  /// How a call of ``LuaReturn/exit(_:)`` ends the process.
  var leaving: LuaExit?

  /// Turns an error that a Swift function threw, other than ``LuaError``, into what Lua gets. The
  /// default is a string with the caller's position.
  public var describeError: (any Error) -> LuaError = { LuaError(String(describing: $0)) }

  /// The metatable of errors that the runtime itself raises with a `code` and a `message`; without one
  /// they are strings.
  public var errorType: LuaReference? {
    didSet { machine.setErrorType(errorType?.key ?? 0) }
  }

  /// Is told of a task that failed and that nobody joined: as soon as nobody can any more, at the
  /// latest at the end of the run.
  public var taskFailed: ((LuaError) -> Void)?

  /// Is given the results, in a table, of a map that ends early, so that nobody will see them.
  public var resultsDropped: ((LuaReference) -> Void)?

  /// Is told of SIGINT or SIGTERM (the number) when no foreground task runs.
  public var idleInterrupt: ((Int32) -> Void)?

  /// Is called each time before the loop waits: everything that tasks wrote in this turn is there.
  public var willWait: (() -> Void)?

  /// Whether tasks rest, whatever they wait for, while the loop goes on with everything else.
  public var pausesTasks = false

  /// Opens a state with the standard libraries; like `lua -E` it may ignore LUA_PATH and LUA_CPATH.
  public init(ignoresEnvironment: Bool = false) throws {
    inbox = try LuaInbox()
    machine = try LuaMachine(ignoresEnvironment: ignoresEnvironment)
    stack = machine.mainStack
    machine.connect(to: self, inbox: inbox)
  }

  // MARK: Making values

  /// Builds a value in Lua and keeps it.
  public func make(_ value: LuaValue) throws -> LuaReference {
    try balanced {
      try push([value])
      return try popReference()
    }
  }

  /// A Lua function that runs `body`. `name` is what argument errors show where Lua knows none.
  public func function(_ name: String, _ body: @escaping LuaBody) throws -> LuaReference {
    try balanced {
      try check(stack.pushFunction(FunctionBox(name: name, body: body)))
      return try popReference()
    }
  }

  /// A kind of userdata for Swift objects. Its metatable has `__name`, `__gc` and `__close`, which
  /// release the object, once; `fields` (methods under `__index`, `__tostring`, …) are added.
  public func objectType<Object: AnyObject>(
    _ name: String, holding object: Object.Type, fields: [(String, LuaValue)] = []
  ) throws -> LuaObjectType<Object> {
    let metatable = try balanced {
      try check(stack.pushNewType(name))
      return try popReference()
    }
    for (key, value) in fields { try rawSet(metatable, .string(key), value) }
    return LuaObjectType(name: name, metatable: metatable)
  }

  /// A userdata that owns `object`.
  public func make<Object: AnyObject>(_ object: Object, as type: LuaObjectType<Object>) throws
    -> LuaReference
  {
    try balanced {
      try check(stack.pushObject(object, metatable: type.metatable))
      return try popReference()
    }
  }

  /// The object that a userdata of this type holds; nil for other values, and when it was closed.
  public func object<Object: AnyObject>(
    of reference: LuaReference, _ type: LuaObjectType<Object>
  ) -> Object? {
    with(reference) { stack.object(at: $0, metatable: type.metatable) as? Object }
  }

  /// Releases the object of a userdata now, not when the collector finds it; false if it has been.
  @discardableResult
  public func close<Object: AnyObject>(
    _ reference: LuaReference, _ type: LuaObjectType<Object>
  ) -> Bool {
    with(reference) { stack.close(at: $0, metatable: type.metatable) }
  }

  // MARK: Code

  /// Compiles a chunk, text or binary. `name` as Lua has it: `@file.lua`, `=stdin`, or the text.
  public func load(_ source: [UInt8], name: String) throws -> LuaReference {
    try balanced {
      try check(stack.load(source, name: name, mode: "bt"))
      return try popReference()
    }
  }

  /// Compiles a file, a `#!` line skipped; nil is standard input.
  public func load(file path: [UInt8]?) throws -> LuaReference {
    try balanced {
      try check(stack.load(file: path))
      return try popReference()
    }
  }

  /// Compiles a file, a `#!` line skipped.
  public func load(file path: String) throws -> LuaReference {
    try load(file: Array(path.utf8))
  }

  /// Has `warn` show its messages, as `lua -W`.
  public func showWarnings() { stack.warn("@on") }

  /// Calls a Lua function from Swift, in place: awaits in it block. What it raises is thrown with a
  /// traceback.
  @discardableResult
  public func call(_ function: LuaReference, _ arguments: [LuaValue] = []) throws -> [LuaValue] {
    try balanced {
      try push([.reference(function)] + arguments)
      let base = stack.top - Int32(arguments.count) - 1
      let (status, _) = machine.call(arguments: Int32(arguments.count), on: stack)
      if status != 0 { throw takeErrorAndTraceback() }
      return try read(from: base + 1)
    }
  }

  // MARK: Inside

  /// Restores the height of the stack.
  func balanced<Result>(_ body: () throws -> Result) rethrows -> Result {
    let top = stack.top
    defer { stack.top = top }
    return try body()
  }

  func push(_ values: [LuaValue]) throws {
    guard stack.reserve(values.count + 8) else { throw LuaError("stack overflow") }
    try check(machine.build(ValueProgram(values), on: stack).status)
  }

  func check(_ status: Int32) throws {
    if status != 0 { throw takeError() }
  }

  /// The error value on top; `text` is what is known to be shown of it.
  func takeError(text: [UInt8]? = nil) -> LuaError {
    balanced {
      let value = (try? read(at: -1)) ?? .nil
      if let text { return LuaError(value: value, messageBytes: text) }
      let status = stack.pushErrorText(of: -1)
      let message: [UInt8] =
        switch status {
        case 0: stack.bytes(at: -1) ?? []
        case LUA_ERRMEM: Array("not enough memory".utf8)
        // Its own __tostring raised.
        default:
          Array(
            "(error object is a \(value.asReference?.type == .userdata ? "userdata" : "table") value)"
              .utf8)
        }
      return LuaError(value: value, messageBytes: message)
    }
  }

  /// The error value below a traceback on top, or below its text and a traceback.
  func takeErrorAndTraceback(hasText: Bool = false) -> LuaError {
    let traceback = stack.bytes(at: -1) ?? []
    let text = hasText ? stack.bytes(at: -2) : nil
    stack.top -= hasText ? 2 : 1
    var error = takeError(text: text)
    error.tracebackBytes = traceback
    return error
  }

  func read(from first: Int32) throws -> [LuaValue] {
    let last = stack.top
    guard first <= last else { return [] }
    return try (first...last).map { try read(at: $0) }
  }

  func read(at index: Int32) throws -> LuaValue {
    switch stack.type(at: index) {
    case .none, .nil: return .nil
    case .boolean: return .boolean(stack.boolean(at: index))
    case .number:
      if stack.isInteger(at: index), let value = stack.integer(at: index) { return .integer(value) }
      return .number(stack.number(at: index) ?? .nan)
    case .string: return .bytes(stack.bytes(at: index) ?? [])
    case .lightUserdata: return .lightUserdata(stack.identity(at: index))
    case .table, .function, .userdata, .thread:
      stack.pushCopy(of: index)
      return .reference(try popReference())
    }
  }

  func popReference() throws -> LuaReference {
    releaseReferences()
    let type = stack.type(at: -1)
    let (status, key) = stack.reference()
    try check(status)
    return LuaReference(key: key, type: type, owner: released)
  }

  func releaseReferences() {
    for key in released.take() { stack.release(key) }
  }

  /// Has the value of a reference on the stack for a moment.
  func with<Result>(_ reference: LuaReference, _ body: (Int32) throws -> Result) rethrows -> Result
  {
    try balanced {
      _ = stack.reserve(8)
      stack.push(reference)
      return try body(stack.top)
    }
  }

  func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }
}
