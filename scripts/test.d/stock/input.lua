for line in io.lines() do io.write("<", line, ">\n") end
print(io.read("a") == "", io.read("l"), io.type(io.stdin), io.type(42))
io.stderr:write("to stderr\n")
local name = os.tmpname()
local f = assert(io.open(name, "w"))
f:write("1 2.5 0x10\nrest\n"):close()
for a, b, c, d in io.lines(name, "n", "n", "n", "l") do print(a, b, c, d) break end
print(io.open("/nonexistent/file"))
print(pcall(io.lines, "/nonexistent/file"))
os.remove(name)
print(os.rename("/nonexistent/a", "/nonexistent/b"))
print(os.time({year = 2026, month = 1, day = 2, hour = 12}) - os.time({year = 2026, month = 1, day = 1, hour = 12}))
print(os.getenv("NO_SUCH_VARIABLE"), os.execute("exit 3"))
local p = io.popen("echo popen") print(p:read("a"), p:close())
