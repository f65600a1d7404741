import LuaRuntime
import Testing

@Suite struct RequireTests {
  /// Programs about modules that await in their body; each must return "ok".
  static let programs = [
    "a body may await": """
    package.preload.m = function(...) local name, data = ... return {reply(name), reply(data)} end
    local m, data = require('m')
    assert(m[1] == 'm' and m[2] == ':preload:' and data == ':preload:' and require('m') == m)
    return 'ok'
    """,
    "two tasks run it once": """
    local runs = 0
    package.preload.m = function() runs = runs + 1 sleep(0.002) return {runs} end
    local tasks = {}
    for i = 1, 10 do tasks[i] = spawn(require, 'm') end
    for i, m in ipairs(all(tasks)) do assert(m[1] == 1 and m == package.loaded.m) end
    assert(runs == 1)
    return 'ok'
    """,
    "after a failure the next one tries": """
    local runs = 0
    package.preload.m = function()
      runs = runs + 1
      sleep(0.001)
      if runs == 1 then error('first try') end
      return 'second'
    end
    local a, b = spawn(require, 'm'), spawn(require, 'm')
    local ok, e = pcall(a.join, a)
    assert(not ok and e:find('first try'))
    assert(b:join() == 'second' and runs == 2)
    return 'ok'
    """,
    "after a cancellation too": """
    local runs = 0
    package.preload.m = function() runs = runs + 1 sleep(runs == 1 and 100 or 0) return runs end
    local a, b = spawn(require, 'm'), spawn(require, 'm')
    sleep(0.001)
    a:cancel()
    assert(b:join() == 2)
    return 'ok'
    """,
    "modules that wait for each other are an error": """
    package.preload.a = function() sleep(0.001) return require('b') end
    package.preload.b = function() sleep(0.001) return require('a') end
    local a, b = spawn(require, 'a'), spawn(require, 'b')
    local oka, ea = pcall(a.join, a)
    local okb, eb = pcall(b.join, b)
    assert(not oka and not okb)
    assert((ea .. eb):find('is being loaded by a task that waits for a module of this one'), ea .. eb)
    return 'ok'
    """,
    "a coroutine that dies of it lets go": """
    local function try(name)
      return select(2, coroutine.resume(coroutine.create(function() return require(name) end)))
    end
    package.preload.m = function() error('boom') end
    assert(spawn(try, 'm'):join():find('boom'))
    sleep(0.001)
    collectgarbage() collectgarbage()
    local others = {}
    for i = 1, 1000 do others[i] = ('A'):rep(100 + i % 80) end
    for i = 1, 200 do
      assert(select(2, pcall(require, 'm')):find('boom') and try('m'):find('boom'))
    end
    package.preload.w = function() sleep(0.005) error('late') end
    local a, b = spawn(try, 'w'), spawn(pcall, require, 'w')
    local _, late = b:join()
    assert(a:join():find('late') and late:find('late'))
    return 'ok'
    """,
    "nor do loads inside of its own count for ever": """
    local first = true
    package.preload.m = function()
      if not first then error('inner') end
      first = false
      for i = 1, 200 do
        local _, e = coroutine.resume(coroutine.create(require), 'm')
        assert(e:find('inner'), e)
      end
      return 1
    end
    assert(require('m') == 1)
    local inner = false
    package.preload.n = function()
      if inner then coroutine.yield('out') end
      inner = true
      local ok, e = coroutine.resume(coroutine.create(require), 'n')
      assert(not ok and e == 'attempt to yield across a C-call boundary', e)
      return 'n'
    end
    assert(require('n') == 'n')
    return 'ok'
    """,
    "nothing yields out of a body": """
    local yields = true
    package.preload.y = function() if yields then coroutine.yield() end return 'y' end
    local co = coroutine.create(function() return require('y') end)
    local ok, e = coroutine.resume(co)
    assert(not ok and e == 'attempt to yield across a C-call boundary', e)
    yields = false
    assert(require('y') == 'y')
    -- Coroutines of its own may.
    package.preload.z = function()
      local next = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) end)
      return next() + next()
    end
    assert(require('z') == 3)
    return 'ok'
    """,
    "a module that requires itself is an error": """
    package.preload.a = function() sleep(0) return require('b') end
    package.preload.b = function() sleep(0) return require('a') end
    local ok, e = pcall(require, 'a')
    assert(not ok and e:find('requires itself, directly or through others'), e)
    return 'ok'
    """,
    "where Lua cannot yield it says so": """
    package.preload.m = function() sleep(0.001) return 1 end
    local t = spawn(require, 'm')
    sleep(0)
    local ok, e = pcall(table.sort, {1, 2}, function() require('m') end)
    assert(not ok and e:find("module 'm' is being loaded by another task"), e)
    assert(t:join() == 1)
    table.sort({1, 2}, function(a, b) return require('m') > 1 end)
    return 'ok'
    """,
    "in place where Lua cannot yield": """
    package.preload.m = function() return reply('loaded') end
    local loaded
    table.sort({1, 2}, function() loaded = require('m') end)
    return loaded == 'loaded' and 'ok'
    """,
    "inside a coroutine": """
    package.preload.m = function() return reply('ok') end
    return coroutine.wrap(function() return (require('m')) end)()
    """,
    "dofile and load": """
    local name = os.tmpname()
    local file = io.open(name, 'w')
    file:write('return reply(...)')
    file:close()
    assert(dofile(name) == nil and loadfile(name)('x') == 'x')
    os.remove(name)
    return load('return reply("ok")')()
    """,
  ]

  @Test(arguments: programs.keys.sorted())
  func modulesAwait(name: String) async throws {
    let source = try #require(Self.programs[name])
    let result = try await withLua { state in
      try state.registerBasics()
      return try state.evaluate(source)
    }
    #expect(result == "ok")
  }

  @Test func modulesOfCWork() async throws {
    let text = try await withLua { state in
      try state.evaluate("local cjson = require('cjson') return cjson.encode({1, 2, 3})")
    }
    #expect(text == "[1,2,3]")
  }
}
