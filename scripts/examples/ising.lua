-- Where a magnet loses its order: the Ising model over temperature and size, one job a point.
--   hpc --sim scripts/examples/ising.lua
local s = hpc.sweep{
  name = "ising",
  space = hpc.grid{ T = hpc.linspace(1.6, 3, 8), L = { 8, 16 } },
  script = "ising.sh",
  inputs = { "ising.awk" },
  outputs = { "ising.json" },
  resources = function(p, attempt) return { node = 1, elapse = 60 * p.L * attempt } end,
  result = function(_, files) return hpc.json.decode(files["ising.json"]) end,
}

local ok, err = s:run()
if not ok then
  print(err)
  return
end

local rows = s:results()
hpc.show(rows, { "L", "T", "m", "chi", "energy" })
s:csv("ising.csv")

-- A chart of block characters: |m| over T, a column a point, eighths of a cell high.
local blocks = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local height = 8

local function chart(L)
  print(("\n|m| over T, L = %d"):format(L))
  local column, axis = {}, {}
  for _, row in ipairs(rows) do
    if row.L == L then
      column[#column + 1] = math.floor(row.m * height * 8 + 0.5)
      axis[#axis + 1] = ("%-5.3g"):format(row.T)
    end
  end
  for level = height, 1, -1 do
    local cells = {}
    for i, eighths in ipairs(column) do
      local here = math.min(8, eighths - (level - 1) * 8)
      cells[i] = here > 0 and blocks[here]:rep(4) or "    "
    end
    local label = level == height and "1.0" or level == height // 2 and "0.5" or "   "
    print(label .. " │" .. table.concat(cells, " "))
  end
  print("    └" .. ("─"):rep(5 * #column))
  print("     " .. table.concat(axis))
end

chart(8)
chart(16)
print("\nThe order goes near T = 2.27, where an endless lattice loses it (Onsager).")
