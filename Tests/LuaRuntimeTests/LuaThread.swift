import Dispatch
import LuaRuntime
import Synchronization
import Testing

/// Runs `body` with a state of its own on a thread of its own: the loop blocks its thread, which must
/// not be one of the cooperative pool.
func withLua<Result: Sendable>(
  _ body: @escaping @Sendable (LuaState) throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "lua").async {
      continuation.resume(with: Swift.Result { try body(try LuaState()) })
    }
  }
}

extension LuaState {
  /// Runs a program with its tasks to the end; an error is thrown.
  @discardableResult
  func execute(_ source: String, _ arguments: [LuaValue] = []) throws -> [LuaValue] {
    switch try run(load(Array(source.utf8), name: "=test"), arguments: arguments) {
    case .returned(let values): return values
    case .failed(let error): throw error
    case .interrupted(let signal): throw LuaError("interrupted by \(signal)")
    }
  }

  /// Runs a program and gives its first result as text.
  func evaluate(_ source: String) throws -> String {
    try text(of: execute(source).first ?? .nil)
  }

  /// Runs a program that must fail, and gives its error.
  func failure(_ source: String) throws -> LuaError {
    switch try run(load(Array(source.utf8), name: "=test")) {
    case .failed(let error): return error
    case .returned(let values): throw LuaError("returned \(values)")
    case .interrupted(let signal): throw LuaError("interrupted by \(signal)")
    }
  }

  /// Registers a global function.
  func register(_ name: String, _ body: @escaping LuaBody) throws {
    try set(globals, .string(name), .reference(function(name, body)))
  }

  /// Registers the builtins under their own names, and `reply(x, …)`, an await that answers its
  /// arguments after a hop to another thread.
  func registerBasics() throws {
    for builtin in LuaBuiltin.allCases {
      try set(globals, .string("\(builtin)"), .builtin(builtin))
    }
    try register("reply") { call in
      let values = try call.values()
      return .await({ values }) { _, values in .values(values) }
    }
    try register("refuse") { call in
      let message = try call.string(1)
      return .await({ () async throws -> Int in throw LuaError(message) }) { _, value in
        .value(.integer(value))
      }
    }
  }
}

/// Counts how many are alive.
final class Counted: Sendable {
  final class Count: Sendable {
    private let value = Mutex(0)
    var alive: Int { value.withLock { $0 } }
    func add(_ change: Int) { value.withLock { $0 += change } }
  }

  let count: Count
  init(_ count: Count) {
    self.count = count
    count.add(1)
  }
  deinit { count.add(-1) }
}
