--- Makes text of what tests/bench/run measured, and tells it what to measure.
---
--- usage: moonwatch lua report.lua plan BENCH BUILD TEMPORARY    the loads: name, metric, budget, command; parted by tabs
---        moonwatch lua report.lua prefixes MOONWATCH            the variants: name, "moonwatch" or "other", words
---        moonwatch lua report.lua text RESULTS LOAD             what was measured of LOAD, for a terminal

local here = arg[0]:match "^(.*)/" or "."
package.path = here .. "/?.lua;" .. package.path
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

function commands.prefixes(moonwatch)
  for _, variant in ipairs(loads.variants) do
    for _, prefix in ipairs(variant.prefixes) do
      local words = fill(prefix, { moonwatch = moonwatch })
      table.insert(words, 1, variant.is_moonwatch and "moonwatch" or "other")
      table.insert(words, 1, variant.name)
      print(table.concat(words, "\t"))
    end
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

function commands.text(path, name)
  local load = results.load_named(name)
  local all = results.read(path)
  print(("%s: %s (%s)"):format(name, load.title, load.what))
  for _, table_ in ipairs(results.tables(all, load)) do
    local title = ("%s (%d rounds)"):format(table_.title, table_.rounds)
    print_row(title, "median", "", FIVE, #table_.targets > 0 and "target" or "")
    for _, row in ipairs(table_.rows) do
      print_row(row.variant, row.median, row.five and table_.what or "", row.five,
        row.target and ("%-7.7s %s"):format(("%.2f"):format(row.target), row.verdict) or "")
    end
  end
end

local command = commands[arg[1]]
if not command then
  io.stderr:write("usage: report.lua plan|prefixes|text …\n")
  os.exit(2)
end
command(table.unpack(arg, 2))
