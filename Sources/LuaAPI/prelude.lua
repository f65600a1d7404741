-- What of the hpc table is easier said in Lua; called once with the table and the functions that
-- only this file uses. Options have been checked against the API spec before they come here.
local hpc, native = ...
local jobs = hpc.jobs
local is_yieldable = coroutine.isyieldable

-- A glob (`*`, `?`, `[a-z]`, `[!a-z]`) as a pattern; a literal beyond ten characters loses its
-- tail, because the service cuts job names.
local function glob(text, limit)
  if limit and not text:find("[*?%[]") then
    text = text:sub(1, limit)
  end
  local pattern, at = "^", 1
  while at <= #text do
    local char = text:sub(at, at)
    local body, close = text:match("^%[([!^]?[^%]][^%]]*)%]()", at)
    if body then
      local negated = body:find("^[!^].")
      local set = body:sub(negated and 2 or 1):gsub("[%%%^%[]", "%%%0")
      pattern, at = pattern .. (negated and "[^" or "[") .. set .. "]", close
    else
      pattern = pattern .. (char == "*" and ".*" or char == "?" and "." or char:gsub("%W", "%%%0"))
      at = at + 1
    end
  end
  return pattern .. "$"
end

function native.list(options)
  local all = native.fetch_list(options)
  for i = 1, #all do
    local kind = type(all[i]) == "table" and getmetatable(all[i])
    if not kind or kind.__name ~= "Job" then
      native.no_jobs()
    end
  end
  if not options or not (options.state or options.name or options.where) then
    return all
  end
  local states
  if options.state then
    states = {}
    for _, state in ipairs(type(options.state) == "table" and options.state or { options.state }) do
      states[state] = true
    end
  end
  local pattern = options.name and glob(options.name, 10)
  local sweep = options.name and glob(options.name)
  local kept = native.job_array()
  for _, job in ipairs(all) do
    if (not states or states[job.state] or states[job.status])
      and (not pattern or (job.name or ""):find(pattern) or (job.sweep or ""):find(sweep))
      and (not options.where or options.where(job)) then
      kept[#kept + 1] = job
    end
  end
  return kept
end

function native.cancel(what, options)
  local is_one = native.is_one_job(what)
  local ids, told = {}, {}
  for i, job in ipairs(is_one and { what } or what) do
    ids[i] = native.id_of(job)
  end
  for _, id in ipairs(native.tell_sweeps(ids)) do
    told[id] = true
  end
  if is_one then
    if not told[ids[1]] then
      native.cancel_one(what, options)
    end
    return
  end
  local function cancel(id)
    local ok, err = pcall(told[id] and type or native.cancel_one, id, options)
    if ok then
      return { id = id, outcome = "accepted" }
    end
    -- Neither an unknown address nor a page of a gateway says so of a job.
    local gone = type(err) == "table" and err.message:find("^no job ")
    return { id = id, outcome = gone and "not found" or "failed", error = err }
  end
  if is_yieldable() then
    return hpc.map(ids, cancel)
  end
  -- Within a comparator and the like: one after the other.
  for i, id in ipairs(ids) do
    ids[i] = cancel(id)
  end
  return ids
end

-- Whatever the answer lacks is forgotten, so that nothing old looks new, unless it `keeps`.
local function update(job, now, keeps)
  for key in next, keeps and {} or job do
    job[key] = nil
  end
  for key, value in next, now do
    job[key] = value
  end
  return setmetatable(job, getmetatable(now))
end

function native.job_refresh(job)
  return update(job, jobs.get(job))
end

native.job_cancel = native.cancel

-- A job that is shown no more stays as it was last seen, but for its end; so does one that no list
-- has shown yet, but for what is known of it.
function native.job_wait(job, options)
  local now, timeout = jobs.wait(job, options)
  local keeps = now.state == "gone" or now.evidence == "an earlier answer"
  return now.evidence == "none" and job or update(job, now, keeps), timeout
end

function native.job_text(job)
  local text = "job " .. tostring(job.id)
  for _, name in ipairs({ "name", "state", "elapsed" }) do
    local value = job[name]
    if value and not (name == "state" and not job.status and value == "unknown") then
      text = text .. "  " .. (name == "elapsed" and value .. " s" or native.printable(value))
    end
  end
  return text
end

-- The wire's own names, one spelling of each, then the short names.
function native.job_pairs(job)
  local fields, n = {}, 0
  for key, value in next, job do
    local name = native.spelling(key)
    if rawget(job, name) == nil or name == key then
      n = n + 1
      fields[n] = { name, value }
    end
  end
  for _, name in ipairs(native.short_names) do
    local value = rawget(job, name) == nil and job[name]
    if value then
      n = n + 1
      fields[n] = { name, value }
    end
  end
  local i = 0
  return function()
    i = i + 1
    if fields[i] then
      return fields[i][1], fields[i][2]
    end
  end
end

local make_table
function native.table_text(rows, columns)
  make_table = make_table or native.load_tables(native)
  return make_table(rows, columns)
end

function native.show(rows, columns)
  print(native.table_text(rows, columns))
end

function native.watch(options)
  native.watch_screen(hpc, options or {})
end
