import Glibc
import LuaRuntime
import Testing

/// Signals go to one state of the process: one test at a time.
@Suite(.serialized) struct InterruptTests {
  /// Programs that never end by themselves. `soon()` sends the process a SIGINT from another thread.
  static let endless = [
    "soon() while true do end",
    "soon() while true do pcall(function() while true do end end) end",
    "soon() while true do pcall(error) end",
    "soon() coroutine.wrap(function() while true do end end)()",
    "soon() while true do pcall(coroutine.wrap(function() while true do end end)) end",
    "soon() while true do coroutine.resume(coroutine.create(function() pcall(function() while true do end end) end)) end",
    "local co = coroutine.wrap(function() while true do coroutine.yield() end end) soon() while true do pcall(co) end",
    "soon() while true do pcall(sleep, 1000) end",
    "soon() sleep(1000)",
    "soon() reply(forever())",
    "soon() while true do pcall(forever) end",
    "soon() while true do pcall(table.sort, {1, 2, 3}, function() sleep(1000) end) end",
    "soon() while true do pcall(string.gsub, 'x', 'x', forever) end",
    "soon() table.sort({3, 2, 1}, function(a, b) while true do end end)",
    "soon() while true do xpcall(error, function(m) return m end) end",
    "soon() xpcall(error, function() while true do end end)",
    "soon() xpcall(function() while true do end end, function() while true do end end)",
    "soon() while true do xpcall(function() while true do end end, function() while true do end end) end",
    "soon() coroutine.wrap(function() xpcall(error, function() while true do end end) end)()",
    "soon() xpcall(sleep, function() while true do end end, 1000)",
    "soon() repeat local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) pcall(function() return t[1] end) until false",
    "soon() spawn(function() while true do pcall(sleep, 1000) end end):join()",
    "spawn(function() while true do pcall(sleep, 1000) end end) soon()",
    "soon() while true do pcall(spawn, function() pcall(sleep, 1000) end) sleep(0) end",
    "soon() map({1, 2, 3}, function() while true do pcall(sleep, 1000) end end)",
    "package.preload.m = function() soon() while true do pcall(sleep, 1) end end require('m')",
    "soon() while true do local a <close> = setmetatable({}, {__close = function() while true do end end}) end",
    "soon() while true do for i = 1, 1e6 do local s = ('x'):rep(10) end end",
    "soon() while true do load('return 1 + 1')() end",
    "soon() while true do goto continue ::continue:: end",
  ]

  @Test(arguments: endless)
  func aSignalStops(program: String) async throws {
    let signal = try await withLua { state -> Int32 in
      try state.prepare()
      state.catchSignals()
      defer { state.releaseSignals() }
      guard
        case .interrupted(let signal) = try state.run(
          state.load(Array(program.utf8), name: "=test"))
      else { return 0 }
      #expect(state.aliveTasks == 0)
      return signal
    }
    #expect(signal == SIGINT)
  }

  @Test func shortCleanUpRuns() async throws {
    let log = try await withLua { state -> String? in
      try state.prepare()
      state.catchSignals()
      defer { state.releaseSignals() }
      _ = try state.run(
        state.load(
          Array(
            """
            log = ''
            local a <close> = setmetatable({}, {__close = function(_, e) log = log .. 'closed: ' .. e end})
            soon()
            while true do end
            """.utf8), name: "=test"))
      return try state.get(state.globals, "log").text
    }
    #expect(log == "closed: interrupted!")
  }

  @Test func aProgramMayCatchItAndEnd() async throws {
    try await withLua { state in
      try state.prepare()
      state.catchSignals()
      defer { state.releaseSignals() }
      let outcome = try state.run(
        state.load(
          Array("local ok, e = pcall(function() soon() sleep(1000) end) caught = e".utf8),
          name: "=test"))
      guard case .interrupted = outcome else {
        Issue.record("the outcome must tell of the signal")
        return
      }
      #expect(try state.get(state.globals, "caught").text == "interrupted!")
      #expect(try state.evaluate("return 'goes on'") == "goes on")
    }
  }

  @Test func onlyTheForegroundIsMeant() async throws {
    try await withLua { state in
      try state.prepare()
      state.catchSignals()
      defer { state.releaseSignals() }
      let form = try state.load(
        Array(
          """
          background = spawn(function() while not stop do sleep(0) end return 'undisturbed' end)
          soon()
          while true do pcall(sleep, 1000) end
          """.utf8), name: "=form")
      guard case .interrupted = try state.runForeground(form) else {
        Issue.record("the form must be interrupted")
        return
      }
      #expect(state.aliveTasks == 1)
      #expect(try state.evaluate("stop = true return background:join()") == "undisturbed")
    }
  }

  @Test func whereNothingRunsInFrontTheConsoleIsTold() async throws {
    try await withLua { state in
      try state.prepare()
      state.catchSignals()
      defer { state.releaseSignals() }
      var told: Int32 = 0
      state.idleInterrupt = { told = $0 }
      kill(getpid(), SIGTERM)
      state.wait { told != 0 }
      #expect(told == SIGTERM)
    }
  }

  @Test func aBackgroundTaskThatHogsIsStopped() async throws {
    try await withLua { state in
      try state.prepare()
      state.catchSignals()
      defer { state.releaseSignals() }
      var told = false
      state.idleInterrupt = { _ in told = true }
      let hog = try state.load(
        Array("soon() while true do pcall(function() while true do end end) end".utf8),
        name: "=hog")
      let task = try state.spawn(hog)
      state.wait { state.aliveTasks == 0 }
      #expect(told)
      #expect(state.taskState(task) == .cancelled)
    }
  }

  @Test func callsFromSwiftOutsideOfTasksStopToo() async throws {
    try await withLua { state in
      try state.prepare()
      state.catchSignals()
      defer { state.releaseSignals() }
      for program in ["soon() while true do end", "soon() forever()", "soon() sleep(1000)"] {
        let function = try state.load(Array(program.utf8), name: "=call")
        #expect {
          try state.call(function)
        } throws: { error in
          (error as? LuaError)?.message.contains("interrupted!") == true
        }
        // A second signal within a second would end the process.
        state.releaseSignals()
        state.catchSignals()
      }
    }
  }

  @Test func aSecondSignalEndsTheProcess() async {
    await #expect(processExitsWith: .exitCode(130)) {
      try await withLua { state in
        try state.prepare()
        state.catchSignals()
        try state.register("twice") { _ in
          while true { kill(getpid(), SIGINT) }
        }
        try state.execute("twice()")
      }
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalOnTheWayOutLeavesTheStatusAlone(signal: Int32) async {
    await #expect(processExitsWith: .exitCode(7)) { [signal] in
      try await withLua { state in
        state.catchSignals()
        state.leaveSignals()
        kill(getpid(), signal)
      }
      exit(7)
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aSecondSignalOnTheWayOutEndsTheProcess(signal: Int32) async {
    await #expect(processExitsWith: .exitCode(130)) { [signal] in
      try await withLua { state in
        try state.prepare()
        state.catchSignals()
        _ = try? state.execute("soon() forever()")
        state.leaveSignals()
        while true { kill(getpid(), signal) }
      }
    }
  }
}

extension LuaState {
  fileprivate func prepare() throws {
    try registerBasics()
    try register("soon") { call in
      let signal = call.isAbsent(1) ? SIGINT : Int32(try call.integer(1))
      Task.detached { kill(getpid(), signal) }
      return .nothing
    }
    try register("forever") { _ in
      .await({ try await Task.sleep(for: .seconds(3600)) }) { _, _ in .nothing }
    }
  }
}
