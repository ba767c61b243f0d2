--- Writes docs/overhead.md from the results of a whole run of tests/bench/run.
---
--- usage: moonwatch lua docs.lua RESULTS PAGE

local here = arg[0]:match "^(.*)/" or "."
package.path = here .. "/?.lua;" .. package.path
local loads = require "loads"
local results = require "results"

local all = results.read(arg[1])
local machine, last = results.machine(all)
if not machine or not last or last.failed ~= 0 or machine.only ~= "" or machine.variants ~= "" then
  io.stderr:write("docs.lua: these are not the results of a whole run that went well: make bench, without a selection\n")
  os.exit(1)
end

local lines = {}

local function put(text, ...)
  lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text
end

local function heading(text)
  put("\n## %s\n", text)
end

--- A Markdown table; the first column to the left, the others to the right.
local function put_table(head, rows)
  put("| " .. table.concat(head, " | ") .. " |")
  put("| --- |" .. (" ---: |"):rep(#head - 1))
  for _, row in ipairs(rows) do
    put("| " .. table.concat(row, " | ") .. " |")
  end
end

--- Variants that were run, in order; the native one left out.
local function compared()
  local is_there = {}
  for _, line in ipairs(all) do
    is_there[line.variant or ""] = line.kind == "load" or is_there[line.variant or ""]
  end
  local list = {}
  for _, variant in ipairs(loads.variants) do
    if is_there[variant.name] and variant.name ~= "native" then
      table.insert(list, variant)
    end
  end
  return list
end

local function row_of(table_, variant)
  for _, row in ipairs(table_.rows) do
    if row.variant == variant then
      return row
    end
  end
end

local function put_machine()
  heading "On what"
  put_table({ "", "" }, {
    { "moonwatch", ("%s, commit %s"):format(machine.moonwatch, machine.project ~= "" and machine.project or "unknown") },
    { "measured", ("%s, in %d s"):format(machine.date, last.seconds) },
    { "kernel", machine.kernel },
    { "CPU", ("%d × %s%s"):format(machine.cpus, machine.model, machine.virtual == "yes" and ", virtual" or "") },
    { "memory", ("%d MiB"):format(machine.memory_mib) },
    { "load average", ("%s before, %s after"):format(machine.load, last.load) },
    { "compiler", machine.cc },
    { "compared with", ("strace %s"):format(machine.strace) },
    { "servers", ("nginx %s, PostgreSQL %s, Redis %s"):format(machine.nginx, machine.postgresql, machine.redis) },
    { "files of the loads", ("on %s"):format(machine.files) },
  })
  if results.is_busy(machine) then
    put "\n**The machine was busy with other things: ratios of time are rough here, those of CPU time less so.**"
  end
end

local function put_method(variants)
  heading "How"
  put "Each load runs natively and in each of these ways:\n"
  for _, variant in ipairs(variants) do
    put("- **%s**: %s", variant.name, variant.title)
  end
  for _, line in ipairs(all) do
    if line.kind == "missing" then
      put("- **%s** was left out: %s", line.variant, line.why)
    end
  end
  put([[

A round is one run of each, in an order that rotates from round to round, at most %d rounds after one that warms up. A ratio is to
the native run of the same round: 1 is no cost, above 1 is slower. Of servers only the server is wrapped, and the ratio is that of
what their client got done, native to wrapped. Each number stands for the median of its ratios, with their quartiles in brackets. `~`
marks where a target lies between the quartiles: here the machine was too unquiet to be sure.

The programs that make one call many times measure their own loop; the shell script and `make` are measured from start to end, with
the start of the sensor and the hold at the end in which it saves what it saw. strace stops a forked process at each of its system
calls until it executes a program, which is what slows servers that fork. CPU time is that of all
processes from start to end, the sensor's included.]], machine.rounds)
end

local function put_ratios(variants)
  heading "Ratios to native"
  local has_target = {}
  for _, load in ipairs(loads.loads) do
    for name in pairs(load.targets) do
      has_target[name] = true
    end
  end
  local head = { "load", "native" }
  for _, variant in ipairs(variants) do
    table.insert(head, variant.name)
    if has_target[variant.name] then
      table.insert(head, "target")
      table.insert(head, "")
    end
  end
  local rows = {}
  for _, load in ipairs(loads.loads) do
    local table_ = load.metric ~= "delay" and results.tables(all, load)[1]
    if table_ then
      local row = { load.title, row_of(table_, "native").median }
      for _, variant in ipairs(variants) do
        local of = row_of(table_, variant.name)
        table.insert(row, ("%.3f (%.3f to %.3f)"):format(of.five[3], of.five[2], of.five[4]))
        if has_target[variant.name] then
          table.insert(row, of.target and ("%.2f"):format(of.target) or "")
          table.insert(row, of.verdict)
        end
      end
      table.insert(rows, row)
    end
  end
  put_table(head, rows)
  put ""
  for _, load in ipairs(loads.loads) do
    if results.tables(all, load)[1] then
      put("- **%s**: %s", load.title, load.what)
    end
  end
end

local function put_start()
  heading "Start-up"
  local load = results.load_named "start"
  local delay, whole = table.unpack(results.tables(all, load))
  local rows = {}
  for _, row in ipairs(delay.rows) do
    table.insert(rows, {
      row.variant,
      ("%.2f ms (%.2f to %.2f)"):format(row.five[3], row.five[2], row.five[4]),
      row.target and ("%g ms"):format(row.target) or "",
      row.verdict,
      row_of(whole, row.variant).median,
    })
  end
  put "From the start of the command until the first instruction of the application, and until the end of the program,"
  put "which does no more than say so:\n"
  put_table({ "", "first instruction", "target", "", "end" }, rows)
end

local function put_details(variants)
  heading "All five numbers"
  local rows = {}
  for _, load in ipairs(loads.loads) do
    for _, table_ in ipairs(load.metric ~= "delay" and results.tables(all, load) or {}) do
      for _, variant in ipairs(variants) do
        local five = row_of(table_, variant.name).five
        local row = { load.title, table_.title, variant.name, table_.rounds }
        for i = 1, 5 do
          row[#row + 1] = ("%.3f"):format(five[i])
        end
        table.insert(rows, row)
      end
    end
  end
  put_table({ "load", "of", "variant", "rounds", "min", "q1", "median", "q3", "max" }, rows)
end

local function put_service()
  heading "Beside a service"
  local load = results.load_named "service"
  local rows, sums = {}, {}
  for _, service in ipairs(results.services(all, load)) do
    for _, process in ipairs(service.processes) do
      table.insert(rows, {
        service.variant,
        process.name,
        ("%.3f ms"):format(process.idle_ms_per_s),
        ("%.3f ms"):format(process.check_ms),
        ("%.2f MiB"):format(process.rss_mib),
        ("%.2f MiB"):format(process.pss_mib),
      })
    end
    for _, sum in ipairs(service.sums) do
      table.insert(sums, ("- %s: %s: **%.3f %s**, target %g, %s"):format(service.variant, sum.title, sum.value, sum.unit, sum.target,
        sum.verdict))
    end
  end
  put("%s RSS counts shared pages in full, PSS in parts.\n", load.what)
  put_table({ "variant", "process", "CPU a second, idle", "CPU a check", "RSS", "PSS" }, rows)
  put("\n" .. table.concat(sums, "\n"))
end

local function put_execs()
  heading "Every exec counted"
  local rows, whys = {}, {}
  for _, line in ipairs(results.execs(all)) do
    local title = results.load_named(line.load).title
    table.insert(rows, { line.variant, title, line.kernel or "-", line.expected or "-", line.recorded, line.verdict })
    whys[#whys + 1] = line.why
  end
  put("%s\n", results.load_named("execs").what)
  put_table({ "variant", "load", "kernel", "load knows", "recorded", "" }, rows)
  if whys[1] then
    put("\nThe kernel could not be asked: %s", whys[1])
  end
end

local variants = compared()
put "# What moonwatch costs\n"
put "Written by `make bench-docs` from a run of `make bench`; tests/bench/loads.lua has the loads and the targets."
put_machine()
put_method(variants)
put_ratios(variants)
put_start()
put_service()
put_execs()
put_details(variants)
heading "Again"
put [[
```sh
make bench-docs                                              # all of it, about ten minutes, and this page
make bench                                                   # all of it
make bench MOONWATCH_BENCH_ONLY=spawn,signal                 # some loads
make bench MOONWATCH_BENCH_VARIANTS=events                   # native and one other way only
make bench MOONWATCH_BENCH_ONLY=open MOONWATCH_BENCH_ROUNDS=31
```

A quiet machine is needed where a target is a per cent away from native. `build/bench/results.jsonl` has the value of each run.]]

local page = assert(io.open(arg[2], "w"))
assert(page:write(table.concat(lines, "\n"), "\n"))
assert(page:close())
