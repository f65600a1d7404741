-- hpc.store.each and hpc.store.list, over pages; loaded when one of them is first called.
local files = {}

-- The objects below a prefix one by one; a page of a thousand is held at a time.
function files.each(fetch, prefix)
  local page, is_last, i = {}, false, 0
  return function()
    while i == #page do
      if is_last then
        return nil
      end
      page, is_last = fetch(prefix, page[i] and page[i].key)
      i = 0
    end
    i = i + 1
    return page[i]
  end
end

function files.list(fetch, prefix)
  local all = {}
  for object in files.each(fetch, prefix) do
    all[#all + 1] = object
  end
  return all
end

return files
