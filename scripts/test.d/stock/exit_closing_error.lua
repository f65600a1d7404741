-- What is no status is an error like others; a finalizer may end the program too.
for _, code in ipairs {"x", {}, 3.5} do print(pcall(os.exit, code, true)) end
print(pcall(function() os.exit("y") end))
kept = setmetatable({}, {__gc = function() print("collected") os.exit(5, true) end})
