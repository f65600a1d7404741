local function f() return 1 + f() end
local ok, e = pcall(f)
print(ok, #e > 0, e:match("stack overflow") ~= nil)
local function g(n) return coroutine.wrap(function() return g(n + 1) end)() end
local ok2, e2 = pcall(g, 1)
print(ok2, tostring(e2):match("C stack overflow") ~= nil)
print(pcall(string.rep, "x", 1 << 40))
local s = string.rep("(", 300) .. "1" .. string.rep(")", 300)
-- lua5.4 appends a traceback of its own message handler here: only the first line counts.
print((select(2, load("return " .. s)):match("^[^\n]*")))
