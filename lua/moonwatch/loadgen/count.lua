--- What became of requests: counts, and how long answers took.
local cjson = require "cjson"

---@class moonwatch.loadgen.count
local M = {}

--- Bounds of a histogram grow by an eighth of a doubling: 0.125 ms × 2^(i/8).
local STEPS <const> = 8
local SMALLEST_MS <const> = 0.125
local BUCKETS <const> = 160

---@alias moonwatch.loadgen.Histogram integer[]  how many in each bucket

---@return moonwatch.loadgen.Histogram
local function histogram()
  local made = {}
  for i = 1, BUCKETS do
    made[i] = 0
  end
  return made
end

local function put(list, ms)
  local i = ms <= SMALLEST_MS and 1 or math.ceil(math.log(ms / SMALLEST_MS, 2) * STEPS) + 1
  i = math.min(BUCKETS, i)
  list[i] = list[i] + 1
end

--- The bound below which a part of them is; nil when there are none.
---@param list moonwatch.loadgen.Histogram
---@param part number  0.99
---@return number? ms
function M.quantile(list, part)
  local total = 0
  for _, n in ipairs(list) do
    total = total + n
  end
  local left = math.ceil(total * part)
  for i, n in ipairs(list) do
    left = left - n
    if left <= 0 and total > 0 then
      return SMALLEST_MS * 2 ^ ((i - 1) / STEPS)
    end
  end
  return nil
end

---@class moonwatch.loadgen.Count
local Count = {}
Count.__index = Count

---@return moonwatch.loadgen.Count
function M.new()
  return setmetatable({
    seconds = 0, hosts = 0, started = 0, ended = 0, lines = 0, lines_dropped = 0, late = histogram(), kinds = {}, errors = {},
  }, Count)
end

local function kind_of(self, name)
  local kind = self.kinds[name]
  if not kind then
    kind = { requests = 0, failed = 0, bytes = 0, took = histogram() }
    self.kinds[name] = kind
  end
  return kind
end

--- Why an answer is no success; nil when it is one, with what it says.
local function judge(answer, message, code)
  if not answer then
    return code or "failed", nil, message
  end
  local ok, told = pcall(cjson.decode, answer.body == "" and "{}" or answer.body)
  if answer.status < 200 or answer.status > 299 then
    return ("status %d"):format(answer.status), ok and told
  elseif not ok or type(told) ~= "table" then
    return "not JSON"
  elseif told.node_invalid == true then
    return "node_invalid", told
  elseif told.error then
    return "error", told
  end
  return nil, told
end

--- Count it; what the backend said, or nil and what to heed.
---@param name string  endpoint
---@param ms number
---@param bytes integer  sent, unpacked
---@return table? told
---@return { retry_after_s: number?, is_invalid: boolean? }? trouble
function Count:answer(name, ms, bytes, answer, message, code)
  local kind = kind_of(self, name)
  kind.requests = kind.requests + 1
  kind.bytes = kind.bytes + bytes
  put(kind.took, ms)
  local why, told = judge(answer, message, code)
  if not why then
    return told
  end
  kind.failed = kind.failed + 1
  local key = name .. ": " .. why
  self.errors[key] = (self.errors[key] or 0) + 1
  return nil, {
    retry_after_s = answer and tonumber(answer.headers["retry-after"]),
    is_invalid = type(told) == "table" and told.node_invalid == true,
  }
end

--- How long after its time something was begun.
---@param ms number
function Count:was_late(ms)
  put(self.late, ms)
end

function Count:enrolled()
  self.hosts = self.hosts + 1
end

---@param lines integer
function Count:sent(lines)
  self.lines = self.lines + lines
end

---@param lines integer
function Count:dropped(lines)
  self.lines_dropped = self.lines_dropped + lines
end

local function add_lists(into, from)
  for i, n in ipairs(from) do
    into[i] = into[i] + n
  end
end

--- Add what another process has counted.
---@param other table  a Count, or what one was in JSON
function Count:add(other)
  for _, name in ipairs { "hosts", "started", "ended", "lines", "lines_dropped" } do
    self[name] = self[name] + other[name]
  end
  self.seconds = math.max(self.seconds, other.seconds)
  add_lists(self.late, other.late)
  for name, from in pairs(other.kinds) do
    local kind = kind_of(self, name)
    kind.requests, kind.failed, kind.bytes = kind.requests + from.requests, kind.failed + from.failed, kind.bytes + from.bytes
    add_lists(kind.took, from.took)
  end
  for key, n in pairs(other.errors) do
    self.errors[key] = (self.errors[key] or 0) + n
  end
end

---@return string json
function Count:encode()
  local plain = {}
  for name, value in pairs(self) do
    plain[name] = value
  end
  return cjson.encode(plain)
end

---@param name "requests"|"failed"|"bytes"
---@return integer
function Count:total(name)
  local total = 0
  for _, kind in pairs(self.kinds) do
    total = total + kind[name]
  end
  return math.tointeger(total) or total
end

return M
