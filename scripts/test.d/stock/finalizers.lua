setmetatable({}, {__gc = function() print("collected at exit") end})
local t = setmetatable({}, {__mode = "k"})
t[{}] = 1
collectgarbage()
print(next(t))
warn("@on")
warn("a ", "warning")
setmetatable({}, {__gc = function() error("in gc") end})
collectgarbage()
