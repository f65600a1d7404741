local s = hpc.sweep{
  name = "first",
  space = hpc.grid{ T = hpc.linspace(1.6, 3, 8), L = { 8, 16 } },
  script = "first.sh",
  inputs = { "ising.awk" },
  outputs = { "ising.json" },
  resources = function(p, attempt) return { node = 1, elapse = 60 * p.L * attempt } end,
  result = function(_, files) return hpc.json.decode(files["ising.json"]) end,
}
if s:run() then
  hpc.show(s:results())
  s:csv("first.csv")
end
