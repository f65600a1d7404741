-- Three jobs, each on the outputs of the one before; these stay on the machine between them.
--   hpc --sim scripts/examples/chain.lua
local day = os.getenv("DAY") or "today" -- nightly work puts a date into its names

local mesh = assert(hpc.run{
  name = "mesh-" .. day,
  resources = { node = 1, elapse = "10m" },
  outputs = { "mesh.dat" },
  script = [[
#!/bin/sh
awk 'BEGIN { for (i = 0; i <= 100; i++) print i / 100 }' > mesh.dat
]],
})

local relax = assert(hpc.run{
  name = "relax-" .. day,
  resources = { node = 4, elapse = "1h" },
  inputs = { mesh:output("mesh.dat") },
  outputs = { "field.dat" },
  script = [[
#!/bin/sh
awk '{ x = $1; print x, x * (1 - x) }' mesh.dat > field.dat
]],
})

local report = assert(hpc.run{
  name = "report-" .. day,
  resources = { node = 1, elapse = "5m" },
  inputs = { ["data/field.dat"] = relax:output("field.dat") },
  outputs = { "report.json" },
  script = [[
#!/bin/sh
awk '{ sum += $2; if ($2 > max) max = $2 }
  END { printf "{\"points\": %d, \"mean\": %.4f, \"max\": %.4f}\n", NR, sum / NR, max }' \
  data/field.dat > report.json
]],
  result = function(_, files) return hpc.json.decode(files["report.json"]) end,
})

print(("%d points, mean %.4f, maximum %.4f"):format(report.points, report.mean, report.max))
print(("jobs %d, %d, %d"):format(mesh.job_id, relax.job_id, report.job_id))
