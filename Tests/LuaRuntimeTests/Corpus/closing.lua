-- To-be-closed variables, finalizers, hooks.
local out = {}
local function emit(...)
  local t = table.pack(...)
  for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end
  out[#out + 1] = table.concat(t, " ", 1, t.n)
end
local function closing(name)
  return setmetatable({}, {__close = function(_, e) emit("close", name, e) end})
end

do
  local a <close> = closing("a")
  local b <close> = nil
  local c <close> = false
  local d <close> = closing("d")
end
emit(pcall(function() local a <close> = closing("error") error("oops", 0) end))
emit(pcall(function() local a <close> = {} end))
local function returns() local a <close> = closing("returns") return 1, 2, 3 end
emit(returns())
for i in (function() local n = 0 return function() n = n + 1 if n < 3 then return n end end, nil, nil, closing("for") end)() do
  emit("loop", i)
  if i == 2 then break end
end
local function tail() local a <close> = closing("tail") return (returns()) end
emit(tail())
emit(pcall(function()
  local a <close> = setmetatable({}, {__close = function(_, e) error("second over " .. e, 0) end})
  error("first", 0)
end))
local co = coroutine.wrap(function()
  local a <close> = setmetatable({}, {__close = function() coroutine.yield("while closing") emit("closed") end})
  coroutine.yield("inside")
  return "result"
end)
emit(co()) emit(co()) emit(co())

local order = {}
for i = 1, 3 do setmetatable({}, {__gc = function() order[#order + 1] = i end}) end
collectgarbage()
emit(table.concat(order, ","))
setmetatable({}, {__gc = function() error("in a finalizer") end})
emit(pcall(collectgarbage))
emit(coroutine.wrap(function()
  setmetatable({}, {__gc = function() order = {coroutine.isyieldable(), pcall(coroutine.yield)} end})
  collectgarbage()
  return order[1], order[2], order[3]
end)())

local lines = {}
debug.sethook(function(event, line) lines[#lines + 1] = event .. line end, "l")
local x = 1
x = x + 1
debug.sethook()
emit(table.concat(lines, ","))
emit(debug.gethook())
local calls = 0
debug.sethook(function() calls = calls + 1 end, "c")
tostring(1)
coroutine.wrap(function() tostring(2) end)()
debug.sethook()
emit(calls > 2)
local hooked = coroutine.create(function() local a = 1; local b = 2; coroutine.yield() local c = 3 end)
local seen = 0
debug.sethook(hooked, function() seen = seen + 1 end, "l")
coroutine.resume(hooked) coroutine.resume(hooked)
emit(seen > 0, debug.gethook(hooked) ~= nil)
emit(debug.getinfo(1, "S").what, debug.getinfo(1, "l").currentline, debug.getinfo(2, "S").what)
local function named() return debug.getinfo(1, "n").name, debug.getinfo(2, "l").currentline end
emit(named())
emit(debug.getlocal(1, 1))
emit(pcall(string.gsub, "abc", "%w", function(c) if c == "b" then error("in gsub", 0) end end))
local t = {5, 3, 1}
emit(pcall(table.sort, t, function(a, b) error("in sort", 0) end))
emit(pcall(table.sort, {1, 2, 3, 4, 5, 6, 7}, function() return true end))
emit(select(2, load(function() error("in reader", 0) end)))
emit(string.format("%q %5.2f %s %x", "a\0b\n", 3.14159, {} ~= nil, 255))
emit(math.maxinteger + 1 == math.mininteger, 7 // 2, -7 // 2, 7 % -3, 2^53, 1e15, 10 / 2, 3 | 4)
return table.concat(out, "\n")
