-- An adaptive search is a plain loop: each s:eval runs one point, or finds it in the journal.
-- Here: the load at which a beam's deflection reaches 10 mm, by bisection.
--   hpc --sim scripts/examples/adaptive.lua
local s = hpc.sweep{
  name = "adaptive",
  script = [[
#!/bin/sh
# Stands for an hour of finite elements.
awk -v load={{load}} 'BEGIN { printf "%.6f\n", 0.2 * load + 0.003 * load ^ 2 }' > deflection.txt
]],
  resources = { node = 1, elapse = "5m" },
  outputs = { "deflection.txt" },
  result = function(_, files) return { mm = tonumber(files["deflection.txt"]) } end,
}

local low, high, limit = 0, 64, 10
while high - low > 4 do
  local load = (low + high) / 2
  local row = assert(s:eval{ load = load })
  print(("load %5.1f kN: %6.3f mm"):format(load, row.mm))
  if row.mm < limit then
    low = load
  else
    high = load
  end
end
print(("10 mm are reached between %g and %g kN"):format(low, high))

-- What was evaluated once is never run again: the journal answers.
assert(s:eval{ load = 32.0 }.attempts == 1)
