-- Strong scaling: the same problem on 1 to 64 nodes, resources as a function of the point.
--   hpc --sim scripts/examples/scaling.lua
local s = hpc.sweep{
  name = "scaling",
  space = hpc.grid{ nodes = { 1, 2, 4, 8, 16, 32, 64 } },
  script = "scaling.sh",
  outputs = { "time.txt" },
  -- Half an hour on one node; more nodes need less, but never less than two minutes.
  resources = function(p, attempt)
    return { node = p.nodes, elapse = math.max(120, 1800 // p.nodes) * attempt,
      mpi = 48 * p.nodes }
  end,
  result = function(_, files) return { time = tonumber(files["time.txt"]) } end,
  -- The simulator has no solver: a stand-in obeys Amdahl's law with 2 % that stay serial.
  sim = {
    run = [[
#!/bin/sh
awk -v n="$nodes" 'BEGIN { printf "%.2f\n", 900 * (0.02 + 0.98 / n) }' > time.txt
]],
    seconds = 10,
  },
}
assert(s:run())

local rows = s:results()
local one = rows[1].time
print("nodes     time  speedup  efficiency")
for _, row in ipairs(rows) do
  local speedup = one / row.time
  print(("%5d  %7.1f  %7.2f  %9.0f %%"):format(
    row.nodes, row.time, speedup, 100 * speedup / row.nodes))
end
local best = rows[1]
for _, row in ipairs(rows) do
  if one / row.time / row.nodes >= 0.5 then
    best = row
  end
end
print(("more than %d nodes waste half of what they cost"):format(best.nodes))
