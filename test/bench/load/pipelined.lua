-- 16 requests in one write; wrk counts each answer. The next 16 leave when all 16 are answered.
local batch

function init()
  local requests = {}
  for index = 1, 16 do
    requests[index] = wrk.format()
  end
  batch = table.concat(requests)
end

function request()
  return batch
end
