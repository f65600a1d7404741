-- require and package as stock Lua has them.
local out = {}
local function emit(...)
  local t = table.pack(...)
  for i = 1, t.n do t[i] = tostring(t[i]):gsub("0x%x+", "ADDRESS") end
  out[#out + 1] = table.concat(t, " ", 1, t.n)
end

package.preload.plain = function(...) emit("loading", ...) return {name = "plain"} end
local a, data = require("plain")
emit(a.name, data, require("plain") == a, select("#", require("plain")), package.loaded.plain == a)
package.preload.nothing = function() end
emit(require("nothing"))
emit(require("nothing"))
package.preload.falsy = function() return false end
emit(require("falsy"))
emit(require("falsy"))
package.preload.sets = function(name) package.loaded[name] = "set by itself" end
emit(require("sets"))
package.preload.fails = function() error("module broken") end
emit(pcall(require, "fails"))
emit(pcall(require, "fails"))
package.preload.fails = function() return "mended" end
emit(require("fails"))
package.preload.traced = function() return (debug.traceback("in module")) end
emit((require("traced")))

package.path = "/nonexistent/?.lua;/nowhere/?/init.lua"
package.cpath = "/nonexistent/?.so"
emit(pcall(require, "absent"))
emit(pcall(require, "absent.sub"))
emit(pcall(require))
emit(pcall(require, {}))
emit(pcall(require, 12))
local searchers = package.searchers
package.searchers = nil
emit(pcall(require, "x"))
package.searchers = {
  function(name) if name == "found" then return function(...) return table.concat({...}, "+") end, "extra" end end,
  function(name) return "\n\tno luck with " .. name end,
  function() return nil end,
  function() return 42 end,
}
emit(require("found"))
emit(pcall(require, "lost"))
package.searchers = {function() error("searcher broken") end}
emit(pcall(require, "lost"))
package.searchers = searchers

package.preload.first = function() emit("first begins") local second = require("second") return "first+" .. second end
package.preload.second = function() emit("second begins") return "second" end
emit(require("first"))
local depth = 0
package.preload.loop = function()
  depth = depth + 1
  if depth < 5 then return "around " .. require("loop") end
  return "stop"
end
emit(require("loop"))
local name = os.tmpname()
local file = assert(io.open(name, "w"))
file:write("local name, path = ... return {name = name, same = path == '", name, "', level = debug.traceback('', 1):match('in main chunk')}")
file:close()
package.path = name
local module, path = require("anything")
emit(module.name, module.same, path == name)
os.remove(name)
emit(package.searchpath("x", "/a/?;/b/?"))
emit(package.config)
return table.concat(out, "\n")
