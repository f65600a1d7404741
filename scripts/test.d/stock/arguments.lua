#!/usr/bin/env lua5.4
print(#arg, arg[0]:match("[^/]*$"), ...)
for i = 1, #arg do print(i, arg[i]) end
print(arg[-1] ~= nil, select("#", ...))
print(debug.getinfo(1, "S").short_src:match("[^/]*$"), debug.getinfo(1, "l").currentline)
