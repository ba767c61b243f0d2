--- What queries cost, against the tools that do the same work, in the same run.
---
--- usage: moonwatch lua sql.lua MOONWATCH ROUNDS
---
--- Each command is a process of its own, start and end included; they take turns, and the medians are shown.  Run in a PID
--- namespace of its own, it has 500 processes to look at.

local terminal = require "moonwatch.terminal"

local moonwatch, rounds = arg[1], tonumber(arg[2])

--- `target_ms` is the most that the query may take; `parts` are the queries whose sum it may take twice.
local MEASUREMENTS = {
  { name = "start", query = "SELECT 1", target_ms = 10, tool = "sqlite3 :memory: 'SELECT 1'" },
  { name = "processes", query = "SELECT * FROM processes", target_ms = 15, tool = "ps -ef" },
  { name = "users", query = "SELECT * FROM users", tool = "getent passwd" },
  { name = "packages", query = "SELECT name, version FROM deb_packages", target_ms = 10, tool = "dpkg-query -W" },
  { name = "sockets", query = "SELECT * FROM process_open_sockets", tool = "ss -tanp" },
  { name = "join", query = "SELECT p.pid, p.name, u.username FROM processes p JOIN users u USING (uid)",
    parts = { "processes", "users" } },
  { name = "self join", query = "SELECT c.pid, p.name FROM processes c JOIN processes p ON p.pid = c.parent",
    parts = { "processes", "processes" } },
  { name = "one process", query = "SELECT * FROM processes WHERE pid = 1", tool = "ps -fp 1" },
}

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function has(tool)
  return os.execute("command -v " .. tool:match("^%S+") .. " >/dev/null 2>&1") == true
end

local function time_ms(command)
  local before = terminal.times()
  if not os.execute(command .. " >/dev/null 2>&1 </dev/null") then
    return nil
  end
  return (terminal.times() - before) * 1000
end

local function median(values)
  table.sort(values)
  return #values > 0 and values[(#values + 1) // 2] or nil
end

--- Median times of commands that take turns; nil for one that failed.
local function measure(commands)
  local times = {}
  for round = 0, rounds do -- the first warms up
    for i, command in ipairs(commands) do
      local took = time_ms(command)
      times[i] = round > 0 and times[i] or {}
      if took and round > 0 then
        table.insert(times[i], took)
      end
    end
  end
  for i = 1, #commands do
    times[i] = #times[i] == rounds and median(times[i]) or nil
  end
  return times
end

local function in_ms(value)
  return value and ("%.1f ms"):format(value) or "-"
end

local function verdict(measurement, took, of_query)
  local limit, why = measurement.target_ms, "at most"
  if measurement.parts then
    limit, why = 0, "twice the parts:"
    for _, part in ipairs(measurement.parts) do
      limit = limit + 2 * of_query[part]
    end
  end
  if not limit then
    return ""
  end
  return ("%s %.1f ms: %s"):format(why, limit, took <= limit and "met" or "MISSED")
end

-- The shell that starts each command is in both columns.
print(("%-12s %12s %12s  %s"):format("query", "moonwatch", "tool", ""))
local of_query = {}
for _, measurement in ipairs(MEASUREMENTS) do
  local commands = { ("%s sql --csv %s"):format(quote(moonwatch), quote(measurement.query)) }
  if measurement.tool and has(measurement.tool) then
    commands[2] = measurement.tool
  end
  local times = measure(commands)
  of_query[measurement.name] = times[1]
  print(("%-12s %12s %12s  %-28s %s"):format(measurement.name, in_ms(times[1]), in_ms(times[2]), measurement.tool or "",
    times[1] and verdict(measurement, times[1], of_query) or "failed"))
end
