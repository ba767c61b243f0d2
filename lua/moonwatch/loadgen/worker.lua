--- One process of `moonwatch loadgen`: plays its share of the hosts.  Once a second it writes a line of JSON with all it has counted.
local counts = require "moonwatch.loadgen.count"
local Heap = require "moonwatch.loadgen.heap"
local hosts = require "moonwatch.loadgen.host"
local loop = require "moonwatch.loop"
local options_of = require "moonwatch.loadgen.options"
local target = require "moonwatch.loadgen.target"

local M = {}

--- One task waits for what is due first, rather than each host in a task of its own: a loop of very many timers is slow.
local LONGEST_SLEEP_MS <const> = 20
local TELL_MS <const> = 1000
--- Time for requests that are under way at the end.
local LAST_MS <const> = 5000

---@class moonwatch.loadgen.Shared
---@field options moonwatch.loadgen.Options
---@field origin string
---@field resolve string?
---@field ca_file string?
---@field paths table<string, string>
---@field enrolment fun(uuid: string, details: string): moonwatch.Secret
---@field count moonwatch.loadgen.Count

---@param shared moonwatch.loadgen.Shared
---@param index integer
---@param workers integer
local function play(shared, index, workers)
  local options, count = shared.options, shared.count
  local begun = loop.now()
  local due = Heap.new()
  for i = index, options.hosts, workers do
    local start = begun + 1000 * options.ramp_s * (i - 1) / options.hosts
    due:push(start, hosts.new(shared, start))
  end
  local busy = 0
  local function step(host, kind)
    busy = busy + 1
    if kind == "enroll" and host.made == 0 and host.failures == 0 then
      count.started = count.started + 1
    end
    host:step(kind)
    if loop.now() >= host.ends then
      count.ended = count.ended + 1
      local successor = hosts.new(shared, loop.now())
      successor.client = host.client -- of a connection that has been closed there is nothing to keep
      host = successor
    end
    due:push(host:next(), host)
    busy = busy - 1
  end
  local ends = begun + 1000 * (options.ramp_s + options.seconds)
  local tell = begun + TELL_MS
  while loop.now() < ends do
    local now = loop.now()
    while due:first() and due:first() <= now do
      local host, time = due:pop()
      count:was_late(loop.now() - time)
      local _, kind = host:next()
      loop.spawn(step, host, kind)
    end
    now = loop.now()
    if now >= tell then
      count.seconds = (now - begun) / 1000
      io.stdout:write(count:encode(), "\n")
      io.stdout:flush()
      tell = now + TELL_MS
    end
    loop.sleep(math.max(0, math.min(LONGEST_SLEEP_MS, (due:first() or math.huge) - now)))
  end
  while busy > 0 and loop.now() < ends + LAST_MS do
    loop.sleep(LONGEST_SLEEP_MS)
  end
  count.seconds = (loop.now() - begun) / 1000
  io.stdout:write(count:encode(), "\n")
  io.stdout:flush()
end

---@param arguments string[]  which worker, of how many, options
---@return integer status
function M.main(arguments)
  local index, workers = math.tointeger(arguments[1]), math.tointeger(arguments[2])
  local options = assert(options_of.parse(table.move(arguments, 3, #arguments, 1, {})))
  math.randomseed(math.floor(loop.time() * 1e6), index)
  return loop.run(function()
    local shared, message = target.of(options)
    if not shared then
      io.stderr:write("moonwatch: loadgen: ", message, "\n")
      return 1
    end
    shared.count = counts.new()
    play(shared, index, workers)
    return 0
  end)
end

return M
