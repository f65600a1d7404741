-- hpc.watch: one list request for each interval, until q. Called with what the console gives:
-- open(interval, owner), shown(jobs), failed(err), key(), leave(), close(owner).
local console = ...

return function(hpc, options)
  local interval = options.interval or math.max(1, 10 / (hpc.config.clock_rate or 1))
  -- The next interval is the second try: a service that fails is to be seen at once.
  local asked = {
    name = options.name,
    state = options.state,
    retry_deadline = 0,
    timeout = math.max(30, interval),
  }
  local lists = 0
  -- The task whose lists count; one that was cancelled has nothing more to say.
  local current = {}

  local function look(mine)
    local ok, answer = pcall(hpc.jobs.list, asked)
    if mine ~= current then
      return true
    end
    lists = lists + 1
    if ok then
      console.shown(answer)
    else
      console.failed(answer)
    end
    return options.count and lists >= options.count
  end

  -- Before the screen is taken: Ctrl-C may come as soon as it is drawn.
  local owner = {}
  local _ <close> = setmetatable({}, {
    __close = function()
      console.close(owner)
    end,
  })
  if not console.open(interval, owner) then
    while not look(current) do
      hpc.sleep(interval)
    end
    return
  end
  -- Beside the keys, so that a request under way delays none of them.
  local function start()
    local mine = {}
    current = mine
    return hpc.spawn(function()
      while not look(mine) do
        hpc.sleep(interval)
      end
      if mine == current then
        console.leave()
      end
    end)
  end
  local looking = start()
  local _ <close> = setmetatable({}, {
    __close = function()
      current = nil
      looking:cancel()
    end,
  })
  while true do
    local key = console.key()
    if key == "quit" then
      return
    elseif key == "refresh" then
      looking:cancel()
      looking = start()
    end
  end
end
