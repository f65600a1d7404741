-- hpc.watch: one list request for each interval, until q. Called with what the console gives:
-- open(count), shown(jobs), failed(err), key(), close().
local console = ...

return function(hpc, options)
  local interval = options.interval or math.max(1, 10 / (hpc.config.clock_rate or 1))
  local lists, is_over = 0, false

  local function look()
    local ok, answer = pcall(hpc.jobs.list, { name = options.name, state = options.state })
    lists = lists + 1
    if is_over then
      return true
    elseif ok then
      console.shown(answer)
    else
      console.failed(answer)
    end
    return options.count and lists >= options.count
  end

  if not console.open(interval) then
    while not look() do
      hpc.sleep(interval)
    end
    return
  end
  local _ <close> = setmetatable({}, { __close = console.close })
  local function keep_looking()
    while not look() do
      hpc.sleep(interval)
    end
    console.leave()
  end
  -- Beside the keys, so that a request under way delays none of them.
  local looking = hpc.spawn(keep_looking)
  local _ <close> = setmetatable({}, {
    __close = function()
      is_over = true
      looking:cancel()
    end,
  })
  while true do
    local key = console.key()
    if key == "quit" then
      return
    elseif key == "refresh" then
      looking:cancel()
      looking = hpc.spawn(keep_looking)
    end
  end
end
