--- `moonwatch loadgen`: adds up what the workers (worker.lua) say, and prints it.
local cjson = require "cjson"
local counts = require "moonwatch.loadgen.count"
local options_of = require "moonwatch.loadgen.options"

local M = {}

local ORDER <const> = { "enroll", "config", "log", "read", "write" }

--- The sum of what the workers said last, each once more; nil when all have ended.
---@param workers { pipe: file*, said: table?, has_ended: boolean? }[]
local function next_of(workers)
  local sum, has_any = counts.new(), false
  for _, worker in ipairs(workers) do
    local line = not worker.has_ended and worker.pipe:read "l"
    if line then
      worker.said, has_any = cjson.decode(line), true
    else
      worker.has_ended = true
    end
    if worker.said then
      sum:add(worker.said)
    end
  end
  return has_any and sum or nil
end

local function ms(value)
  return value and ("%.1f"):format(value) or "-"
end

local function all_took(count)
  local sum = counts.new()
  for name, kind in pairs(count.kinds) do
    sum:add {
      seconds = 0, hosts = 0, started = 0, ended = 0, lines = 0, lines_dropped = 0, late = {}, errors = {}, kinds = { [name] = kind },
    }
  end
  local list
  for _, kind in pairs(sum.kinds) do
    if not list then
      list = kind.took
    else
      for i, n in ipairs(kind.took) do
        list[i] = list[i] + n
      end
    end
  end
  return list or {}
end

local function since(list, before)
  local difference = {}
  for i, n in ipairs(list) do
    difference[i] = n - (before[i] or 0)
  end
  return difference
end

local function progress(sum, before, took, took_before)
  local new, every = since(took, took_before), sum.seconds - before.seconds
  print(("%7d %8d %10.1f %10.1f %9s %9s %9s %8d"):format(math.floor(sum.seconds + 0.5), math.tointeger(sum.hosts) or 0,
    (sum:total "requests" - before:total "requests") / every, (sum.lines - before.lines) / every,
    ms(counts.quantile(new, 0.5)), ms(counts.quantile(new, 0.99)),
    ms(counts.quantile(since(sum.late, before.late), 0.99)), sum:total "failed"))
  io.stdout:flush()
end

local function result(options, sum, seconds)
  local told = { hosts = options.hosts, enrolled = sum.hosts, ended = sum.ended, seconds = seconds, requests = sum:total "requests",
    failed = sum:total "failed", lines = sum.lines, lines_dropped = sum.lines_dropped, late_ms_p99 = counts.quantile(sum.late, 0.99),
    errors = sum.errors, endpoints = {} }
  for name, kind in pairs(sum.kinds) do
    told.endpoints[name] = { requests = kind.requests, failed = kind.failed, bytes = kind.bytes,
      ms_p50 = counts.quantile(kind.took, 0.5), ms_p95 = counts.quantile(kind.took, 0.95), ms_p99 = counts.quantile(kind.took, 0.99) }
  end
  return told
end

local function print_result(told)
  print(("\n%d hosts enrolled, %d requests in %d s (%.1f/s), %d log lines, %d failures"):format(
    told.enrolled, told.requests, told.seconds, told.requests / told.seconds, told.lines, told.failed))
  if told.lines_dropped > 0 then
    print(("%d log lines were dropped, since they waited too long"):format(told.lines_dropped))
  end
  print(("\n%-8s %10s %10s %9s %9s %9s %10s"):format("", "requests", "failed", "p50 ms", "p95 ms", "p99 ms", "MiB sent"))
  for _, name in ipairs(ORDER) do
    local kind = told.endpoints[name]
    if kind then
      print(("%-8s %10d %10d %9s %9s %9s %10.1f"):format(name, kind.requests, kind.failed, ms(kind.ms_p50), ms(kind.ms_p95),
        ms(kind.ms_p99), kind.bytes / 2 ^ 20))
    end
  end
  print(("late     %41s"):format(ms(told.late_ms_p99)))
  for why, n in pairs(told.errors) do
    print(("%8d  %s"):format(n, why))
  end
end

local function gather(options, descriptors)
  local workers = {}
  for fd in descriptors:gmatch "%d+" do
    workers[#workers + 1] = { pipe = assert(io.open("/dev/fd/" .. fd)) }
  end
  if not options.json then
    print(("%7s %8s %10s %10s %9s %9s %9s %8s"):format("s", "enrolled", "requests/s", "lines/s", "p50 ms", "p99 ms", "late ms", "failed"))
  end
  local sum, before, took_before = counts.new(), counts.new(), {}
  while true do
    local new = next_of(workers)
    if not new then
      break
    end
    sum = new
    if not options.json and sum.seconds >= before.seconds + options.every_s then
      local took = all_took(sum)
      progress(sum, before, took, took_before)
      before, took_before = sum, took
    end
  end
  local told = result(options, sum, math.max(1, math.floor(sum.seconds + 0.5)))
  if options.json then
    print(cjson.encode(told))
  else
    print_result(told)
  end
  return sum.hosts >= options.hosts and told.failed == 0 and 0 or 1
end

---@param arguments string[]  "check" or "gather", descriptors to read from, options
---@return integer status
function M.main(arguments)
  local options, message = options_of.parse(table.move(arguments, 3, #arguments, 1, {}))
  if not options then
    io.stderr:write("moonwatch: loadgen: ", message, "\n")
    return 2
  end
  return arguments[1] == "check" and 0 or gather(options, arguments[2])
end

return M
