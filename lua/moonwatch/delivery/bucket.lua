--- A token bucket whose rate grows while it is used: who comes back after an outage does not come with all it has at once, and is
--- not slower than what comes new for ever.
---@class moonwatch.delivery.Bucket
---@field rate number  bytes a second
---@field size number
---@field tokens number
---@field at? number  ms, of the last look
---@field since? number  when the rate was set last
local Bucket = {}
Bucket.__index = Bucket

local M = {}

local RATE = 64 << 10
local RATE_MAX = 64 << 20
local DOUBLE_MS = 10000

---@param rate? number  bytes a second to begin with
---@param size number  bytes that may go at once
---@return moonwatch.delivery.Bucket
function M.new(rate, size)
  return setmetatable({ first = rate or RATE, rate = rate or RATE, size = size, tokens = 0 }, Bucket)
end

---@param now number  ms
function Bucket:reset(now)
  self.rate, self.tokens, self.at, self.since = self.first, math.min(self.first, self.size), now, now
end

---@param now number
---@return integer bytes
function Bucket:level(now)
  self.at, self.since = self.at or now, self.since or now
  while now - self.since >= DOUBLE_MS do
    self.since = self.since + DOUBLE_MS
    self.rate = math.min(RATE_MAX, self.rate * 2)
  end
  self.tokens = math.min(self.size, self.tokens + (now - self.at) * self.rate / 1000)
  self.at = now
  return math.floor(self.tokens)
end

--- How long until there are so many; 0: now.
---@param now number
---@param bytes number
---@return number ms
function Bucket:wait_ms(now, bytes)
  local lacks = bytes - self:level(now)
  return lacks <= 0 and 0 or math.ceil(lacks * 1000 / self.rate)
end

---@param now number
---@param bytes number
function Bucket:take(now, bytes)
  self.tokens = self:level(now) - bytes
end

return M
