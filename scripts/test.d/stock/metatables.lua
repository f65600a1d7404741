local mt = {}
mt.__add = function(a, b) return "add" end
mt.__concat = function(a, b) return "cat" end
mt.__eq = function() return true end
mt.__lt = function() return true end
mt.__le = function() return false end
mt.__len = function() return 42 end
mt.__call = function(self, ...) return select("#", ...) end
mt.__tostring = function() return "me" end
mt.__name = "Thing"
mt.__pairs = function(t) return function(_, k) if not k then return 1, "one" end end, t, nil end
local a, b = setmetatable({}, mt), setmetatable({}, mt)
print(a + 1, a .. "x", a == b, a < b, a <= b, #a, a(1, nil), tostring(a))
for k, v in pairs(a) do print(k, v) end
print(pcall(function() return a & 1 end))
print(pcall(function() local x; x.y = 1 end))
print(pcall(function() return nothing.field end))
print(pcall(function() return ("x").y.z end))
print(pcall(setmetatable, setmetatable({}, {__metatable = "locked"}), {}))
print(rawlen({1, 2}), rawequal(a, b), rawget(a, 1))
setmetatable(_G, {__index = function(_, k) return "global " .. k end})
print(undefined)
local gc = 0
for i = 1, 100 do setmetatable({}, {__gc = function() gc = gc + 1 end}) end
collectgarbage() collectgarbage()
print(gc, collectgarbage("count") > 0, collectgarbage("step"), collectgarbage("isrunning"))
