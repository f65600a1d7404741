-- Rows as aligned text: what tables of jobs and rows print as; loaded when first needed.
local native = ...

local function cell(value)
  local is_float = math.type(value) == "float"
  return is_float and string.format("%.6g", value) or value == nil and "" or tostring(value)
end

-- Without columns: the keys of all rows, numbers first, then by name; for jobs what pjstat shows.
return function(rows, columns)
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
