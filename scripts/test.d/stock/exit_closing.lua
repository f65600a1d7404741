-- os.exit(code, true): nothing catches it, the main chunk's variables are closed, innermost first, with
-- no error; those of other coroutines are not.
local function closing(name, body)
  return setmetatable({}, {__close = function(_, message)
    print("closing", name, message)
    if body then body() end
  end})
end
kept = setmetatable({}, {__gc = function() print("collected", pcall(coroutine.yield)) end})
local outer <close> = closing("outer")
local failing <close> = closing("failing", function() error("while closing") end)
local asking <close> = closing("asking", function() os.exit(23, true) end)
print(xpcall(function()
  local inner <close> = closing("inner", function() print(coroutine.running()) end)
  print(pcall(table.sort, {3, 2, 1}, function()
    coroutine.wrap(function()
      local lost <close> = closing("lost")
      pcall(os.exit, 7, true)
      print("not reached")
    end)()
  end))
end, function() print("no handler") end))
print("not reached")
