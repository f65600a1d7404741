io.write("no newline")
setmetatable({}, {__gc = function() print("finalizer") end})
os.exit(7)
