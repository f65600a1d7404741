import LuaRuntime
import Testing

@Suite struct AwaitTests {
  /// Programs that await where it is hard; each must return "ok".
  static let programs = [
    "reply(1)": "assert(reply(1) == 1); return 'ok'",
    "several results":
      "local a, b, c = reply(1, nil, 3); assert(a == 1 and b == nil and c == 3) return 'ok'",
    "errors": "local good, e = pcall(refuse, 'no'); assert(not good and e == 'no', e) return 'ok'",
    "in a coroutine": """
    local co = coroutine.wrap(function(x)
      local y = coroutine.yield(reply(x))
      return reply(y .. 'k')
    end)
    assert(co('a') == 'a')
    return co('o')
    """,
    "coroutines in coroutines": """
    local function nest(n)
      if n == 0 then return reply('ok') end
      return coroutine.wrap(function() return nest(n - 1) end)()
    end
    return nest(20)
    """,
    "pcall in a coroutine": """
    local co = coroutine.create(function()
      local good, e = pcall(function() reply(1); refuse('deep') end)
      coroutine.yield(good, e)
      return reply('end')
    end)
    local good, a, b = coroutine.resume(co)
    assert(good and a == false and b == 'test:2: deep')
    local good, c = coroutine.resume(co)
    assert(good and c == 'end' and coroutine.status(co) == 'dead')
    return 'ok'
    """,
    "xpcall": """
    local good, e = xpcall(function() reply(1) error('x', 0) end, function(m) return m .. '!' end)
    assert(not good and e == 'x!')
    return 'ok'
    """,
    "metamethods": """
    local t = setmetatable({}, {
      __index = function(_, k) return reply(k) end,
      __newindex = function(t, k, v) rawset(t, k, reply(v)) end,
      __add = function(a, b) return reply('sum') end,
      __concat = function() return reply('cat') end,
      __eq = function() return reply(true) end,
      __lt = function() return reply(true) end,
      __len = function() return reply(5) end,
      __call = function(_, x) return reply(x) end,
    })
    assert(t.key == 'key'); t.a = 3; assert(rawget(t, 'a') == 3)
    assert(t + 1 == 'sum' and t .. 'x' == 'cat' and t == setmetatable({}, getmetatable(t)))
    assert(t < t and #t == 5 and t(7) == 7)
    return 'ok'
    """,
    "iterators": """
    local seen = 0
    for k in function(_, last) return reply(last and (last < 3 and last + 1 or nil) or (not last and 1 or nil)) end do
      seen = seen + k
    end
    assert(seen == 6)
    for k, v in pairs(setmetatable({}, {__pairs = function(t)
      reply() return function(_, k) if not k then return reply(1, 2) end end, t end})) do
      assert(k == 1 and v == 2)
    end
    return 'ok'
    """,
    "sort comparator": """
    local t = {3, 1, 2}
    table.sort(t, function(a, b) return reply(a) < reply(b) end)
    assert(table.concat(t) == '123')
    return 'ok'
    """,
    "gsub callback": "return (('x'):gsub('x', function() return reply('ok') end))",
    "tostring":
      "return tostring(setmetatable({}, {__tostring = function() return reply('ok') end}))",
    "load reader": """
    local parts = {'return ', '"ok"'}
    return load(function() return reply(table.remove(parts, 1)) end)()
    """,
    "a coroutine inside a comparator": """
    local t = {2, 1}
    table.sort(t, function(a, b)
      return coroutine.wrap(function() return reply(a) < reply(b) end)()
    end)
    return t[1] == 1 and 'ok'
    """,
    "close": """
    local log = {}
    do
      local a <close> = setmetatable({}, {__close = function() log[#log + 1] = reply('closed') end})
    end
    local co = coroutine.wrap(function()
      local b <close> = setmetatable({}, {__close = function() log[#log + 1] = reply('b') end})
      error('x', 0)
    end)
    assert(not pcall(co))
    pcall(function()
      local c <close> = setmetatable({}, {__close = function() log[#log + 1] = reply('c') end})
      error('y')
    end)
    assert(table.concat(log, ' ') == 'closed b c', table.concat(log, ' '))
    return 'ok'
    """,
    "coroutine.close": """
    local log
    local co = coroutine.create(function()
      local b <close> = setmetatable({}, {__close = function() log = reply('b') end})
      coroutine.yield()
    end)
    coroutine.resume(co)
    assert(coroutine.close(co) and log == 'b')
    return 'ok'
    """,
    "sleep": """
    sleep(0.001)
    local t = {2, 1}
    table.sort(t, function(a, b) sleep(0.001) return a < b end)
    return 'ok'
    """,
    "finalizer": """
    local message
    setmetatable({}, {__gc = function() message = select(2, pcall(reply, 1)) end})
    collectgarbage()
    assert(message:find('cannot be called in a finalizer'), message)
    local slept
    setmetatable({}, {__gc = function() slept = select(2, pcall(sleep, 1)) end})
    collectgarbage()
    assert(slept:find('cannot sleep in a finalizer'), slept)
    return 'ok'
    """,
    "an awaiting coroutine looks busy": """
    local co
    local other = spawn(function()
      local good, e = coroutine.resume(co)
      assert(not good and e == 'cannot resume non-suspended coroutine')
      assert(coroutine.status(co) == 'normal')
      assert(not pcall(coroutine.close, co))
    end)
    co = coroutine.create(function() sleep(0.01) return 'ok' end)
    local good, result = coroutine.resume(co)
    other:join()
    return result
    """,
    "a yield from a task's root": """
    assert(not coroutine.isyieldable())
    local co, main = coroutine.running()
    assert(main and coroutine.status(co) == 'running')
    local good, e = pcall(coroutine.yield)
    assert(not good and e == 'attempt to yield from outside a coroutine')
    return 'ok'
    """,
  ]

  @Test(arguments: programs.keys.sorted())
  func awaitsPass(name: String) async throws {
    let source = try #require(Self.programs[name])
    let result = try await withLua { state in
      try state.registerBasics()
      return try state.evaluate(source)
    }
    #expect(result == "ok")
  }

  @Test func manyInFlightWhileTheCollectorRuns() async throws {
    let result = try await withLua { state in
      try state.registerBasics()
      return try state.evaluate(
        """
        local tasks, sum, running = {}, 0, true
        local collector = spawn(function()
          while running do collectgarbage(); sleep(0) end
        end)
        for i = 1, 100 do
          tasks[i] = spawn(function()
            for j = 1, 5 do
              local t = coroutine.wrap(function() return reply({i}, tostring(i)) end)
              local a, b = t()
              assert(a[1] == i and b == tostring(i))
              collectgarbage('step')
            end
            sum = sum + 1
          end)
        end
        all(tasks)
        running = false
        return sum
        """)
    }
    #expect(result == "100")
  }

  @Test func resultsThatNeedLuaAgainMayAwaitAgain() async throws {
    let result = try await withLua { state in
      try state.register("chain") { _ in
        .await({ 1 }) { _, first in
          .await({ first + 1 }) { _, second in
            .value(.integer(second + 1))
          }
        }
      }
      return try state.evaluate("return chain() .. ' ' .. coroutine.wrap(chain)()")
    }
    #expect(result == "3 3")
  }

  @Test func cancellingTheTaskCancelsTheSwiftTask() async throws {
    let (stream, continuation) = AsyncStream<Bool>.makeStream()
    try await withLua { state in
      try state.registerBasics()
      try state.register("forever") { _ in
        .await({
          try? await Task.sleep(for: .seconds(3600))
          continuation.yield(Task.isCancelled)
        }) { _, _ in .nothing }
      }
      try state.execute(
        """
        local t = spawn(forever)
        sleep(0.001)
        t:cancel()
        local ok, e = pcall(t.join, t)
        assert(not ok and e:find('the task was cancelled'), e)
        assert(t.state == 'cancelled')
        """)
    }
    var iterator = stream.makeAsyncIterator()
    #expect(await iterator.next() == true)
  }

  @Test func waitingForATaskWhereLuaCannotYieldIsAnError() async throws {
    let message = try await withLua { state in
      try state.registerBasics()
      return try state.failure(
        "local t = spawn(sleep, 0); table.sort({1, 2}, function() t:join() end)"
      ).message
    }
    #expect(message.contains("cannot wait for a task here"))
  }

  @Test func portsReachTheLuaThread() async throws {
    let texts = try await withLua { state -> [String] in
      try state.registerBasics()
      try state.execute("log = {}; function note(x) x = reply(x); log[#log + 1] = x end")
      let note = try #require(try state.get(state.globals, "note").asReference)
      let port = state.port(of: Int.self) { state, number in
        _ = try? state.spawn(note, [.integer(number)])
      }
      try state.register("work") { _ in
        .await({ for number in 1...3 { port.post(number) } }) { _, _ in .nothing }
      }
      return [
        try state.evaluate("work(); while #log < 3 do sleep(0) end return table.concat(log, ' ')")
      ]
    }
    #expect(texts == ["1 2 3"])
  }

  @Test func swiftCanAskLuaAndWait() async throws {
    let result = try await withLua { state in
      try state.registerBasics()
      let port = state.port(of: (LuaReference, CheckedContinuation<Int, any Error>).self) {
        state, message in
        let (function, continuation) = message
        do {
          try state.spawn(function, [20]) { result in
            continuation.resume(with: result.map { $0.first?.asInteger ?? 0 }.mapError { $0 })
          }
        } catch {
          continuation.resume(throwing: error)
        }
      }
      try state.register("ask") { call in
        let function = try call.function(1)
        return .await({
          try await withCheckedThrowingContinuation { port.post((function, $0)) }
        }) { _, number in .value(.integer(number)) }
      }
      return try state.evaluate("return ask(function(x) return reply(x) + 1 end)")
    }
    #expect(result == "21")
  }
}
