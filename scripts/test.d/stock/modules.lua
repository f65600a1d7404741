package.preload.made = function(...) print("loading", ...) return {v = 1} end
print(require("made").v, select(2, require("made")))
print(package.loaded.made.v)
local ok, e = pcall(require, "no.such.module")
print(ok, e:match("^[^\n]*"))
print(package.config:sub(1, 1), #package.searchers, type(package.searchpath))
print(package.searchpath("no.such", "./?.lua;./?/init.lua"))
