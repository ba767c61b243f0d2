--- `moonwatch status`: the table moonwatch_health, for people.

local cjson = require "cjson"
local sql = require "moonwatch.sql"
local text = require "moonwatch.text"

---@class moonwatch.status
local M = {}

--- A sensor writes every 5 s at least (core/sensor/health.h).
local STALE_S = 15

local EXIT_OK, EXIT_NO, EXIT_USAGE = 0, 1, 2

local SCHEDULE = [[SELECT count(*) AS queries, coalesce(sum(executions), 0) AS runs, max(last_executed) AS last,
  coalesce(sum(denylisted), 0) AS denylisted, count(message) AS failing, (SELECT count(*) FROM osquery_packs WHERE active) AS packs
  FROM osquery_schedule]]

-- A sensor without a folder to write to keeps its state in memory, where nobody else can read it.
local SENSORS = "SELECT pid FROM processes WHERE name = 'moonwatch-sens' LIMIT 1"

local QUERY = "SELECT run, ended, time, component, name, value, unit, text FROM moonwatch_health"

---@class moonwatch.status.Row
---@field component string
---@field name string
---@field value integer?
---@field unit string?
---@field text string?

---@class moonwatch.status.Run
---@field run string  beginning of its events' ids
---@field ended boolean
---@field time integer  when it was heard of last, in seconds since 1970
---@field rows moonwatch.status.Row[]
---@field state string?  "collecting", "stopped", "off", "ended", "stale"
---@field [string] table<string, moonwatch.status.Row>  rows by component and name

---@param database moonwatch.Database
---@return moonwatch.status.Run[]? runs  the one heard of last is the first
---@return string? message
local function read(database)
  local query, message = database:prepare(QUERY)
  if not query then
    return nil, tostring(message)
  end
  local runs, by_id = {}, {}
  while true do
    local row, why = query:step()
    if row == nil then
      query:close()
      return nil, why
    elseif not row then
      break
    end
    local id, ended, time, component, name = row[1], row[2], row[3], row[4], row[5]
    local run = by_id[id]
    if not run then
      run = { run = id, ended = ended == 1, time = time, rows = {}, by_name = {} }
      by_id[id] = run
      runs[#runs + 1] = run
    end
    local item = { component = component, name = name, value = row[6], unit = row[7], text = row[8] }
    run.rows[#run.rows + 1] = item
    run.by_name[component .. "." .. name] = item
  end
  query:close()
  return runs
end

---@class moonwatch.status.Schedule
---@field queries integer
---@field packs integer      that are active
---@field runs integer
---@field last integer       in seconds since 1970; 0: none has run yet
---@field denylisted integer
---@field failing integer    whose last run went wrong

--- nil when nothing is scheduled.
---@param database moonwatch.Database
---@return moonwatch.status.Schedule?
local function read_schedule(database)
  local query = database:prepare(SCHEDULE)
  local row = query and query:step()
  if query then
    query:close()
  end
  if not row or row[1] == 0 then
    return nil
  end
  return { queries = row[1], runs = row[2], last = row[3] or 0, denylisted = row[4], failing = row[5], packs = row[6] }
end

--- A sensor that runs here, though nothing it wrote was found.
---@param database moonwatch.Database
---@return integer? pid
local function find_sensor(database)
  local query <close> = database:prepare(SENSORS)
  local row = query and query:step()
  return row and row[1] or nil
end

local function state_of(run, now)
  local row = run.by_name["sensor.state"]
  if not run.ended and now - run.time > STALE_S then
    return "stale"
  end
  return row and row.text or "stale"
end

-- For people.

local function number(run, name)
  local row = run.by_name[name]
  return row and row.value or 0
end

local function words(run, name)
  local row = run.by_name[name]
  return row and row.text and text.printable(row.text, 300)
end

local function bytes(n)
  for _, unit in ipairs { "B", "KiB", "MiB" } do
    if n < 1024 then
      return ("%.4g %s"):format(n, unit)
    end
    n = n / 1024
  end
  return ("%.4g GiB"):format(n)
end

local function duration(s)
  local days, hours, minutes = s // 86400, s // 3600 % 24, s // 60 % 60
  return days > 0 and ("%d d %d h"):format(days, hours) or hours > 0 and ("%d h %d min"):format(hours, minutes)
    or minutes > 0 and ("%d min %d s"):format(minutes, s % 60) or ("%d s"):format(s)
end

local function utc(s)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", s)
end

local SENTENCES = {
  collecting = "running and collecting",
  off = "running; process events are off",
  stopped = "running, but process events are not collected",
  ended = "ended",
  stale = "not heard of lately: it was killed, or hangs",
}

--- What is not zero of a component, "a 1, b 2".
local function list(run, component, zero)
  local parts = {}
  for _, row in ipairs(run.rows) do
    if row.component == component and (row.value or 0) > 0 then
      parts[#parts + 1] = ("%s %d"):format(text.printable(row.name, 60), row.value)
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or zero
end

local FATES = { "written", "read", "dropped", "set_aside", "handed_over", "waiting" }

--- A line for each who delivers: all of its streams together.
local function deliveries(run)
  local names, sums = {}, {}
  for _, row in ipairs(run.rows) do
    local name = row.component:match "^delivery (.+)$"
    local fate = name and row.name:match "^%l+_([%l_]+)$"
    if fate then
      if not sums[name] then
        names[#names + 1], sums[name] = name, {}
      end
      sums[name][fate] = (sums[name][fate] or 0) + (row.value or 0)
    end
  end
  for i, name in ipairs(names) do
    local sum = sums[name]
    for _, fate in ipairs(FATES) do
      sum[fate] = sum[fate] or 0
    end
    names[i] = ("%s: %d of %d delivered, %d wait; %d dropped, %d set aside, %d handed over"):format(
      text.printable(name, 128), sum.read, sum.written, sum.waiting, sum.dropped, sum.set_aside, sum.handed_over)
  end
  return names
end

local function lines_of(run, now, schedule)
  local lines = {}
  local function say(label, format, ...)
    lines[#lines + 1] = ("%-11s "):format(label) .. (select("#", ...) > 0 and format:format(...) or format)
  end
  local why = words(run, "sensor.why")
  say("state", SENTENCES[run.state] .. (why and (": " .. why) or ""))
  say("engine", words(run, "sensor.engine") or "none")
  say("since", "%s, for %s; last heard of %s", utc(number(run, "sensor.started")),
    duration(math.max(0, (run.ended and run.time or now) - number(run, "sensor.started"))), utc(run.time))
  say("processes", "guard %d, tracer %d (restarted %d times), sensor %d (%d times)", number(run, "guard.pid"),
    number(run, "tracer.pid"), number(run, "tracer.restarts"), number(run, "sensor.pid"),
    number(run, "sensor.restarts"))
  say("attention", "calls %d, events %d, off %d processes; %d refused for the budget", number(run, "attention.calls"),
    number(run, "attention.events"), number(run, "attention.off"), number(run, "tracer.budget_refusals"))
  say("tracer", "%d stops (%d a second), %d of them at system calls; %d late processes, %d gaps, %d verdicts too late",
    number(run, "tracer.stops"), number(run, "tracer.stops_per_s"), number(run, "tracer.call_stops"),
    number(run, "tracer.late"), number(run, "tracer.gaps"), number(run, "tracer.verdicts_timed_out"))
  say("captured", "%d: %s", number(run, "accounting.captured"), list(run, "captured", "nothing yet"))
  say("kept", "%d in the spool; %d of kinds it does not keep; %d alerts", number(run, "accounting.stored"),
    number(run, "accounting.unwanted"), number(run, "accounting.alerts"))
  say("dropped", list(run, "dropped", "nothing"))
  say("ring", "%s of %s at most", bytes(number(run, "ring.high_water")), bytes(number(run, "ring.capacity")))
  say("rules", "%d loaded, %d files refused, %d switched off, %d faults", number(run, "rules.loaded"),
    number(run, "rules.refused"), number(run, "rules.switched_off"), number(run, "rules.faults"))
  for _, row in ipairs(run.rows) do
    if row.component == "rule" then
      say("", "%s: %d faults%s", row.name, row.value or 0, row.text and (", " .. row.text) or "")
    end
  end
  if schedule then
    say("schedule", "%d queries, %d packs active; %d runs, the last one %s; %d fail, %d are not run for a day", schedule.queries,
      schedule.packs, schedule.runs, schedule.last > 0 and utc(schedule.last) or "still to come", schedule.failing,
      schedule.denylisted)
  end
  for _, line in ipairs(deliveries(run)) do
    say("delivery", "%s", line)
  end
  local last = run.by_name["sensor.last_event"]
  say("last event", last and ("%s, %s"):format(utc(last.value), last.text) or "none")
  return table.concat(lines, "\n") .. "\n"
end

-- For programs: component -> name -> value, or text where there is no value.

local function object_of(run)
  local object = { run = run.run, ended = run.ended, time = run.time, state = run.state, health = {} }
  for _, row in ipairs(run.rows) do
    local component = object.health[row.component] or {}
    object.health[row.component] = component
    if row.text and row.value then
      component[row.name] = { value = row.value, text = row.text }
    else
      component[row.name] = row.value or row.text
    end
  end
  return object
end

local function parse(list_of_words)
  local options = { json = false, state_dir = "" }
  for _, word in ipairs(list_of_words) do
    local dir = word:match("^%-%-state_dir=(.*)$")
    if word == "--json" then
      options.json = true
    elseif dir then
      options.state_dir = dir
    else
      return nil, ("%q is not known; see `moonwatch status --help`"):format(text.printable(word, 60))
    end
  end
  return options
end

---@param list_of_words string[]
---@return integer status
function M.main(list_of_words)
  local options, message = parse(list_of_words)
  if not options then
    io.stderr:write("moonwatch: status: ", message, "\n")
    return EXIT_USAGE
  end
  local database <close>, why = sql.open { state_dir = options.state_dir }
  local runs = database and {}
  if database then
    runs, why = read(database)
  end
  if not runs then
    io.stderr:write("moonwatch: status: ", why or "cannot be read", "\n")
    return EXIT_NO
  end
  local now = os.time()
  local schedule = database and read_schedule(database)
  local elsewhere = database and #runs == 0 and find_sensor(database) or nil
  for _, run in ipairs(runs) do
    run.state = state_of(run, now)
  end
  if options.json then
    local objects = {}
    for i, run in ipairs(runs) do
      objects[i] = object_of(run)
    end
    local first = objects[1]
    local is_running = elsewhere ~= nil or first ~= nil and first.state ~= "ended" and first.state ~= "stale"
    io.stdout:write(('{"running":%s,"state":%s,%s"sensors":%s}\n'):format(tostring(is_running),
      cjson.encode(first and first.state or elsewhere and "elsewhere" or "not running"),
      schedule and ('"schedule":%s,'):format(cjson.encode(schedule)) or "", first and cjson.encode(objects) or "[]"))
  elseif elsewhere then
    io.stdout:write(("state       not known: a sensor runs here, process %d, but has written nothing here; its state is in memory, "
      .. "or in another --state_dir\n"):format(elsewhere))
  elseif #runs == 0 then
    local warning = database and database:warnings() or ""
    io.stdout:write("state       not running: nothing was ever written here", warning ~= "" and "\n" or "", warning, "\n")
  end
  for i, run in ipairs(options.json and {} or runs) do
    io.stdout:write(i > 1 and "\n" or "", lines_of(run, now, i == 1 and schedule or nil))
  end
  local state = runs[1] and runs[1].state
  return (state == "collecting" or state == "off") and EXIT_OK or EXIT_NO
end

return M
