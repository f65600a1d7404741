-- What of the hpc table is easier said in Lua; called once with the table and the functions that
-- only this file uses. Options have been checked against the API spec before they come here.
local hpc, native = ...
local jobs = hpc.jobs

-- A glob (`*`, `?`, `[a-z]`) as a pattern; a literal beyond ten characters loses its tail, because
-- the service cuts job names.
local function glob(text, limit)
  if limit and not text:find("[*?%[]") then
    text = text:sub(1, limit)
  end
  local pattern = text:gsub("[%^%$%(%)%%%.%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return "^" .. pattern:gsub("%[!", "[^") .. "$"
end

function native.list(options)
  local all = native.fetch_list(options)
  for i = 1, #all do
    if type(all[i]) ~= "table" then
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
  return hpc.map(ids, function(id)
    local ok, err = pcall(told[id] and type or native.cancel_one, id, options)
    if ok then
      return { id = id, outcome = "accepted" }
    end
    local gone = type(err) == "table" and err.status == 404
    return { id = id, outcome = gone and "not found" or "failed", error = err }
  end)
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

-- A job that is shown no more stays as it was last seen, but for its end.
function native.job_wait(job, options)
  local now, timeout = jobs.wait(job, options)
  return now.evidence == "none" and job or update(job, now, now.state == "gone"), timeout
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

local function cell(value)
  local is_float = math.type(value) == "float"
  return is_float and string.format("%.6g", value) or value == nil and "" or tostring(value)
end

-- Rows as an aligned text. Without columns: the keys of all rows, numbers first, then by name;
-- for jobs what pjstat shows.
function native.table_text(rows, columns)
  local kind = getmetatable(rows)
  kind = type(kind) == "table" and kind or {}
  rows = rows[1] == nil and kind.record and { rows } or rows
  if not columns and rows[1] == nil then
    return kind.footer and "(none)\n" .. kind.footer or "(none)"
  end
  columns = columns or kind.columns
  if not columns and native.is_job(rows[1]) then
    columns = native.job_columns
    for _, job in ipairs(rows) do
      if job.sweep then
        columns = { table.unpack(columns) }
        columns[#columns + 1], columns[#columns + 2] = "sweep", "point"
        break
      end
    end
  elseif not columns then
    local seen = {}
    columns = {}
    for _, row in ipairs(rows) do
      for key in pairs(row) do
        if not seen[key] then
          seen[key] = true
          columns[#columns + 1] = key
        end
      end
    end
    table.sort(columns, function(a, b)
      if type(a) == type(b) then
        return a < b
      end
      return type(a) == "number"
    end)
  end
  local headers, cells, right = {}, {}, {}
  for c, column in ipairs(columns) do
    headers[c] = tostring(column)
    right[c] = #rows > 0
  end
  for r, row in ipairs(rows) do
    cells[r] = {}
    for c, column in ipairs(columns) do
      local value = row[column]
      if value ~= nil and type(value) ~= "number" then
        right[c] = false
      end
      cells[r][c] = cell(value)
    end
  end
  local text = native.layout(headers, cells, right)
  return kind.footer and text .. "\n" .. kind.footer or text
end

function native.show(rows, columns)
  print(native.table_text(rows, columns))
end

function native.watch(options)
  native.watch_screen(hpc, options or {})
end
