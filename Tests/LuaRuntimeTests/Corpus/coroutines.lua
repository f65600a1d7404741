-- Coroutines as programs for stock Lua use them.
local out = {}
local function emit(...)
  local t = table.pack(...)
  for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end
  out[#out + 1] = table.concat(t, " ", 1, t.n)
end

local main, ismain = coroutine.running()
emit(type(main), ismain, coroutine.isyieldable(), coroutine.isyieldable(main))
emit(coroutine.status(main), coroutine.resume(main))
emit(pcall(coroutine.yield, 1))
emit(pcall(coroutine.wrap(function() return coroutine.resume(main) end)))
emit(pcall(coroutine.close, main))
emit(coroutine.wrap(function() return pcall(coroutine.close, main) end)())
emit(coroutine.wrap(function() return coroutine.status(main) end)())
emit(coroutine.wrap(function()
  local co, is = coroutine.running()
  return is, coroutine.isyieldable(), coroutine.status(co)
end)())

local function generate(n)
  return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, i * i) end return "end" end)
end
local g = generate(3)
for _ = 1, 4 do emit(g()) end
emit(pcall(g))

local co = coroutine.create(function(...)
  local a, b = coroutine.yield(select("#", ...), ...)
  local ok, e = pcall(function() local x = coroutine.yield(a + b) error({x}) end)
  coroutine.yield(ok, type(e), e[1])
  error("at the end")
end)
emit(coroutine.status(co), coroutine.resume(co, 1, nil, nil))
emit(coroutine.resume(co, 2, 3))
emit(coroutine.resume(co, "x"))
emit(coroutine.resume(co))
emit(coroutine.status(co), coroutine.resume(co))
emit(coroutine.resume(coroutine.create(tostring), nil))
emit(pcall(coroutine.create, 1))
emit(pcall(coroutine.resume, 1))
emit(pcall(coroutine.wrap))
emit(pcall(coroutine.status, {}))

-- Yields across what may yield.
local meta = setmetatable({}, {
  __index = function(_, k) return coroutine.yield(k) end,
  __add = function(a, b) return coroutine.yield("add") end,
  __lt = function() return coroutine.yield("lt") end,
  __concat = function() return coroutine.yield("concat") end,
  __call = function(_, ...) return coroutine.yield("call", ...) end,
  __eq = function() return coroutine.yield("eq") end,
  __len = function() return coroutine.yield("len") end,
  __close = function() coroutine.yield("close") end,
})
co = coroutine.wrap(function()
  emit("got", meta.key, meta + 1, meta < meta, meta .. "x", meta(1, 2), #meta)
  do local c <close> = meta end
  for k in function(_, last) if not last then return coroutine.yield("iterate") end end do emit(k) end
  return xpcall(function() error(coroutine.yield("in xpcall"), 0) end, function(m) return "<" .. m .. ">" end)
end)
local answer = co()
local step = 0
while step < 12 do
  step = step + 1
  emit("yielded", answer)
  local values = table.pack(co("v" .. step))
  answer = values[1]
  if values.n > 1 and type(answer) == "boolean" then emit(table.unpack(values)) break end
end

-- Yields across what may not.
emit(pcall(coroutine.wrap(function() table.sort({3, 2, 1}, function() coroutine.yield() end) end)))
emit(pcall(coroutine.wrap(function() string.gsub("x", "x", function() coroutine.yield() end) end)))
emit(coroutine.wrap(function() return pcall(tostring, setmetatable({}, {__tostring = coroutine.yield})) end)())

-- Closing.
local log = {}
local function closing(name, fails)
  return setmetatable({}, {__close = function(_, e)
    log[#log + 1] = name .. ":" .. tostring(e)
    if fails then error(fails, 0) end
  end})
end
co = coroutine.create(function()
  local a <close> = closing("a")
  local b <close> = closing("b", "b fails")
  coroutine.yield()
end)
coroutine.resume(co)
emit(coroutine.close(co))
emit(coroutine.status(co), table.concat(log, ","), coroutine.close(co))
log = {}
emit(pcall(coroutine.wrap(function()
  local a <close> = closing("a")
  local b <close> = closing("b", "instead")
  error("original", 0)
end)))
emit(table.concat(log, ","))
log = {}
local wrapped = coroutine.wrap(function()
  local a <close> = closing("a")
  coroutine.yield(1)
end)
emit(wrapped(), wrapped(), table.concat(log, ","))
emit(coroutine.close(coroutine.create(print)))
emit(pcall(coroutine.wrap(function() return coroutine.close((coroutine.running())) end)))

-- Error objects and positions through wrap.
emit(pcall(coroutine.wrap(function() error({}) end)))
emit(pcall(coroutine.wrap(function() error("text") end)))
emit(pcall(coroutine.wrap(function() error(nil) end)))
local inner = coroutine.wrap(function() error("deep") end)
emit(pcall(coroutine.wrap(function() inner() end)))

-- Deep and many.
local function nest(n) if n == 0 then return "bottom" end return coroutine.wrap(nest)(n - 1) end
emit(nest(100))
emit((select(2, pcall(nest, 1000)):gsub("^.-C stack overflow.*$", "C stack overflow")))
local count = 0
for _ = 1, 2000 do local c = coroutine.wrap(function() coroutine.yield() end) c() count = count + 1 end
collectgarbage()
emit(count)
emit(select("#", coroutine.wrap(function() return coroutine.yield(table.unpack({}, 1, 200)) end)()))
emit(pcall(coroutine.wrap(function() return table.unpack({}, 1, 1e7) end)))
return table.concat(out, "\n")
