import LuaRuntime
import Testing

@Suite struct FunctionTests {
  @Test(arguments: [
    ("submit({})", "test:1: bad argument #1 to 'submit' (string expected, got table)"),
    ("submit()", "test:1: bad argument #1 to 'submit' (string expected, got no value)"),
    (
      "submit(io.stdout)",
      "test:1: bad argument #1 to 'submit' (string expected, got FILE*)"
    ),
    (
      "submit('a', 1.5)",
      "test:1: bad argument #2 to 'submit' (number has no integer representation)"
    ),
    ("submit('a', 'b')", "test:1: bad argument #2 to 'submit' (number expected, got string)"),
    ("submit('a', 1, 1)", "test:1: bad argument #3 to 'submit' (boolean expected, got number)"),
    (
      "submit('a', 1, true, print)",
      "test:1: bad argument #4 to 'submit' (table expected, got function)"
    ),
    (
      "local t = {go = submit}; t:go()",
      "test:1: calling 'go' on bad self (string expected, got table)"
    ),
    (
      "local ok, e = pcall(submit, {}) error(e, 0)",
      "bad argument #1 to 'submit' (string expected, got table)"
    ),
  ])
  func argumentErrorsSpeakAsLuaDoes(source: String, message: String) async throws {
    let error = try await withLua { state in
      try state.register("submit") { call in
        _ = try call.string(1)
        _ = try call.integer(2)
        _ = try call.boolean(3)
        _ = try call.table(4)
        return .nothing
      }
      return try state.failure(source)
    }
    #expect(error.message == message)
  }

  @Test func stringsGetThePositionOfTheCaller() async throws {
    let error = try await withLua { state in
      try state.register("fail") { _ in throw LuaError("no such job") }
      return try state.failure("\n\nfail()")
    }
    #expect(error.message == "test:3: no such job")
    #expect(
      error.traceback == """
        stack traceback:
        \t[C]: in function 'fail'
        \ttest:3: in main chunk
        \t[C]: in ?
        """)
  }

  @Test func errorTablesKeepTheirMetatableAndTraceback() async throws {
    let text = try await withLua { state in
      let metatable = try state.make([
        "__tostring": .reference(
          state.function("tostring") { call in
            .value(try call.state.get(call.table(1), "message"))
          })
      ])
      try state.register("fail") { _ in
        throw LuaError(value: .table([("message", "gone"), ("code", 404)], metatable: metatable))
      }
      return try state.evaluate(
        """
        local function inner() fail() end
        local ok, e = pcall(inner)
        assert(not ok and e.code == 404 and tostring(e) == 'gone')
        return e.traceback
        """)
    }
    #expect(text.contains("test:1: in"))
  }

  @Test func otherErrorsAreDescribedInOnePlace() async throws {
    struct Odd: Error {}
    let message = try await withLua { state in
      state.describeError = { _ in LuaError("described") }
      try state.register("fail") { _ in throw Odd() }
      return try state.failure("fail()").message
    }
    #expect(message == "test:1: described")
  }

  @Test func aThousandFailingCallsLeakNothing() async throws {
    let count = Counted.Count()
    try await withLua { state in
      try state.register("fail") { call in
        let one = Counted(count)
        let two = [Counted(count), one]
        _ = try call.string(1)
        throw LuaError("failed with \(two.count)")
      }
      try state.registerBasics()
      try state.register("failLater") { _ in
        let held = Counted(count)
        return .await({ held }) { _, held in
          _ = Counted(held.count)
          throw LuaError("failed later")
        }
      }
      try state.execute(
        """
        for i = 1, 1000 do
          assert(not pcall(fail))
          assert(not pcall(fail, 'x'))
          assert(not pcall(failLater))
        end
        """)
    }
    #expect(count.alive == 0)
  }

  @Test func swiftMayCallBackAndTailCall() async throws {
    let text = try await withLua { state in
      try state.registerBasics()
      try state.register("twice") { call in
        let function = try call.function(1)
        let first = try call.state.call(function, [.argument(2)])
        return .call(function, first)
      }
      return try state.evaluate("return twice(function(x) return reply(x .. '!') end, 'a')")
    }
    #expect(text == "a!!")
  }

  @Test func closingTheStateReleasesFunctions() async throws {
    let count = Counted.Count()
    try await withLua { state in
      let held = Counted(count)
      try state.register("keep") { _ in
        _ = held
        return .nothing
      }
    }
    #expect(count.alive == 0)
  }
}
