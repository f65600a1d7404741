-- The main chunk's variables see the error as the message handler of lua.c has made it.
local a <close> = setmetatable({}, {__close = function(_, e) print("a", type(e), e) end})
local b <close> = setmetatable({}, {__close = function(_, e)
  print("b", type(e), e)
  error(setmetatable({}, {__tostring = function() print("once") return "as text" end}))
end})
local c <close> = setmetatable({}, {__close = function(_, e) print("c", type(e), e) error("in c\0d") end})
error({})
