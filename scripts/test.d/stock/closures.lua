local function counter()
  local n = 0
  return function() n = n + 1; return n end
end
local a, b = counter(), counter()
print(a(), a(), b(), a())
for i = 1, 3 do
  local x <const> = i * i
  goto next
  ::next::
  print(x)
end
do
  local guard <close> = setmetatable({}, {__close = function(_, e) print("closed", e) end})
  print("inside")
end
print(pcall(function()
  local guard <close> = setmetatable({}, {__close = function(_, e) print("closed", e) end})
  error({code = 7})
end))
print(select("#", table.unpack({1, nil, 3}, 1, 3)))
