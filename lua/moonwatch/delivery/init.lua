--- From the spool to wherever: one loop a consumer.
---
--- Nothing is acknowledged before it was taken.  Rows are sent in batches, alerts at once.  A failure is waited out: full jitter, or
--- what the server asks for (Retry-After); after several, or one that time will not heal, the circuit is open, and a few rows at a time
--- try whether it may be closed again.  What has piled up meanwhile is sent at a bounded rate that grows, alerts first.  A batch
--- that is refused for its content is halved until the row is found, which is set aside.
local bucket = require "moonwatch.delivery.bucket"
local loop = require "moonwatch.loop"
local spool = require "moonwatch.spool"
local text = require "moonwatch.text"

---@class moonwatch.delivery
local M = {}

local PERIOD_MS = 1000
local MAX_ROWS = 1000
local MAX_BYTES = 1 << 20

local BASE_MS = 1000
local CAP_MS = 300000
-- The circuit opens after that many failures one after the other…
local BREAKER_AFTER = 5
-- …and while it is open that many rows are tried.
local PROBE_ROWS = 10
-- Between tries at the end, when there is little time.
local FLUSH_RETRY_MS = 200
-- Rows refused one after the other, without any that was taken: it is the server that refuses, not the rows that are bad.
local SINGLES = 8
local SINGLES_WHEN_OPEN = 3
-- Rows set aside because others were taken just before.
local CONVICTIONS = 3
-- After so many tries without one that was taken the first row is set aside nevertheless.
local LONE_TRIES = 5
-- Reading, or acknowledging, the spool failed.
local SPOOL_RETRY_MS = 1000

---@class moonwatch.delivery.Options
---@field consumer string
---@field streams moonwatch.spool.Stream[]
---@field urgent? moonwatch.spool.Stream[]  sent at once: alerts
---@field period_ms? integer  that others wait for company: 1000
---@field max_rows? integer  of a batch: 1000
---@field max_bytes? integer  1 MiB
---@field cap_ms? integer  the longest pause after failures: 300000
---@field drain_bytes_per_s? integer  after an outage: 65536, twice as much every 10 s
---@field send fun(batch: moonwatch.spool.Item[], budget_ms?: number): true?, string?, moonwatch.delivery.Trouble?  may wait; at the end
---  no longer than that
---@field report? fun(line: string)  what does not work, or works again
---@field gate? moonwatch.delivery.Gate  shared by those that send to the same server
---@field host? moonwatch.delivery.Host

--- Shared by what sends to one server: it asks all of them to wait.
---@class moonwatch.delivery.Gate
---@field not_before number  loop.now()

--- What a loop needs of the world; a spec has another.
---@class moonwatch.delivery.Host
local real = {
  now = loop.now,
  random = math.random,
  spawn = loop.spawn,
  sleep = loop.sleep,
  read = spool.read,
  ack = spool.ack,
  set_aside = spool.set_aside,
  wait = spool.wait,
  wake = spool.wake,
  pending = spool.pending,
}

---@class moonwatch.delivery.Loop
---@field options moonwatch.delivery.Options
---@field failures integer  one after the other
---@field is_open boolean  the circuit
local Loop = {}
Loop.__index = Loop

local loops = {}

local function contains(list, name)
  for _, one in ipairs(list) do
    if one == name then
      return true
    end
  end
  return false
end

local function key_of(item)
  return item.stream .. item.seq
end

function Loop:report(format, ...)
  if self.options.report then
    self.options.report(("%s: %s"):format(self.options.consumer, format:format(...)))
  end
end

--- Sleep; true when it is over early because the end has come.
function Loop:pause(ms)
  local deadline = self.host.now() + ms
  repeat
    if self.flush_until or self.is_stopped then
      return true
    end
    self.host.wait(self.options.consumer, math.max(0, deadline - self.host.now()), { urgent = {}, streams = {} })
  until self.host.now() >= deadline
  return false
end

--- Until there is something to send that should be sent now.
function Loop:await()
  local options = self.options
  local what = self.host.wait(options.consumer, 3600000, { urgent = options.streams, streams = options.streams })
  if what == "new" and not self.flush_until then
    self.host.wait(options.consumer, options.period_ms, {
      urgent = options.urgent, streams = options.streams, rows = options.max_rows, bytes = options.max_bytes,
    })
  end
end

-- Acknowledge, in the order of each stream, what its end is known of.
function Loop:settle(batch)
  local blocked, taken = {}, {}
  local function acknowledge()
    if #taken > 0 then
      local ok, message = self.host.ack(self.options.consumer, taken)
      taken = {}
      return ok, message
    end
    return true
  end
  for _, item in ipairs(batch) do
    local fate = self.fates[key_of(item)]
    if not fate then
      blocked[item.stream] = true
    elseif not blocked[item.stream] then
      if fate == true then
        taken[#taken + 1] = item
      else
        local ok, message = acknowledge()
        if ok then
          ok, message = self.host.set_aside(self.options.consumer, item, fate)
        end
        if not ok then
          return nil, message
        end
        self:tell_aside(item, fate)
      end
    end
  end
  local ok, message = acknowledge()
  if ok then
    for _, item in ipairs(batch) do
      if not blocked[item.stream] then
        self.fates[key_of(item)] = nil
      end
    end
  end
  return ok, message
end

function Loop:tell_aside(item, why)
  self.aside = self.aside + 1
  if self.aside == 1 then
    self:report("%s %s is refused, and set aside (told once; `moonwatch status` counts): %s", item.stream, item.id,
      text.printable(why, 300))
  end
end

-- What was refused before anything was taken is at fault itself.
function Loop:convict(suspects)
  for i = #suspects, 1, -1 do
    self.fates[key_of(suspects[i].item)] = suspects[i].why
    suspects[i] = nil
  end
end

--- Send items[from…to], halving what is refused for its content.
---@return true?
---@return string? message
---@return moonwatch.delivery.Trouble?
function Loop:send(items, from, to, suspects)
  local part = table.move(items, from, to, 1, {})
  local has_run, ok, message, trouble = pcall(self.options.send, part, self.flush_until and self.flush_until - self.host.now())
  if not has_run then
    ok, message, trouble = nil, ok, nil
  end
  trouble = trouble or {}
  local accepted = trouble.accepted or {}
  for i, item in ipairs(part) do
    if ok or accepted[i] then
      self.fates[key_of(item)] = true
    end
  end
  if ok or next(accepted) then
    self.refusals, self.convictions = 0, 0
    self.has_taken = true
    self:convict(suspects)
  end
  if ok then
    return true
  end
  message = tostring(message)
  for i, why in pairs(trouble.refused or {}) do
    self.fates[key_of(part[i])] = why
  end
  if not trouble.is_poison then
    return nil, message, trouble
  end
  if from == to then
    suspects[#suspects + 1] = { item = items[from], why = message }
    if self.is_proven and self.convictions < CONVICTIONS then -- it took others just now
      self.convictions = self.convictions + 1
      self:convict(suspects)
      return true
    end
    if #suspects >= (self.is_open and SINGLES_WHEN_OPEN or SINGLES) then
      return nil, message, { stop = true }
    end
    return true
  end
  local middle = (from + to) // 2
  ok, message, trouble = self:send(items, from, middle, suspects)
  if not ok then
    return nil, message, trouble
  end
  return self:send(items, middle + 1, to, suspects)
end

--- A batch, less what is settled of it already.
function Loop:deliver(batch)
  local items, suspects = {}, {}
  self.has_taken = false
  for _, item in ipairs(batch) do
    if not self.fates[key_of(item)] then
      items[#items + 1] = item
    end
  end
  local ok, message, trouble = true, nil, nil
  if #items > 0 then
    ok, message, trouble = self:send(items, 1, #items, suspects)
  end
  if #suspects > 0 and self.has_taken then
    self:convict(suspects)
  elseif #suspects > 0 then
    self.refusals = self.refusals + 1
    if ok then
      ok, message, trouble = nil, suspects[1].why, {}
    end
    if self.refusals >= LONE_TRIES then
      self.refusals = 0
      self:convict { suspects[1] }
    end
  end
  local settled, why = self:settle(batch)
  if not settled then
    self:report("what was delivered cannot be noted, and may be sent again: %s", why)
    self.host.wait(self.options.consumer, SPOOL_RETRY_MS, { urgent = {}, streams = {} })
  end
  self.is_proven = ok
  return ok, message, trouble
end

function Loop:fail(message, trouble)
  local host = self.host
  self.failures = self.failures + 1
  self.is_draining = true
  local ms = host.random() * math.min(self.options.cap_ms or CAP_MS, BASE_MS * 2 ^ math.min(self.failures - 1, 20))
  if trouble.retry_after_s then
    -- Not all of those that were told the same at the same time.
    ms = trouble.retry_after_s * 1000 + host.random() * math.max(BASE_MS, trouble.retry_after_s * 100)
    self.gate.not_before = math.max(self.gate.not_before, host.now() + trouble.retry_after_s * 1000)
  end
  local opens = not self.is_open and (trouble.stop or self.failures >= BREAKER_AFTER)
  if opens then
    self.is_open = true
  end
  if trouble.stop then
    ms = math.max(ms, host.random() * (self.options.cap_ms or CAP_MS))
  end
  if self.failures == 1 or opens then
    self:report("%s%s", text.printable(message, 400), opens and "; it is tried now and then" or "; it is tried again")
  end
  self:pause(ms)
end

function Loop:succeed()
  if self.is_open or self.failures > 0 then
    self:report "delivers again"
    self.bucket:reset(self.host.now())
  end
  self.failures, self.is_open = 0, false
end

-- After an outage: not more than the bucket holds, but alerts.  The streams to read from, and how many bytes.
function Loop:allowance()
  local options = self.options
  if not self.is_draining or self.failures > 0 or self.flush_until then
    return options.streams, options.max_bytes
  end
  local ms = self.bucket:wait_ms(self.host.now(), options.max_bytes // 16)
  if ms <= 0 then
    return options.streams, math.min(options.max_bytes, self.bucket:level(self.host.now()))
  end
  return options.urgent, options.max_bytes, ms
end

local function size_of(batch)
  local bytes = 0
  for _, item in ipairs(batch) do
    bytes = bytes + #item.body
  end
  return bytes
end

--- One turn; returns whether there is more to be sent.
function Loop:turn()
  local options, host = self.options, self.host
  local now = host.now()
  if self.gate.not_before > now and not self.flush_until then
    self:pause(self.gate.not_before - now + host.random() * BASE_MS)
    return true
  end
  local streams, max_bytes, ms = self:allowance()
  local batch, more = host.read(options.consumer, {
    streams = streams, max_rows = self.is_open and PROBE_ROWS or options.max_rows, max_bytes = max_bytes,
  })
  if not batch then
    self:report("the spool cannot be read: %s", tostring(more))
    host.wait(options.consumer, SPOOL_RETRY_MS, { urgent = {}, streams = {} })
    return true
  elseif #batch == 0 then
    if ms then
      host.wait(options.consumer, ms, { urgent = options.urgent, streams = {} })
      return true
    end
    self.is_draining, self.fates = false, {}
    return false
  end
  local ok, message, trouble = self:deliver(batch)
  if not ok then
    self:fail(message or "failed", trouble or {})
    return true
  end
  self:succeed()
  self.bucket:take(host.now(), size_of(batch))
  if not more and not ms then
    self.is_draining = false
  end
  return more or ms ~= nil
end

-- At the end: what can be sent in the time there is, tried again at once.
function Loop:flush()
  local host = self.host
  while host.now() < self.flush_until do
    local more
    local batch = host.read(self.options.consumer, {
      streams = self.options.streams, max_rows = self.options.max_rows, max_bytes = self.options.max_bytes,
    })
    if not batch or #batch == 0 then
      break
    end
    local ok, _, trouble = self:deliver(batch)
    if not ok and trouble and (trouble.stop or (trouble.retry_after_s or 0) * 1000 > self.flush_until - host.now()) then
      break
    elseif not ok then
      more = host.random() * FLUSH_RETRY_MS
      host.sleep(math.min(more, math.max(0, self.flush_until - host.now())))
    end
  end
  self.flush_until = nil
end

function Loop:run()
  while not self.is_stopped do
    if self.flush_until then
      self:flush()
    elseif not self:turn() then
      self:await()
    end
  end
  self.has_ended = true
end

--- Begin to deliver, as a task.
---@param options moonwatch.delivery.Options
---@return moonwatch.delivery.Loop
function M.start(options)
  local own = setmetatable({
    options = setmetatable({
      urgent = options.urgent or (contains(options.streams, "alerts") and { "alerts" } or {}),
      period_ms = options.period_ms or PERIOD_MS,
      max_rows = options.max_rows or MAX_ROWS,
      max_bytes = options.max_bytes or MAX_BYTES,
    }, { __index = options }),
    host = options.host or real,
    gate = options.gate or { not_before = 0 },
    failures = 0,
    refusals = 0,
    aside = 0,
    convictions = 0,
    is_open = false,
    fates = {},
  }, Loop)
  own.bucket = bucket.new(options.drain_bytes_per_s, own.options.max_bytes)
  loops[#loops + 1] = own
  own.host.spawn(own.run, own)
  return own
end

--- No more of it, once what is on its way is over.
---@param own moonwatch.delivery.Loop
function M.stop(own)
  own.is_stopped = true
  for i, one in ipairs(loops) do
    if one == own then
      table.remove(loops, i)
      break
    end
  end
  own.host.wake(own.options.consumer)
end

--- All of them.  The loops that may still be at something.
---@return moonwatch.delivery.Loop[]
function M.stop_all()
  local stopped = {}
  while #loops > 0 do
    stopped[#stopped + 1] = loops[#loops]
    M.stop(loops[#loops])
  end
  return stopped
end

--- The end is near: send what there is, within that time.  Returns when all is sent, or the time is over.
---@param deadline_ms number
---@return integer left  rows that some consumer has not delivered
function M.flush(deadline_ms)
  local flushing = { table.unpack(loops) }
  if #flushing == 0 then
    return 0
  end
  local host = flushing[1].host
  local deadline = host.now() + deadline_ms
  for _, own in ipairs(flushing) do
    own.flush_until = deadline
    own.host.wake(own.options.consumer)
  end
  local function is_over()
    for _, own in ipairs(flushing) do
      if own.flush_until then
        return false
      end
    end
    return true
  end
  while host.now() < deadline and not is_over() do
    host.sleep(2)
  end
  local left = 0
  for _, own in ipairs(flushing) do
    own.flush_until = nil
    for stream, rows in pairs(host.pending(own.options.consumer) or {}) do
      left = left + (contains(own.options.streams, stream) and rows or 0)
    end
  end
  return left
end

return M
