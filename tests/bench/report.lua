--- Makes text of what tests/bench/run measured, and tells it what to measure.
---
--- usage: moonwatch lua report.lua plan BENCH BUILD TEMPORARY    the loads: name, metric, budget, command; parted by tabs
---        moonwatch lua report.lua prefixes BENCH MOONWATCH      the variants: name, moonwatch's engine or "-", words
---        moonwatch lua report.lua text RESULTS LOAD             what was measured of LOAD, for a terminal
---        moonwatch lua report.lua machine RESULTS               the same of the machine
---        moonwatch lua report.lua line KEY=VALUE…               a line of results

local here = arg[0]:match "^(.*)/" or "."
package.path = here .. "/?.lua;" .. package.path
local cjson = require "cjson"
local loads = require "loads"
local results = require "results"

local function fill(words, values)
  local filled = {}
  for i, word in ipairs(words) do
    filled[i] = word:gsub("{(%w+)}", values)
  end
  return filled
end

local commands = {}

function commands.plan(bench, build, temporary)
  local values = { bench = bench, build = build, temporary = temporary }
  for _, load in ipairs(loads.loads) do
    local words = fill(load.command, values)
    print(table.concat({ load.name, load.metric, load.budget or loads.default_budget_s, table.unpack(words) }, "\t"))
  end
end

function commands.prefixes(bench, moonwatch)
  for _, variant in ipairs(loads.variants) do
    local words = fill(variant.prefix, { bench = bench, moonwatch = moonwatch })
    print(table.concat({ variant.name, variant.engine or "-", table.unpack(words) }, "\t"))
  end
end

local FIVE = { "min", "q1", "median", "q3", "max" }
local ROW = "  %-22s %12s   %-6s" .. (" %8s"):rep(#FIVE) .. "   %s"

local function print_row(name, median, what, five, verdict)
  local cells = {}
  for i = 1, #FIVE do
    cells[i] = five and (type(five[i]) == "number" and ("%.3f"):format(five[i]) or five[i]) or ""
  end
  local row = ROW:format(name, median, what, cells[1], cells[2], cells[3], cells[4], cells[5], verdict)
  print((row:gsub("%s+$", "")))
end

local function print_service(all, load)
  print(("  %-10s %-18s %14s %14s %10s %10s"):format("", "", "CPU, idle", "CPU per check", "RSS", "PSS"))
  for _, service in ipairs(results.services(all, load)) do
    for _, process in ipairs(service.processes) do
      print(("  %-10s %-18s %9.3f ms/s %11.3f ms %6.2f MiB %6.2f MiB"):format(service.variant, process.name,
        process.idle_ms_per_s, process.check_ms, process.rss_mib, process.pss_mib))
    end
    for _, sum in ipairs(service.sums) do
      print(("  %-10s %s: %.3f %s, target %g, %s"):format(service.variant, sum.title, sum.value, sum.unit, sum.target,
        sum.verdict))
    end
  end
end

local function print_execs(all)
  for _, line in ipairs(results.execs(all)) do
    print(("  %-10s %-10s kernel %-7s load %-7s recorded %-7d %s"):format(line.variant, line.load,
      line.kernel or "-", line.expected or "-", line.recorded, line.verdict))
    if line.why then
      print("             the kernel could not be asked: " .. line.why)
    end
  end
end

function commands.text(path, name)
  local load = results.load_named(name)
  local all = results.read(path)
  print(("%s: %s (%s)"):format(name, load.title, load.what))
  if load.metric == "service" then
    return print_service(all, load)
  elseif load.metric == "execs" then
    return print_execs(all)
  end
  for _, table_ in ipairs(results.tables(all, load)) do
    local title = ("%s (%d rounds)"):format(table_.title, table_.rounds)
    print_row(title, "median", "", FIVE, #table_.targets > 0 and "target" or "")
    for _, row in ipairs(table_.rows) do
      print_row(row.variant, row.median, row.five and table_.what or "", row.five,
        row.target and ("%-7.7s %s"):format(("%.2f"):format(row.target), row.verdict) or "")
    end
  end
end

--- On what it is measured.
function commands.machine(path)
  local machine = results.machine(results.read(path))
  print(("%s; %s, %d CPUs (%s%s), load average %s; %s; at most %d rounds"):format(machine.moonwatch, machine.kernel,
    machine.cpus, machine.model, machine.virtual == "yes" and ", virtual" or "", machine.load, machine.cc,
    machine.rounds))
  if results.is_busy(machine) then
    print "the machine is busy with other things: ratios of time will be rough, those of CPU time less so"
  end
end

--- A line of results, for what is no load of pair's: strings and numbers by name.
function commands.line(...)
  local line = {}
  for _, word in ipairs { ... } do
    local key, value = word:match "^([%w_]+)=(.*)$"
    line[key] = value:match "^%d+$" and math.tointeger(value) or value
  end
  print(cjson.encode(line))
end

local command = commands[arg[1]]
if not command then
  io.stderr:write("usage: report.lua plan|prefixes|text|machine|line …\n")
  os.exit(2)
end
command(table.unpack(arg, 2))
