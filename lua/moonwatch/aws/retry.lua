--- Deadlines, and waiting before another try.
local loop = require "moonwatch.loop"

---@class moonwatch.aws.retry
local M = {}

--- What a whole operation may take, tries and waiting together.
M.TOTAL_MS = 10000

local CAP_MS = 20000

--- When what begins now must have ended.
---@param total_ms? number
---@return number
function M.deadline(total_ms)
  return loop.now() + (total_ms or M.TOTAL_MS)
end

---@param deadline number
---@return number ms
function M.left(deadline)
  return math.max(0, math.floor(deadline - loop.now()))
end

--- Full jitter: anything up to a bound that doubles with each try, so that tasks that started together do not come together again.
---@param try integer  from 1
---@param base_ms number
---@return number ms
function M.delay(try, base_ms)
  return math.random() * math.min(CAP_MS, base_ms * 2 ^ (try - 1))
end

--- Wait before try `try + 1`.  False, without waiting, when there would be no time for it.
---@param try integer
---@param base_ms number
---@param deadline number
---@return boolean
function M.wait(try, base_ms, deadline)
  local ms = M.delay(try, base_ms)
  if ms >= M.left(deadline) then
    return false
  end
  loop.sleep(ms)
  return true
end

return M
