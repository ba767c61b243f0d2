--- A heap: what is due first is at the front.
---@class moonwatch.loadgen.Heap
local Heap = {}
Heap.__index = Heap

---@return moonwatch.loadgen.Heap
function Heap.new()
  return setmetatable({ n = 0, times = {}, values = {} }, Heap)
end

---@param time number
---@param value any
function Heap:push(time, value)
  local times, values = self.times, self.values
  local i = self.n + 1
  self.n = i
  while i > 1 do
    local parent = i // 2
    if times[parent] <= time then
      break
    end
    times[i], values[i] = times[parent], values[parent]
    i = parent
  end
  times[i], values[i] = time, value
end

--- When the first is due; nil when there is none.
---@return number?
function Heap:first()
  return self.times[1]
end

---@return any value
---@return number time
function Heap:pop()
  local times, values, n = self.times, self.values, self.n
  local time, value = times[1], values[1]
  local last_time, last_value = times[n], values[n]
  times[n], values[n] = nil, nil
  n = n - 1
  self.n = n
  if n == 0 then
    return value, time
  end
  local i = 1
  while true do
    local child = 2 * i
    if child > n then
      break
    end
    if child < n and times[child + 1] < times[child] then
      child = child + 1
    end
    if times[child] >= last_time then
      break
    end
    times[i], values[i] = times[child], values[child]
    i = child
  end
  times[i], values[i] = last_time, last_value
  return value, time
end

return Heap
