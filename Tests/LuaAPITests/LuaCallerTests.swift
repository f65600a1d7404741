import LuaRuntime
import TestSupport
import Testing

@testable import LuaAPI

@Suite struct LuaCallerTests {
  /// Runs a Lua program whose function `go(f)` calls `f` from Swift tasks, twenty times at once.
  private func run(_ code: String) async throws -> String {
    try await DetachedThread.run {
      let state = try LuaState()
      let caller = LuaCaller(state)
      let go = try state.function("go") { call in
        let function = try call.function(1)
        return .await({ () async throws -> [Int] in
          try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 1...20 {
              group.addTask {
                try await caller.call(function, arguments: { _ in [.integer(number)] }) {
                  _, values in values.first?.asInteger ?? -1
                }
              }
            }
            var results: [Int] = []
            for try await result in group { results.append(result) }
            return results.sorted()
          }
        }) { _, numbers in .value(.array(numbers.map { .integer($0) })) }
      }
      let pause = try state.function("pause") { call in
        caller.isPaused = try call.boolean(1)
        return .nothing
      }
      try state.set(state.globals, "go", .reference(go))
      try state.set(state.globals, "pause", .reference(pause))
      switch try state.run(try state.load(Array(code.utf8), name: "=test")) {
      case .returned(let values):
        return try values.map { try state.text(of: $0) }.joined(separator: " ")
      case .failed(let error): return error.message
      case .interrupted: return "interrupted"
      }
    }
  }

  @Test func functionsRunAsTasksOfTheLoop() async throws {
    let text = try await run(
      """
      local most, now = 0, 0
      local r = go(function(n)
        now = now + 1
        most = math.max(most, now)
        now = now - 1
        return n * n
      end)
      return #r, r[1], r[20], most
      """)
    #expect(text == "20 1 400 1")
  }

  @Test func whatAFunctionRaisesReachesTheCaller() async throws {
    let text = try await run(
      "local ok, err = pcall(go, function(n) error('no ' .. n) end) return ok, err:match('no %d')")
    #expect(text.hasPrefix("false no "))
  }

  @Test func aPausedLoopAnswersNobody() async throws {
    let text = try await run(
      """
      pause(true)
      local ok, err = pcall(go, function() return 1 end)
      pause(false)
      return ok, tostring(err), #go(function() return 1 end)
      """)
    #expect(text == "false CancellationError() 20")
  }
}
