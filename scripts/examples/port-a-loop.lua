-- A loop of bash becomes a sweep; the job script stays as it was. Before:
--
--   for c in 0.1 0.2 0.5 1 2; do
--     sed "s/@damping@/$c/g" port-a-loop.sh > job-$c.sh
--     pjsub job-$c.sh
--   done
--   # … look at pjstat, wait, submit the lost ones again by hand …
--   cat energy-*.txt
--
--   hpc --sim scripts/examples/port-a-loop.lua
local s = hpc.sweep{
  name = "port-a-loop",
  space = hpc.grid{ damping = { 0.1, 0.2, 0.5, 1, 2 } },
  script = "port-a-loop.sh",
  markers = { "@", "@" }, -- its places are @damping@; its own #PJM lines count
  outputs = { "energy-@damping@.txt" },
  result = function(p, files)
    return { energy = tonumber(files["energy-" .. p.damping .. ".txt"]) }
  end,
}
assert(s:run())
hpc.show(s:results(), { "damping", "energy" })
