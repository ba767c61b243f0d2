--- What tests/bench/run wrote down (a JSON object a line), and what follows from it.

local cjson = require "cjson"
local loads = require "loads"

local M = {}

--- Lines of the file, as tables.
function M.read(path)
  local all = {}
  for line in assert(io.open(path)):lines() do
    all[#all + 1] = cjson.decode(line)
  end
  return all
end

function M.load_named(name)
  for _, load in ipairs(loads.loads) do
    if load.name == name then
      return load
    end
  end
  error("no load is named " .. name)
end

--- The five-number summary: minimum, quartiles (interpolated), maximum.
function M.five(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local five = {}
  for i = 0, 4 do
    local place = 1 + (#sorted - 1) * i / 4
    local below = math.floor(place)
    local above = math.min(below + 1, #sorted)
    five[i + 1] = sorted[below] + (sorted[above] - sorted[below]) * (place - below)
  end
  return five
end

--- Ratios round by round; above 1 is worse than native.
local function ratios(values, native, is_rate)
  local list = {}
  for i = 1, #values do
    list[i] = is_rate and native[i] / values[i] or values[i] / native[i]
  end
  return list
end

--- "met" when the median is within `target`; "~" when the quartiles lie on both sides of it.
local function verdict(five, target)
  local doubt = five[2] <= target and five[4] > target and " ~" or ""
  return (five[3] <= target and "met" or "not met") .. doubt
end

local METRICS = {
  wall = { title = "time", format = "%.1f ms" },
  own = { title = "time", format = "%.1f ms" },
  delay = { title = "delay", format = "%.2f ms" },
  rate = { title = "rate", format = "%.0f/s" },
}

local function one_table(measured, load, key, metric)
  local title = key == "cpu_ms" and "CPU time" or key == "wall_ms" and "whole run" or METRICS[metric].title
  local made = { title = title, what = metric == "delay" and "ms" or "ratio", rows = {}, targets = {} }
  local native = assert(measured.native, "no native run")[key]
  for _, variant in ipairs(loads.variants) do
    local values = measured[variant.name] and measured[variant.name][key]
    if values then
      local row = { variant = variant.name, median = METRICS[metric].format:format(M.five(values)[3]), verdict = "" }
      if metric == "delay" then
        row.five = M.five(values)
      elseif variant.name ~= "native" then
        row.five = M.five(ratios(values, native, metric == "rate"))
      end
      local target = key == "values" and load.targets[variant.name]
      if target then
        row.target = target
        row.verdict = verdict(row.five, target)
        table.insert(made.targets, target)
      end
      table.insert(made.rows, row)
    end
  end
  made.rounds = #native
  return made
end

--- What the lines in `all` say of a load: the table of its metric, and that of CPU time (a start's, too: whole run).
function M.tables(all, load)
  local measured = {}
  for _, line in ipairs(all) do
    if line.kind == "load" and line.load == load.name then
      measured[line.variant] = line
    end
  end
  if not measured.native then
    return {}
  end
  local list = { one_table(measured, load, "values", load.metric) }
  if load.metric == "delay" then
    list[2] = one_table(measured, load, "wall_ms", "wall")
  end
  if load.metric ~= "rate" then
    list[#list + 1] = one_table(measured, load, "cpu_ms", "wall")
  end
  return list
end

--- Processes that stand between the application and the kernel, or guard those; the sensor does not.
local function is_watcher(name)
  return name ~= "moonwatch-sens"
end

--- What moonwatch's processes took beside a service, a variant each; and the sums that have targets.
function M.services(all, load)
  local list = {}
  for _, line in ipairs(all) do
    if line.kind == "service" then
      local service = { variant = line.variant, processes = {}, idle_s = line.idle_s, checks = line.checks }
      local percent, watchers_rss = 0, 0
      for _, process in ipairs(line.processes) do
        local idle = process.idle_ns / line.idle_s -- per second
        local check = (process.busy_ns - idle * line.busy_s) / line.checks
        percent = percent + (idle + check / load.check_every_s) / 1e9 * 100
        watchers_rss = watchers_rss + (is_watcher(process.name) and process.rss_kib / 1024 or 0)
        table.insert(service.processes, {
          name = process.name,
          idle_ms_per_s = idle / 1e6,
          check_ms = check / 1e6,
          rss_mib = process.rss_kib / 1024,
          pss_mib = process.pss_kib / 1024,
        })
      end
      service.sums = {
        {
          title = ("CPU of all of them, with a check every %d s"):format(load.check_every_s),
          value = percent,
          unit = "% of a CPU",
          target = load.targets.cpu_percent,
        },
        {
          title = "RSS of guard and tracer together",
          value = watchers_rss,
          unit = "MiB",
          target = load.targets.watchers_rss_mib,
        },
      }
      for _, sum in ipairs(service.sums) do
        sum.verdict = sum.value <= sum.target and "met" or "not met"
      end
      table.insert(list, service)
    end
  end
  return list
end

--- The line that says on what it was measured, and the line that ends a run.
function M.machine(all)
  local found, last
  for _, line in ipairs(all) do
    found = line.kind == "machine" and line or found
    last = line.kind == "end" and line or last
  end
  return found, last
end

--- Did other work take part of the machine's time when it began?
function M.is_busy(machine)
  return tonumber(machine.load) >= machine.cpus / 4
end

--- Counts of started programs; each gets a verdict.
function M.execs(all)
  local list = {}
  for _, line in ipairs(all) do
    if line.kind == "execs" then
      line.recorded, line.kernel = math.tointeger(line.recorded), line.kernel and math.tointeger(line.kernel)
      line.expected = M.load_named(line.load).execs
      local is_same = line.recorded == (line.kernel or line.expected or line.recorded)
      if not line.kernel and not line.expected then
        line.verdict = "nothing to compare with"
      else
        line.verdict = is_same and "all of them" or "NOT the same"
      end
      table.insert(list, line)
    end
  end
  return list
end

return M
