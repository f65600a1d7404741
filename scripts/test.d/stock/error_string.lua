local function deep(n) if n == 0 then error("the message") end deep(n - 1) end
print("before")
deep(3)
