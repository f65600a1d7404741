local t = {}
local function f() return t.a.b end
local co = coroutine.wrap(function() f() end)
co()
