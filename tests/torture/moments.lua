--- One application under torment (tests/system/programs/torment.c), and what the sensor made of it.
local cjson = require "cjson"
local support = require "tests.system.support"

---@class torture.moments
local M = {}

---@class torture.Moment
---@field way string
---@field done integer      all of labour's numbers below were done before it
---@field watched integer   from here on all were begun under a tracer again; 0 when there is none
---@field after_ms integer

---@class torture.Report
---@field text string          all that torment and the application said
---@field code integer         0 when torment found nothing wrong
---@field moments torture.Moment[]
---@field worked integer       programs that were executed: numbers 0 to worked - 1
---@field sent integer         signals
---@field got integer
---@field delivered table[]    events of the file
---@field torn integer         lines of it that are not whole
---@field spooled table[]      rows of process_events
---@field messages string[]    of sensor.health
---@field health table<string, integer>  what the sensor counted to its end: "component name" of moonwatch_health

--- Ways after which the tracer is another one, or none.
M.loses_tracer = {
  ["kill-tracer"] = true,
  ["kill-tracer-and-sensor"] = true,
  ["stop-tracer"] = true,
  ["kill-tracer-while-guard-is-stopped"] = true,
  ["kill-guard"] = true,
}

M.loses_sensor = { ["kill-sensor"] = true, ["kill-tracer-and-sensor"] = true }

--- All ways; after the last nobody is left to recover.
M.ways = {
  "kill-tracer", "stop-tracer", "kill-sensor", "stop-sensor", "kill-tracer-and-sensor", "stop-guard",
  "kill-tracer-while-guard-is-stopped", "kill-guard",
}

local function read_events(path)
  local events, torn = {}, 0
  for line in support.read(path):gmatch "[^\n]+" do
    local is_whole, event = pcall(cjson.decode, line)
    if is_whole then
      events[#events + 1] = event
    else
      torn = torn + 1
    end
  end
  return events, torn
end

--- Run an application, and torment the sensor `moments` times, in ways drawn from `ways`.
---@param seed integer
---@param moments integer
---@param ways string[]
---@return torture.Report
function M.torment(seed, moments, ways)
  local board, events, state = support.new_path(), support.new_path(), support.new_path()
  local program = support.program
  local result = support.run(("%s %s %d %d %s %s run --attach_timeout_ms=10000 --state_dir=%s --outputs=events/json:file=%s"
    .. " --audit_allow_fork_process_events=true --audit_allow_exit_process_events=true"
    .. " --audit_allow_sockets=false -- %s %s"):format(program "torment",
    board, seed, moments, table.concat(ways, ","), support.moonwatch, state, events, program "labour", board))
  local report = { text = result.out .. result.err, code = result.code, moments = {}, messages = {} }
  for way, done, watched, after_ms in result.out:gmatch "moment (%S+) %d+ done (%d+) watched (%d+) after (%d+)" do
    report.moments[#report.moments + 1] = {
      way = way,
      done = tonumber(done),
      watched = tonumber(watched),
      after_ms = tonumber(after_ms),
    }
  end
  report.worked = tonumber(result.out:match "\nworked (%d+)") or 0
  local sent, got = result.out:match "\nsignals (%d+) (%d+)"
  report.sent, report.got = tonumber(sent) or 0, tonumber(got) or 0
  report.delivered, report.torn = read_events(events)
  report.spooled = support.sql(state, "select eid, cmdline, syscall from process_events")
  report.health = {}
  for _, row in ipairs(support.sql(state, "select component, name, value from moonwatch_health")) do
    report.health[row.component .. " " .. row.name] = tonumber(row.value)
  end
  for _, event in ipairs(report.delivered) do
    if event.kind == "sensor.health" then
      report.messages[#report.messages + 1] = event.message
    end
  end
  return report
end

--- Labour's number in a command line.
local function number_of(cmdline)
  return tonumber(cmdline:match "^/bin/true (%d+)$" or cmdline:match "^/bin/false (%d+)$" or cmdline:match " die (%d+)$")
end

--- Numbers of which at least one record of the execution was kept, delivered or spooled.
---@param report torture.Report
---@return table<integer, boolean> seen, integer count
function M.recorded(report)
  local seen, count = {}, 0
  local function see(cmdline)
    local number = cmdline and number_of(cmdline)
    if number and not seen[number] then
      seen[number], count = true, count + 1
    end
  end
  for _, event in ipairs(report.delivered) do
    if event.kind == "process.exec" then
      see(event.process.cmdline)
    end
  end
  for _, row in ipairs(report.spooled) do
    if row.syscall == "execve" or row.syscall == nil then
      see(row.cmdline)
    end
  end
  return seen, count
end

--- Numbers that must be recorded and are not: those from one return of the tracer (or the start) to its next loss (or the end).
---@param report torture.Report
---@return integer[]
function M.missed(report)
  local seen, missed = M.recorded(report), {}
  local from = 0 ---@type integer?
  local function check(below)
    for number = from or below, below - 1 do
      if not seen[number] then
        missed[#missed + 1] = number
      end
    end
  end
  for _, moment in ipairs(report.moments) do
    if M.loses_tracer[moment.way] then
      check(moment.done)
      from = moment.watched > 0 and moment.watched or nil
    end
  end
  check(report.worked)
  return missed
end

---@class torture.Account  every pair must be equal; what the sensor counted, and what is really there
---@field worked integer      programs with a number that were executed
---@field recorded integer    of these, with a record delivered or spooled
---@field gap integer         processes the sensor says it may have missed; huge when such a saying has itself been lost
---@field dropped integer     records and events it says it has lost, whatever the reason
---@field captured integer    records the tracer made …
---@field arrived integer     … that the sensor read or counted as lost on the way
---@field taken integer       records read, and events of the sensor's own …
---@field placed integer      … that it stored, did not want, or counted as lost
---@field stored integer      events it says it has stored
---@field spooled integer     rows that are there; of the sensor's own events, which have no table, the lines in the file
---@field unwanted integer    events that the spool does not keep
---@field ids_lost integer    ids given out and seen nowhere

--- What there was, and what became of it.
---@param report torture.Report
---@return torture.Account
function M.account(report)
  local health = report.health
  local function sum(...)
    local total = 0
    for _, name in ipairs { ... } do
      total = total + (health[name] or error("moonwatch_health has no " .. name))
    end
    return total
  end
  local _, recorded = M.recorded(report)
  local gap, gaps, own = 0, 0, 0
  for _, event in ipairs(report.delivered) do
    own = own + (event.kind:find "^sensor%." and 1 or 0)
    if event.kind == "sensor.gap" then
      gap, gaps = gap + event.gap.missed, gaps + 1
    end
  end
  local ids, highest, known = {}, 0, 0
  local function see(id)
    local number = tonumber(id:match "%-(%d+)$", 10)
    if not ids[number] then
      ids[number], known = true, known + 1
      highest = math.max(highest, number)
    end
  end
  for _, event in ipairs(report.delivered) do
    see(event.id)
  end
  for _, row in ipairs(report.spooled) do
    see(row.eid)
  end
  return {
    worked = report.worked,
    recorded = recorded,
    gap = gaps >= sum "tracer gaps" and gap or math.maxinteger,
    dropped = sum("dropped ring_full", "dropped unreadable", "dropped spool_lost", "dropped sensor_killed"),
    captured = sum "accounting captured",
    arrived = sum("accounting read", "dropped ring_full", "dropped unreadable"),
    taken = sum("accounting read", "accounting own"),
    placed = sum("accounting silent", "accounting unwanted", "accounting stored", "dropped spool_lost", "dropped sensor_killed"),
    stored = sum "accounting stored",
    unwanted = sum "accounting unwanted",
    spooled = #report.spooled + own,
    ids_lost = highest - known,
  }
end

return M
