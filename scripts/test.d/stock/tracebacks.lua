local function inner() print(debug.traceback("here", 1)) end
local function outer() inner() end
outer()
print(xpcall(function() local x = nil; return x.y end, debug.traceback))
print(xpcall(error, function(m) return "handled " .. tostring(m) end, "e"))
print(select(2, xpcall(function() error() end, function(m) return type(m) end)))
local co = coroutine.create(function() local v = 5; coroutine.yield(v) end)
coroutine.resume(co)
print(debug.traceback(co))
print(debug.getlocal(co, 1, 1))
