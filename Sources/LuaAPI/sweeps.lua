-- What of sweeps is easier said in Lua: points, rows, files, tables and CSV. Loaded at the first
-- sweep with the hpc table and the functions that only this file uses.
local hpc, native = ...
local open, rename, remove, getinfo = io.open, os.rename, os.remove, debug.getinfo
-- A call in tail position leaves no trace of its file: then the script's own counts.
local script = native.script
local module = {}

-- Makes tables of parameters that note which names are read.
function module.tracker(note)
  local seen = {}
  local function read(name)
    if not seen[name] then
      seen[name] = true
      note(name)
    end
  end
  local function all(values)
    for name in next, values do
      read(name)
    end
    return values
  end
  return function(values)
    return setmetatable({}, {
      __name = "Point",
      __index = function(_, name)
        local value = values[name]
        if value ~= nil then
          read(name)
        end
        return value
      end,
      __newindex = function(_, name)
        error("a point cannot be changed: see '" .. tostring(name) .. "'", 2)
      end,
      __pairs = function()
        return next, all(values), nil
      end,
      -- For hpc.json.encode, hpc.render, hpc.space.list and their like.
      __jsonvalue = function()
        return all(values)
      end,
      __tostring = function()
        return hpc.json.encode(values)
      end,
    })
  end
end

-- The places of points in the order that a function gives; equal ones stay as they are.
function module.sorted(points, before)
  local places = {}
  for i = 1, #points do
    places[i] = i
  end
  table.sort(places, function(a, b)
    if a == b then
      return false
    end
    if before(points[a], points[b]) then
      return true
    end
    return not before(points[b], points[a]) and a < b
  end)
  return places
end

-- Files -----------------------------------------------------------------------------------------

local file_methods = {}
local files_type = { __name = "Files" }
local about = setmetatable({}, { __mode = "k" })

function files_type.__index(files, name)
  if file_methods[name] then
    return file_methods[name]
  end
  local known = about[files]
  if name == "stdout" or name == "stderr" then
    return known.log(name)
  end
  if not known.set[name] then
    return nil
  end
  local file = assert(open(known.folder .. "/" .. name, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

function files_type.__pairs(files)
  local known, i = about[files], 0
  return function()
    i = i + 1
    local name = known.names[i]
    if name then
      return name, files[name]
    end
  end
end

function files_type.__len(files)
  return #about[files].names
end

function files_type.__tostring(files)
  local known = about[files]
  return #known.names == 0 and "(no files)" or table.concat(known.names, "  ")
end

-- Path on this computer of one of the files, nil for a name that is none.
function file_methods.path(files, name)
  local known = about[files]
  return known.set[name] and known.folder .. "/" .. name or nil
end

-- Their names.
function file_methods.names(files)
  return { table.unpack(about[files].names) }
end

local function make_files(folder, names, log)
  local files, set = setmetatable({}, files_type), {}
  for _, name in ipairs(names) do
    set[name] = true
  end
  about[files] = { folder = folder, names = names, set = set, log = log }
  return files
end

-- Runs a result function; what it gives as JSON text.
function module.call_result(result, parameters, folder, names, log)
  local value = result(parameters, make_files(folder, names, log))
  if value == nil then
    return nil
  end
  local ok, text = pcall(hpc.json.encode, value)
  if ok then
    return text
  end
  -- The encoder names kind and key; what it does not know is what a row can hold.
  text = tostring(text):gsub("^hpc%.sweeps:%d+: ", ""):gsub("^cannot encode ", "")
  local what = text:find("^nan:") or text:find("^inf:")
  error("the result cannot be saved: " .. text .. ". " .. (what and
    'Leave it out (nil), or save it as text: tostring(x)' or
    "A row holds numbers, strings, booleans, and tables of these"), 0)
end

-- Rows ------------------------------------------------------------------------------------------

local row_type = { __name = "Row" }
local row_methods = {}

function row_type.__index(row, key)
  if row_methods[key] then
    return row_methods[key]
  end
  local known = about[row]
  if key == "parameters" then
    return known.parameters
  elseif key == "files" then
    known.made = known.made or make_files(known.folder, known.files, known.log)
    return known.made
  end
end

-- An output as an input of another run: linked on the machine, not moved through here.
function row_methods.output(row, name)
  local known = about[row]
  local path = known.remote and known.set_of_files()[name] and known.remote .. "/" .. name
  if not path then
    local has = #known.files > 0 and ("it has " .. table.concat(known.files, ", "))
      or "a row has outputs once it is done"
    error("this row has no output '" .. tostring(name) .. "': " .. has, 2)
  end
  return setmetatable({ path = path, name = name }, native.output_type)
end

native.output_type = {
  __name = "Output",
  __tostring = function(output)
    return "output " .. output.path
  end,
}

local bookkeeping = {
  "state", "attempts", "job_id", "exit_code", "cause", "nodes", "seconds", "node_hours", "dir",
  "result_error",
}
-- What a row may have beside parameters, whether it has it or not.
local taken = { files = true, parameters = true }
for _, name in ipairs(bookkeeping) do
  taken[name] = true
end

local function text_of(value)
  if math.type(value) == "float" then
    return string.format("%.6g", value)
  end
  return tostring(value)
end

function row_type.__tostring(row)
  local known = about[row]
  local parts = { "point " .. row.point .. " " .. row.state }
  if row.cause then
    parts[1] = parts[1] .. " (" .. row.cause .. ")"
  end
  for _, name in ipairs(known.names) do
    parts[#parts + 1] = name .. "=" .. text_of(row[name])
  end
  for _, name in ipairs(known.fields) do
    parts[#parts + 1] = name .. "=" .. text_of(row[name])
  end
  if known.simulated then
    parts[#parts + 1] = "SIMULATED"
  end
  return table.concat(parts, "  ")
end

-- Makes a row of what the journal says: parameters first, then the sweep's own fields, then those
-- of the result, which give way as `result.NAME`.
function module.row(raw, names, log, simulated)
  local row, fields = { point = raw.point }, {}
  for name, value in next, raw.parameters do
    row[name] = value
  end
  for _, name in ipairs(bookkeeping) do
    if row[name] == nil then
      row[name] = raw[name]
    end
  end
  if raw.result ~= nil then
    local result = hpc.json.decode(raw.result)
    local is_fields = type(result) == "table" and not raw.result:find("^%s*%[")
    for name, value in next, is_fields and result or { value = result } do
      if row[name] ~= nil or row_methods[name] or taken[name] then
        name = "result." .. name
      end
      row[name] = value
      fields[#fields + 1] = name
    end
    table.sort(fields)
  end
  local set
  about[row] = {
    parameters = raw.parameters, names = names, fields = fields, files = raw.files,
    folder = raw.dir, remote = raw.remote, simulated = simulated,
    log = function(stream)
      return log(raw.point, stream)
    end,
    set_of_files = function()
      if not set then
        set = {}
        for _, name in ipairs(raw.files) do
          set[name] = true
        end
      end
      return set
    end,
  }
  return setmetatable(row, row_type)
end

-- An array of rows that prints as a table.
function module.rows(raws, names, log, simulated)
  local rows, seen, fields = {}, {}, {}
  local mixed, failed, broken = false, false, false
  for i, raw in ipairs(raws) do
    local row = module.row(raw, names, log, simulated)
    rows[i] = row
    for _, name in ipairs(about[row].fields) do
      if not seen[name] then
        seen[name] = true
        fields[#fields + 1] = name
      end
    end
    mixed = mixed or raw.state ~= "done"
    failed = failed or raw.cause ~= nil
    broken = broken or raw.result_error ~= nil
  end
  table.sort(fields)
  local columns, all = {}, {}
  for _, list in ipairs({ names, fields }) do
    for _, name in ipairs(list) do
      columns[#columns + 1], all[#all + 1] = name, name
    end
  end
  local function add(name)
    if not raws[1] or raws[1].parameters[name] == nil then
      columns[#columns + 1] = name
    end
  end
  if #columns == 0 then
    add("point")
  end
  if mixed then
    add("state")
  end
  if failed then
    add("cause")
  end
  if broken then
    add("result_error")
  end
  add("seconds")
  all[#all + 1] = "point"
  for _, name in ipairs(bookkeeping) do
    if not raws[1] or raws[1].parameters[name] == nil then
      all[#all + 1] = name
    end
  end
  return setmetatable(rows, {
    __name = "Row[]", __jsontype = "array", __tostring = native.table_text, columns = columns,
    all_columns = all, footer = simulated and "SIMULATED" or nil,
  })
end

-- CSV -------------------------------------------------------------------------------------------

-- Rows as CSV.
function module.csv_text(rows)
  return native.csv_text(rows, getmetatable(rows).all_columns)
end

-- Writes a file whole or not at all.
function module.write(path, text)
  local temporary = path .. ".part"
  local function fail(reason)
    -- Nobody has heard of the temporary name.
    reason = tostring(reason)
    local at, last = reason:find(temporary .. ": ", 1, true)
    error("cannot write " .. path .. ": " .. (at == 1 and reason:sub(last + 1) or reason), 0)
  end
  local file, reason = open(temporary, "wb")
  if not file then
    fail(reason)
  end
  local done
  done, reason = file:write(text)
  if done then
    done, reason = file:close()
  else
    file:close()
  end
  if done then
    done, reason = rename(temporary, path)
  end
  if not done then
    remove(temporary)
    fail(reason)
  end
end

-- Anything with a text of its own: plans, states, logs.
function module.printable(fields, text)
  return setmetatable(fields, {
    __tostring = function()
      return text
    end,
  })
end

-- Rows of any kind that print as a table.
function module.table(rows, columns)
  return setmetatable(rows, {
    __jsontype = "array", __tostring = native.table_text, columns = columns, all_columns = columns,
  })
end

-- Both streams, the errors after a line that says so.
function module.logs(stdout, stderr, simulated)
  local text = stdout
  if stderr ~= "" then
    local gap = (text == "" or text:find("\n$")) and "" or "\n"
    text = text .. gap .. "-- stderr --\n" .. stderr
  end
  text = text:gsub("\n$", "")
  return module.printable({ stdout = stdout, stderr = stderr },
    text .. (simulated and "\nSIMULATED" or ""))
end

-- The Lua file that called into the table, nil for code of no file.
function module.caller()
  for level = 2, 100 do
    local info = getinfo(level, "S")
    if not info then
      break
    end
    if info.what ~= "C" and info.source:sub(1, 4) ~= "=hpc" then
      return info.source:match("^@(.*)")
    end
  end
  return script
end

return module
