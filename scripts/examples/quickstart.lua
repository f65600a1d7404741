-- The first five minutes on the simulator: three real job scripts, submitted, watched, and read.
--   hpc --sim scripts/examples/quickstart.lua
local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- A job takes no parameters through the service: each script carries its own, and goes to a folder
-- in home on the machine.
local here = os.tmpname()
local sides = { 100, 200, 400 }
local scripts = {}
for i, side in ipairs(sides) do
  scripts[i] = "quickstart/pi-" .. side .. ".sh"
  write(here, string.format([[
#!/bin/sh
#PJM -L "node=1,elapse=00:30:00"
#PJM -N pi-%d
sleep %d
awk -v n=%d 'BEGIN {
  for (x = 0; x < n; x++) for (y = 0; y < n; y++)
    if ((x+.5)^2 + (y+.5)^2 < n*n) hits++
  printf "%%d x %%d points: pi is about %%.5f\n", n, n, 4 * hits / (n * n)
}' > quickstart/pi-%d.txt
]], side, i, side, side))
  hpc.push(here, scripts[i])
end

print("Submitting " .. table.concat(scripts, ", ") .. " …")
local jobs = hpc.map(scripts, hpc.jobs.submit)
for _, job in ipairs(jobs) do
  print("accepted as job " .. job.id)
end

-- The table of jobs each time that something moved; jobs that ended leave it.
local before
repeat
  local now = hpc.jobs.list()
  local states = {}
  for i, job in ipairs(now) do
    states[i] = job.id .. job.state
  end
  states = table.concat(states, " ")
  if states ~= before then
    before = states
    print()
    if #now > 0 then
      hpc.show(now, { "id", "name", "state", "nodes", "elapsed", "limit" })
    else
      print("No job is listed any more: the service forgets a job when it ends.")
    end
  end
  hpc.sleep(0.1)
until #now == 0

print("\nWhat they wrote:")
for _, side in ipairs(sides) do
  hpc.pull("quickstart/pi-" .. side .. ".txt", here)
  for line in io.lines(here) do
    print("  " .. line)
  end
end
os.remove(here)
