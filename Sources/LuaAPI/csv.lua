-- Rows as CSV (RFC 4180, lines end in LF). Loaded when first needed, with the JSON encoder.
local encode = ...

local function number(value)
  if math.type(value) == "integer" then
    return string.format("%d", value)
  end
  for _, format in ipairs({ "%.15g", "%.16g", "%.17g" }) do
    local text = string.format(format, value)
    if tonumber(text) == value then
      return text
    end
  end
  return string.format("%.17g", value)
end

local function cell(value)
  local kind = type(value)
  if kind == "number" then
    return number(value)
  end
  -- What has a text of its own, such as an error, is that text.
  local own = kind == "table" and (getmetatable(value) or {}).__tostring
  local text = value == nil and "" or kind == "table" and not own and encode(value)
    or tostring(value)
  if text:find('[,"\r\n]') then
    text = '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

return function(rows, columns)
  local lines, cells = {}, {}
  for c, name in ipairs(columns) do
    cells[c] = cell(name)
  end
  lines[1] = table.concat(cells, ",")
  for r, row in ipairs(rows) do
    for c, name in ipairs(columns) do
      cells[c] = cell(row[name])
    end
    lines[r + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end
