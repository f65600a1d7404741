-- Rows as aligned text: what tables of jobs and rows print as; loaded when first needed.
local native = ...

local deepest, most = 4, 20

local function plain(value)
  return math.type(value) == "float" and string.format("%.6g", value) or tostring(value)
end

-- Numbers, then strings, then whatever else is a key.
local function precedes(a, b)
  local ranks = { number = 1, string = 2 }
  local first, second = ranks[type(a)] or 3, ranks[type(b)] or 3
  if first ~= second or first == 3 then
    return first < second
  end
  return a < b
end

-- A value within a cell, Lua-like: tables by raw access, within limits of depth and length.
local function inline(value, depth, above)
  if type(value) == "string" and depth > 1 then
    return '"' .. value .. '"'
  elseif type(value) ~= "table" then
    return plain(value)
  end
  local kind = getmetatable(value)
  kind = type(kind) == "table" and kind or {}
  local objects = tostring(kind.__name):match("^(%a+)%[%]$")
  if objects then
    return ("%d %s%s"):format(rawlen(value), objects:lower(), rawlen(value) == 1 and "" or "s")
  elseif kind.__tostring then
    return tostring(value)
  elseif above[value] then
    return "{ cycle }"
  elseif next(value) == nil then
    return "{}"
  elseif depth > deepest then
    return "{…}"
  end
  above[value] = true
  local parts, keys, length = {}, {}, rawlen(value)
  for i = 1, math.min(length, most) do
    parts[i] = inline(rawget(value, i), depth + 1, above)
  end
  for key in next, value do
    if math.type(key) ~= "integer" or key < 1 or key > length then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, precedes)
  for i = 1, math.min(#keys, most) do
    local key = keys[i]
    local name = type(key) == "string" and key:match("^[%a_][%w_]*$")
    name = name or "[" .. inline(key, deepest + 1, above) .. "]"
    parts[#parts + 1] = name .. " = " .. inline(rawget(value, key), depth + 1, above)
  end
  above[value] = nil
  local more = length + #keys - #parts
  if more > 0 then
    parts[#parts + 1] = "… " .. more .. " more"
  end
  local inside = table.concat(parts, ", ")
  return #keys > 0 and "{ " .. inside .. " }" or "{" .. inside .. "}"
end

local function cell(value)
  return value == nil and "" or inline(value, 1, {})
end

-- A table that is no list, key by key.
local function listed(record)
  local rows = {}
  for key, value in pairs(record) do
    rows[#rows + 1] = { key = key, value = value }
  end
  table.sort(rows, function(a, b)
    return precedes(a.key, b.key)
  end)
  return rows
end

-- Without columns: the keys of all rows, numbers first, then by name; for jobs what pjstat shows.
return function(rows, columns)
  local kind = getmetatable(rows)
  kind = type(kind) == "table" and kind or {}
  local is_list = rows[1] ~= nil or next(rows) == nil or tostring(kind.__name):find("%[%]$")
  if not is_list and (kind.record or columns or native.is_job(rows)) then
    rows = { rows }
  elseif not is_list then
    rows, columns = listed(rows), { "key", "value" }
  end
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
