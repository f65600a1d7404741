import LuaRuntime
import Testing

@Suite struct TaskTests {
  /// Programs about tasks; each must return "ok".
  static let programs = [
    "join gives all results": """
    local t = spawn(function(...) sleep(0) return select('#', ...), ... end, 1, nil, 3, nil)
    local n, a, b, c, d = t:join()
    assert(n == 4 and a == 1 and b == nil and c == 3 and d == nil)
    assert(select('#', t:join()) == 5 and select('#', spawn(function() end):join()) == 0)
    return 'ok'
    """,
    "states": """
    local t = spawn(function() sleep(0.001) end)
    assert(t.state == 'ready' and tostring(t):find('^Task %d+ %(ready%)$') and t.id > 0)
    sleep(0)
    assert(t.state == 'waiting')
    t:join()
    assert(t.state == 'done')
    local f = spawn(error, 'x')
    assert(not pcall(f.join, f) and f.state == 'failed')
    local me
    me = spawn(function() return me.state end)
    assert(me:join() == 'running')
    assert(t.nonsense == nil)
    return 'ok'
    """,
    "join raises the same error value": """
    local value = {code = 7}
    local t = spawn(function() sleep(0) error(value) end)
    local ok, e = pcall(t.join, t)
    assert(not ok and e == value)
    ok, e = pcall(t.join, t)
    assert(not ok and e == value)
    return 'ok'
    """,
    "many wait for one": """
    local one = spawn(function() sleep(0.002) return 5 end)
    local sum = 0
    local others = {}
    for i = 1, 50 do others[i] = spawn(function() local v = one:join() sum = sum + v end) end
    all(others)
    assert(sum == 250)
    return 'ok'
    """,
    "sleepers wake in order": """
    local order = {}
    local tasks = {}
    for _, ms in ipairs{5, 1, 4, 2, 3} do
      tasks[#tasks + 1] = spawn(function() sleep(ms / 200) order[#order + 1] = ms end)
    end
    all(tasks)
    assert(table.concat(order) == '12345', table.concat(order))
    return 'ok'
    """,
    "a sleeper of more than a century sleeps": """
    local t = spawn(sleep, 4e9)
    sleep(0)
    assert(t.state == 'waiting', t.state)
    t:cancel()
    assert(not pcall(t.join, t))
    return 'ok'
    """,
    "a list of a negative length is empty": """
    local list = setmetatable({}, {__len = function() return -3 end})
    assert(#map(list, print) == 0)
    return 'ok'
    """,
    "a cancelled sleeper ends at once": """
    local t = spawn(sleep, 1000)
    sleep(0)
    t:cancel()
    local ok, e = pcall(t.join, t)
    assert(not ok and e:find('the task was cancelled') and t.state == 'cancelled')
    t:cancel()
    return 'ok'
    """,
    "a task cancelled before its start never runs": """
    local ran = false
    local t = spawn(function() ran = true end)
    t:cancel()
    sleep(0)
    assert(t.state == 'cancelled' and not ran)
    return 'ok'
    """,
    "pcall does not keep a cancellation for good": """
    local t = spawn(function() while true do pcall(sleep, 10) end end)
    local u = spawn(function() while true do pcall(reply, 10) sleep(0) end end)
    local v = spawn(function()
      while true do coroutine.wrap(function() pcall(function() sleep(10) end) end)() end
    end)
    sleep(0.001)
    for _, task in ipairs{t, u, v} do task:cancel() end
    for _, task in ipairs{t, u, v} do pcall(task.join, task) assert(task.state == 'cancelled') end
    return 'ok'
    """,
    "short clean-up runs in a cancelled task": """
    local log = {}
    local t = spawn(function()
      local a <close> = setmetatable({}, {__close = function(_, e)
        for i = 1, 10 do log[#log + 1] = i end
        log[#log + 1] = e
      end})
      local ok, e = pcall(sleep, 100)
      log[#log + 1] = e
      sleep(0)
      log[#log + 1] = 'never'
    end)
    sleep(0)
    t:cancel()
    pcall(t.join, t)
    assert(table.concat(log, ' ') == 'cancelled 1 2 3 4 5 6 7 8 9 10 cancelled', table.concat(log, ' '))
    return 'ok'
    """,
    "a cancelled task that returns has returned": """
    local t = spawn(function() pcall(sleep, 100) return 'anyway' end)
    sleep(0)
    t:cancel()
    assert(t:join() == 'anyway' and t.state == 'done')
    return 'ok'
    """,
    "a task may cancel itself": """
    local after
    local t = spawn(function() pcall(t) coroutine.running() end)
    t = spawn(function() t:cancel() after = true end)
    pcall(t.join, t)
    assert(t.state == 'cancelled' and not after)
    return 'ok'
    """,
    "cancel inside a comparator raises there": """
    local t
    t = spawn(function() table.sort({1, 2, 3}, function() t:cancel() return true end) end)
    pcall(t.join, t)
    assert(t.state == 'cancelled')
    return 'ok'
    """,
    "map keeps the order and bounds concurrency": """
    local running, most = 0, 0
    local list = {}
    for i = 1, 40 do list[i] = i end
    local squares = map(list, function(x, ...)
      assert(select('#', ...) == 0)
      running = running + 1
      most = math.max(most, running)
      sleep((41 - x) / 10000)
      running = running - 1
      return x * x
    end, {concurrency = 7})
    for i = 1, 40 do assert(squares[i] == i * i) end
    assert(most == 7, most)
    assert(#map({}, print) == 0)
    assert(map({1}, function() end)[1] == nil)
    assert(map(setmetatable({}, {__index = function(_, i) return i end, __len = function() return 3 end}),
      function(x) return x * 2 end)[3] == 6)
    return 'ok'
    """,
    "an error in map cancels the rest": """
    local done = 0
    local ok, e = pcall(map, {1, 2, 3, 4}, function(x)
      if x == 2 then sleep(0) error({bad = x}) end
      sleep(0.05)
      done = done + 1
    end)
    assert(not ok and e.bad == 2 and done == 0)
    sleep(0.06)
    assert(done == 0)
    return 'ok'
    """,
    "a cancelled map cancels its workers": """
    local cancelled = 0
    local t = spawn(map, {1, 2, 3}, function()
      local a <close> = setmetatable({}, {__close = function() cancelled = cancelled + 1 end})
      sleep(100)
    end)
    sleep(0.001)
    t:cancel()
    pcall(t.join, t)
    sleep(0)
    assert(cancelled == 3)
    return 'ok'
    """,
    "all": """
    local tasks = {spawn(function() sleep(0.002) return 'a', 'x' end), spawn(function() return nil end),
      spawn(function() return 'c' end)}
    local results = all(tasks)
    assert(results[1] == 'a' and results[2] == nil and results[3] == 'c')
    assert(#all({}) == 0 and all(tasks)[3] == 'c')
    local slow = spawn(sleep, 100)
    local ok, e = pcall(all, {slow, spawn(function() error('first', 0) end)})
    assert(not ok and e == 'first')
    sleep(0)
    assert(slow.state == 'cancelled')
    return 'ok'
    """,
    "race": """
    local slow = spawn(sleep, 100)
    local a, b = race({slow, spawn(function() sleep(0.001) return 'won', 2 end)})
    assert(a == 'won' and b == 2)
    sleep(0)
    assert(slow.state == 'cancelled')
    local ok, e = pcall(race, {spawn(sleep, 100), spawn(error, 'lost')})
    assert(not ok and e == 'lost')
    return 'ok'
    """,
    "timeout": """
    assert(timeout(10, function(...) sleep(0) return ... end, 'in time') == 'in time')
    local closed = false
    local ok, e = pcall(timeout, 0.001, function()
      local a <close> = setmetatable({}, {__close = function() closed = true end})
      sleep(100)
    end)
    assert(not ok and e:find('timeout: no result within 0.001 s'), e)
    sleep(0)
    assert(closed)
    ok, e = pcall(timeout, 1, error, 'its own', 0)
    assert(not ok and e == 'its own')
    ok, e = pcall(timeout, 60, function() return timeout(0.001, sleep, 100) end)
    assert(not ok and e:find('within 0.001 s'))
    return 'ok'
    """,
    "closing a task cancels it": """
    local t
    do local guard <close> = spawn(sleep, 100) t = guard end
    sleep(0)
    assert(t.state == 'cancelled')
    return 'ok'
    """,
    "tasks see themselves as main": """
    return spawn(function()
      local co, main = coroutine.running()
      assert(main and not coroutine.isyieldable() and not pcall(coroutine.yield))
      return 'ok'
    end):join()
    """,
    "a dead task's coroutine is dead": """
    local co
    spawn(function() co = coroutine.running() end):join()
    collectgarbage() collectgarbage()
    assert(coroutine.status(co) == 'dead')
    assert(select(2, coroutine.resume(co)) == 'cannot resume dead coroutine')
    assert(coroutine.close(co))
    return 'ok'
    """,
    "a deadlock is an error": """
    local a, b
    a = spawn(function() b:join() end)
    b = spawn(function() a:join() end)
    local ok, e = pcall(a.join, a)
    assert(not ok and e:find('deadlock'), e)
    a:cancel() b:cancel()
    return 'ok'
    """,
    "deep chains of joins": """
    local last = spawn(sleep, 0)
    for i = 1, 5000 do local before = last last = spawn(function() before:join() return i end) end
    assert(last:join() == 5000)
    return 'ok'
    """,
  ]

  @Test(arguments: programs.keys.sorted())
  func tasksWork(name: String) async throws {
    let source = try #require(Self.programs[name])
    let result = try await withLua { state in
      try state.registerBasics()
      return try state.evaluate(source)
    }
    #expect(result == "ok")
  }

  @Test(arguments: [
    ("sleep('x')", "bad argument #1 to 'sleep' (number expected, got string)"),
    ("sleep(0/0)", "bad argument #1 to 'sleep' (seconds expected, got nan)"),
    ("sleep(-1)", "bad argument #1 to 'sleep' (seconds must be 0 or more and finite)"),
    ("sleep()", "bad argument #1 to 'sleep' (number expected, got no value)"),
    ("spawn(1)", "bad argument #1 to 'spawn' (function expected, got number)"),
    ("all(1)", "bad argument #1 to 'all' (table expected, got number)"),
    ("all({1})", "bad argument #1 to 'all' (a list of tasks expected, got number at 1)"),
    ("race({})", "bad argument #1 to 'race' (no tasks)"),
    ("timeout(-1, print)", "bad argument #1 to 'timeout' (seconds must be 0 or more and finite)"),
    ("sleep(1/0)", "bad argument #1 to 'sleep' (seconds must be 0 or more and finite)"),
    ("timeout(1)", "bad argument #2 to 'timeout' (function expected, got no value)"),
    ("map({1}, print, {conc = 1})", "unknown option 'conc' (did you mean 'concurrency'?)"),
    ("map({1}, print, {concurrency = 0})", "concurrency must be an integer of 1 or more"),
    ("map({1}, print, {concurrency = '1'})", "concurrency must be an integer of 1 or more"),
    ("spawn(sleep, 0).join(1)", "bad argument #1 to 'join' (Task expected, got number)"),
    ("local t t = spawn(function() t:join() end) t:join()", "a task cannot wait for itself"),
    ("local co = coroutine.wrap(function() x() end) co()", "global 'x'"),
  ])
  func badUseIsAClearError(source: String, message: String) async throws {
    let error = try await withLua { state in
      try state.registerBasics()
      return try state.failure(source).message
    }
    #expect(error.contains(message))
  }

  @Test func unjoinedErrorsAreReportedOnceWithTheirTraceback() async throws {
    let errors = try await withLua { state -> [LuaError] in
      try state.registerBasics()
      var errors: [LuaError] = []
      state.taskFailed = { errors.append($0) }
      try state.execute(
        """
        local function fails(x) sleep(0) error(x) end
        spawn(fails, 'lost')
        kept = spawn(fails, 'kept')
        local joined = spawn(fails, 'joined')
        pcall(joined.join, joined)
        local cancelled = spawn(sleep, 10)
        sleep(0)
        cancelled:cancel()
        sleep(0)
        """)
      return errors
    }
    #expect(errors.map(\.message).sorted() == ["test:1: kept", "test:1: lost"])
    for error in errors { #expect(error.traceback.contains("test:1: in function")) }
  }

  @Test(arguments: ["", "kept = kept or {} kept[i] = "])
  func unjoinedErrorsAreReportedInTheirOrder(prefix: String) async throws {
    let messages = try await withLua { state -> [String] in
      try state.registerBasics()
      var messages: [String] = []
      state.taskFailed = { messages.append($0.message) }
      try state.execute("for i = 1, 50 do \(prefix)spawn(error, i .. '', 0) end")
      return messages
    }
    #expect(messages == (1...50).map { "\($0)" })
  }

  @Test func oneErrorOfAMapSpeaksForAll() async throws {
    let errors = try await withLua { state -> [LuaError] in
      try state.registerBasics()
      var errors: [LuaError] = []
      state.taskFailed = { errors.append($0) }
      try state.execute("assert(not pcall(map, {1, 2, 3}, error))")
      return errors
    }
    #expect(errors.isEmpty)
  }

  @Test func aLostErrorIsReportedWhileTheProgramGoesOn() async throws {
    let result = try await withLua { state in
      try state.registerBasics()
      state.taskFailed = { [unowned state] error in
        try? state.set(state.globals, "reported", .string(error.message))
      }
      return try state.evaluate(
        "spawn(error, 'lost', 0) while not reported do sleep(0.0001) end return reported")
    }
    #expect(result == "lost")
  }

  @Test func theRunEndsWhenAllTasksHaveEnded() async throws {
    let text = try await withLua { state -> String? in
      try state.registerBasics()
      try state.execute(
        """
        log = ''
        spawn(function()
          sleep(0.002)
          log = log .. 'a'
          spawn(function() reply(1) log = log .. 'b' end)
        end)
        """)
      #expect(state.aliveTasks == 0)
      return try state.get(state.globals, "log").text
    }
    #expect(text == "ab")
  }

  @Test func aForegroundEndsWhileBackgroundGoesOn() async throws {
    try await withLua { state in
      try state.registerBasics()
      try state.execute("count = 0")
      let form = try state.load(
        Array(
          """
          task = spawn(function() while true do count = count + 1 sleep(0) end end)
          failing = spawn(function() sleep(0) error('background') end)
          return reply('form')
          """.utf8), name: "=form")
      guard case .returned(let values) = try state.runForeground(form) else {
        Issue.record("the form must return")
        return
      }
      #expect(values.first?.text == "form")
      #expect(state.aliveTasks >= 1)
      var reported: [String] = []
      state.taskFailed = { reported.append($0.message) }
      var turns = 0
      let start = try state.get(state.globals, "count").asInteger ?? 0
      state.wait {
        turns += 1
        return turns > 20 && !reported.isEmpty
      }
      #expect(try state.get(state.globals, "count").asInteger ?? 0 > start)
      #expect(reported == ["form:2: background"])
      let task = try #require(try state.get(state.globals, "task").asReference)
      #expect(state.taskState(task)?.isEnd == false)
      #expect(state.cancel(task))
      state.wait { state.aliveTasks == 0 }
      #expect(state.taskState(task) == .cancelled)
    }
  }

  @Test func descriptorsAreServedUnderLoad() async throws {
    try await withLua { state in
      try state.registerBasics()
      try state.execute("stop = false")
      let spin = try state.load(
        Array("while not stop do sleep(0) end".utf8), name: "=spin")
      for _ in 0..<50 { try state.spawn(spin) }
      let pipe = try Pipe()
      var seen: [UInt8] = []
      let watch = state.watch(pipe.readEnd) { _ in seen += pipe.read() }
      pipe.write([1])
      state.wait { seen == [1] }
      state.unwatch(watch)
      pipe.write([2])
      var turns = 0
      state.wait {
        turns += 1
        return turns > 10
      }
      #expect(seen == [1])
      try state.set(state.globals, "stop", true)
      state.wait { state.aliveTasks == 0 }
    }
  }

  @Test func swiftMayWaitOnItsWayOut() async throws {
    let (value, none) = try await withLua { state in
      let value = state.block(timeout: .seconds(60)) { 42 }
      let none = state.block(timeout: .milliseconds(1)) {
        try? await Task.sleep(for: .seconds(3600))
        return 1
      }
      return (value, none)
    }
    #expect(value == 42 && none == nil)
  }

  @Test func tenThousandTasksAwait() async throws {
    let result = try await withLua { state in
      try state.registerBasics()
      return try state.evaluate(
        """
        local tasks = {}
        for i = 1, 10000 do tasks[i] = spawn(function() sleep(0.001) return i end) end
        local sum = 0
        for i = 1, 10000 do sum = sum + tasks[i]:join() end
        return sum
        """)
    }
    #expect(result == "50005000")
  }
}
