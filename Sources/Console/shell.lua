-- The subcommands that do from a shell what the hpc table does in Lua. Called with the command,
-- its words, its options and what prints rows; answers the exit status.
local command, words, options, print_rows = ...
local format = options.format

local columns = {
  jobs = { "id", "name", "state", "user", "group", "queue", "nodes", "elapsed", "limit" },
  cancel = { "id", "outcome", "message" },
  wait = { "id", "name", "state", "exit_code", "pjm_code", "evidence", "age" },
  push = { "path", "size", "outcome", "reason" },
  pull = { "path", "size", "outcome", "reason" },
}

local function emit(rows)
  local names = columns[command]
  if format == "json" then
    local plain = {}
    for i, row in ipairs(rows) do
      plain[i] = {}
      for _, name in ipairs(names) do
        plain[i][name] = row[name]
      end
    end
    rows = plain
  end
  print_rows(format, rows, names, names)
end

local function jobs()
  emit(hpc.jobs.list({ state = options.state, name = options.name }))
  return 0
end

local function cancel()
  local rows = hpc.jobs.cancel(words)
  local status = 0
  for _, row in ipairs(rows) do
    if row.error then
      row.message = tostring(row.error)
      status = 1
    end
  end
  emit(rows)
  return status
end

-- 0: all have ended and none is known to have failed; 1: one failed or never was, or the time was
-- over.
local function wait()
  local how = { interval = options.interval, timeout = options.timeout }
  local list, timeout = hpc.jobs.wait(words, how)
  local bad = { failed = true, cancelled = true, rejected = true }
  local status = 0
  for _, job in ipairs(list) do
    job.age = job.age - job.age % 0.1
    if not job.name and job.sweep then
      job.job_name = job.sweep .. " " .. job.point
    end
    if job.never_seen then
      job.state, job.evidence = "unknown", "never seen"
      hpc.log.error(job.observation)
    end
    if job.never_seen or bad[job.state] then
      status = 1
    end
  end
  emit(list)
  if timeout then
    hpc.log.error("the time was over before all jobs had ended")
    return 1
  end
  return status
end

-- 0: everything is there; 1: single files could not be transferred, each named on stderr. A table
-- would repeat what is known: a terminal gets one line, --csv the rows, --json the whole report.
local function transfer(move)
  local how = { only = options.only, force = options.force }
  local ok, report = pcall(move, words[1], words[2], how)
  if not ok then
    if type(report) ~= "table" or not report.report then
      error(report, 0)
    end
    for _, row in ipairs(report.report.rows) do
      if row.outcome == "failed" then
        hpc.log.error(row.path .. ": " .. row.reason)
      end
    end
    report = report.report
  end
  if format == "json" then
    hpc.json.array(report.rows)
    print(hpc.json.encode(report))
  elseif format == "csv" then
    emit(report.rows)
  else
    print(report)
  end
  return ok and 0 or 1
end

local function push()
  return transfer(hpc.push)
end

local function pull()
  return transfer(hpc.pull)
end

local commands = { push = push, pull = pull, jobs = jobs, cancel = cancel, wait = wait }
return commands[command]()
