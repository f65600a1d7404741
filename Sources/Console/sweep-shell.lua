-- `hpc sweep COMMAND NAME …`: what the journal alone can tell and do. Called with the command, its
-- words, its options and what prints rows; answers the exit status.
local command, words, options, emit = ...
local format = options.format
local name = table.remove(words, 1)

local function emit_one(value, text)
  print(format == "json" and hpc.json.encode(value) or text or value)
  return 0
end

local function numbers(text)
  if not text then
    return nil
  end
  local list = {}
  for word in text:gmatch("[^,%s]+") do
    local number = math.tointeger(tonumber(word))
    if not number then
      error("--points takes numbers, such as 3,7,12; got '" .. word .. "'", 0)
    end
    list[#list + 1] = number
  end
  return list
end

local commands = {}

function commands.list()
  local rows = hpc.sweep()
  if format == "table" and #rows == 0 then
    print("no sweeps on this computer yet")
    return 0
  end
  return emit(format, rows, getmetatable(rows).all_columns)
end

function commands.status()
  local status = hpc.sweep(name):status()
  if format == "csv" then
    print("state,points")
    for state, count in pairs(status.counts or {}) do
      print(state .. "," .. count)
    end
    return 0
  end
  return emit_one(status)
end

function commands.results()
  local rows = hpc.sweep(name):results({ state = options.state, all = options.all })
  return emit(format, rows, getmetatable(rows).all_columns)
end

-- Without a number: the first failed point, else one that has written something.
local function point_of_logs(sweep)
  local failed = sweep:results({ state = "failed" })[1]
  if failed then
    hpc.log.info("the first failed one: " .. tostring(failed))
    return failed.point
  end
  local shown
  for _, row in ipairs(sweep:results({ all = true })) do
    if row.job_id and (not shown or shown.state == "done" and row.state ~= "done") then
      shown = row
    end
  end
  if not shown then
    error("no point of " .. name .. " failed, and none has a job yet: there is nothing to show", 0)
  end
  hpc.log.info("no point of " .. name .. " failed; this is " .. tostring(shown)
    .. ", others: hpc sweep logs " .. name .. " POINT")
  return shown.point
end

function commands.logs()
  local sweep = hpc.sweep(name)
  local point = math.tointeger(tonumber(words[1]))
  if words[1] and not point then
    error("a point has a number: see hpc sweep results " .. name .. " --all", 0)
  end
  point = point or point_of_logs(sweep)
  local logs = sweep:logs(point)
  if logs.stdout == "" and logs.stderr == "" and format ~= "json" then
    hpc.log.info("point " .. point .. " has written nothing to stdout and stderr")
    return 0
  end
  return emit_one(logs)
end

function commands.retry()
  local resources
  for _, key in ipairs({ "elapse", "node", "rscgrp", "group" }) do
    if options[key] then
      resources = resources or {}
      resources[key] = options[key]
    end
  end
  local count = hpc.sweep(name):retry({
    cause = options.cause, points = numbers(options.points), resources = resources,
  })
  local text = count == 0 and "no point to retry"
    or count .. (count == 1 and " point is" or " points are")
      .. " to run again: run the sweep's Lua file, or hpc sweep step FILE.lua"
  return emit_one({ retried = count }, text)
end

function commands.cancel()
  local sweep = hpc.sweep(name)
  local count = sweep:cancel(numbers(options.points))
  local text = count == 0 and "nothing to cancel"
    or "cancelled " .. count .. (count == 1 and " point" or " points")
  local ending = 0
  for _, state in ipairs({ "submitted", "running", "blocked" }) do
    ending = ending + (sweep:status().counts[state] or 0)
  end
  if ending > 0 then
    text = text .. "; jobs of " .. ending .. " are ending: the next run or step settles them"
  end
  return emit_one({ cancelled = count, ending = ending }, text)
end

return commands[command]()
