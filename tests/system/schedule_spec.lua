-- The schedule of a configuration file: result lines, a restart, a query that never ends.
local cjson = require "cjson"
local support = require "tests.system.support"

local ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"

local function config(document)
  local path = support.new_path()
  support.write(path, type(document) == "string" and document or cjson.encode(document))
  return path
end

---@class system.schedule.Run
---@field config table|string
---@field state string?  of a run before
---@field outputs string?  more of them, each behind a comma
---@field flags string?

--- Run `command` with a schedule; the result lines that came of it.
---@param command string
---@param with system.schedule.Run
local function run(command, with)
  local lines, state = support.new_path(), with.state or support.new_path()
  local result = support.run(("MOONWATCH=%s STATE=%s LINES=%s %s run --state_dir=%s --config_path=%s --outputs=%s%s %s -- %s"):format(
    support.moonwatch, state, lines, support.moonwatch, state, config(with.config), "results/json:file=" .. lines,
    with.outputs or "", with.flags or "", command))
  support.await(lines)
  return result, support.json_lines(lines), state, support.read(lines)
end

--- The shell's command that waits until `condition` holds, some seconds at most.
local function until_(condition)
  return ("for i in $(seq 400); do if %s; then break; fi; sleep 0.05; done"):format(condition)
end

local function named(lines, name)
  return support.filter(lines, function(line)
    return line.name == name
  end)
end

local DOCUMENT = [[
{
  // comments are lines of their own
  "options": { "schedule_splay_percent": 0, "pack_delimiter": "/" },
  "schedule": {
    "n": { "query": "SELECT username, uid FROM root", "interval": 1 },
    "all": { "query": "SELECT 1 AS a UNION ALL SELECT 2", "interval": 1, "snapshot": true },
    "execs": { "query": "SELECT path, cmdline FROM process_events WHERE cmdline LIKE '/bin/true mark-%%'", "interval": 1 },
    "wrong": { "query": "SELECT * FROM nowhere", "interval": 1 },
    "elsewhere": { "query": "SELECT 1", "interval": 1, "platform": "windows" }
  },
  "packs": {
    "inline": { "queries": { "q": { "query": "SELECT 'x' || char(1) AS a", "interval": 1 } }, "discovery": ["SELECT 1"] },
    "none": { "queries": { "q": { "query": "SELECT 1", "interval": 1 } }, "discovery": ["SELECT 1 WHERE 0"] },
    "file": "%s"
  },
  "views": { "root": "SELECT username, uid FROM users WHERE uid = 0" },
  "decorators": { "load": ["SELECT 'one' AS first, 2 AS second"] }
}]]

local PACK = [[
# a pack of its own
{ "queries": { "q": { "query": "SELECT 5.5 AS a, NULL AS b", "interval": 1 } } }]]

describe("a schedule from a configuration file", function()
  local pack = support.new_path()
  support.write(pack, PACK)
  local document = DOCUMENT:format(pack)
  -- Until all has run: a snapshot comes last of those that run in a second.
  local command = "sh -c " .. support.quote(until_ [[grep -q '"name":"file/q\|"name":"pack/file/q' $LINES]] .. "; /bin/true mark-1")
  local result, lines, state, text = run(command, { config = document })

  it("writes result lines as osquery does", function()
    assert.are.equal(0, result.code, result.err)
    local line = text:match '([^\n]*"name":"n"[^\n]*)\n'
    local identifier, calendar, unix = line:match '"hostIdentifier":"([^"]+)","calendarTime":"([^"]+)","unixTime":(%d+),'
    assert.are.equal(('{"name":"n","hostIdentifier":"%s","calendarTime":"%s","unixTime":%s,'):format(identifier, calendar, unix)
      .. '"epoch":0,"counter":0,"numerics":false,"decorations":{"first":"one","second":"2"},'
      .. '"columns":{"uid":"0","username":"root"},"action":"added"}', line)
    assert.are.equal(os.date("!%a %b %e %H:%M:%S %Y UTC", tonumber(unix)), calendar)
    assert.is_truthy(identifier:find "^%x+%-%x+%-%x+%-%x+%-%x+$", identifier)
    assert.is_truthy(text:find('{"snapshot":[{"a":"1"},{"a":"2"}],"action":"snapshot","name":"all",', 1, true))
    assert.is_truthy(text:find([["columns":{"a":"x\\x01"},"action":"added"]], 1, true))
    assert.is_truthy(text:find([["name":"pack/file/q"]], 1, true))
    assert.is_truthy(text:find([["columns":{"a":"5.5","b":""},"action":"added"]], 1, true))
    assert.are.equal(1, #named(lines, "n"))
    for _, name in ipairs { "wrong", "elsewhere", "pack/none/q" } do
      assert.are.equal(0, #named(lines, name), name)
    end
  end)

  it("tells what event tables have, also what came last, and once", function()
    local execs = named(lines, "execs")
    assert.are.equal(1, #execs, text)
    assert.are.equal("/bin/true mark-1", execs[1].columns.cmdline)
  end)

  it("tells once of a query that fails", function()
    local _, count = result.err:gsub("query wrong: no such table: nowhere", "")
    assert.are.equal(1, count, result.err)
  end)

  it("is in osquery_schedule, osquery_packs and moonwatch status", function()
    local rows = {}
    for _, row in ipairs(support.sql(state, "SELECT *, message FROM osquery_schedule")) do
      rows[row.name] = row
    end
    assert.is_true(tonumber(rows.n.executions) >= 1)
    assert.are.equal("SELECT username, uid FROM root", rows.n.query)
    assert.are.equal("no such table: nowhere", rows.wrong.message)
    assert.is_nil(rows.elsewhere)
    assert.are.equal("0", rows["pack/none/q"].executions)
    assert.is_true(tonumber(rows.all.output_size) > 100)
    assert.is_true(tonumber(rows.all.average_memory) > 0)
    assert.are.same({ { name = "file", active = "1" }, { name = "inline", active = "1" }, { name = "none", active = "0" } },
      support.sql(state, "SELECT name, active FROM osquery_packs"))
    local status = support.run(("%s status --state_dir=%s"):format(support.moonwatch, state)).out
    assert.is_truthy(status:find "schedule +7 queries, 2 packs active; %d+ runs, the last one 2[^;]+; 1 fail, 0 are not run for a day",
      status)
  end)

  it("goes on after a restart where it was", function()
    local changed = document:gsub("SELECT username, uid FROM root", "SELECT username, uid FROM root UNION SELECT 'new', 7")
    local _, again, _, more = run("sh -c " .. support.quote(
      until_ [[grep -q '"name":"n"' $LINES]] .. "; /bin/true mark-2"), { config = changed, state = state })
    local found = named(again, "n")
    assert.are.equal(1, #found, more)
    assert.are.same({ 1, "added", { uid = "7", username = "new" } }, { found[1].counter, found[1].action, found[1].columns })
    assert.are.equal(0, #named(again, "pack/file/q"), more)
    local execs = named(again, "execs")
    assert.are.equal(1, #execs, more)
    assert.are.equal("/bin/true mark-2", execs[1].columns.cmdline)
    assert.are.equal(2, execs[1].counter)
  end)
end)

describe("a configuration file that changes", function()
  it("is another schedule at once; one that is wrong is refused", function()
    local path, lines, state = support.new_path(), support.new_path(), support.new_path()
    local function document(name)
      return cjson.encode { options = { schedule_splay_percent = 0 }, schedule = { [name] = { query = "SELECT 1", interval = 1,
        snapshot = true } } }
    end
    support.write(path, document "one")
    support.write(path .. ".two", document "two")
    support.write(path .. ".wrong", '{ "schedule": 7 }')
    local script = support.new_path()
    support.write(script, ([[
      lines=%s config=%s
      %s
      cp $config.wrong $config.new && mv $config.new $config
      n=$(wc -l <$lines)
      %s
      cp $config.two $config.new && mv $config.new $config
      %s
    ]]):format(lines, path, until_ [[grep -q '"name":"one"' $lines]], until_ "[ $(wc -l <$lines) -gt $((n + 1)) ]",
      until_ [[grep -q '"name":"two"' $lines]]))
    local result = support.run(("%s run --state_dir=%s --config_path=%s --outputs=results/json:file=%s -- sh %s"):format(
      support.moonwatch, state, path, lines, script))
    assert.is_truthy(result.err:find("line 1: schedule is no object; what was configured before still holds", 1, true), result.err)
    local order = {}
    for _, line in ipairs(support.json_lines(lines)) do
      if line.name ~= order[#order] then
        order[#order + 1] = line.name
      end
    end
    assert.are.same({ "one", "two" }, order)
  end)
end)

describe("a job of no time", function()
  it("is told of by queries over event tables", function()
    for _ = 1, 3 do
      local result, lines, _, text = run("/bin/true marked", { config = { schedule = {
        execs = { query = "SELECT cmdline FROM process_events", interval = 600 },
        all = { query = "SELECT 1", interval = 600 },
      } }, flags = "--shutdown_flush_ms=30000" }) -- other tests take the processors
      assert.are.equal(0, result.code, result.err)
      assert.are.equal("", result.err)
      assert.are.equal(1, #lines, text)
      assert.are.same({ cmdline = "/bin/true marked" }, lines[1].columns)
    end
  end)
end)

describe("a query over events", function()
  it("tells each that was kept, also when the sensor is killed again and again", function()
    local KILL = [[for comm in /proc/[0-9]*/comm; do
      if [ "$(cat $comm 2>/dev/null)" = moonwatch-sens ]; then pid=${comm#/proc/}; kill -9 ${pid%%/*}; fi
    done]]
    local script = support.new_path()
    support.write(script, ([[
      for n in $(seq 90); do
        /bin/true mark-$n
        sleep 0.05
        case $n in 20|45|70) %s;; esac
      done
    ]]):format(KILL))
    local result, lines, state, text = run("sh " .. script, { config = {
      options = { schedule_splay_percent = 0, schedule_event_rows = 100 },
      schedule = { execs = { query = "SELECT eid, cmdline FROM process_events", interval = 1 } },
    } })
    assert.are.equal(0, result.code, result.err)
    local told = {}
    for _, line in ipairs(lines) do
      told[line.columns.eid] = line.columns.cmdline
    end
    local kept = support.sql(state, "SELECT eid, cmdline FROM process_events")
    local marks = 0
    for _, row in ipairs(kept) do
      assert.are.equal(row.cmdline, told[row.eid], ("%s was not told\n%s"):format(row.cmdline, text))
      marks = marks + (row.cmdline:find "^/bin/true mark" and 1 or 0)
    end
    local restarts = support.sql(state, "SELECT value FROM moonwatch_health WHERE component = 'sensor' AND name = 'restarts'")
    assert.are.equal("3", restarts[1].value)
    -- What the ring held when a sensor was killed, its successor has found; a few may be lost with it, and are counted.
    assert.is_true(marks >= 80, marks .. " of 90 were kept")
  end)
end)

describe("a query that never ends", function()
  local function endless(more)
    local options = { schedule_splay_percent = 0 }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return { options = options, schedule = { endless = { query = ENDLESS, interval = 1 }, n = { query = "SELECT 1", interval = 1 } } }
  end
  local DENIED = [[$MOONWATCH sql --state_dir=$STATE --list "SELECT 'yes' AS x FROM osquery_schedule WHERE denylisted" ]]
    .. "2>/dev/null | grep -q yes"
  --- Its thread is at work, and for longer than on anything else.
  local RUNS = "grep -sA2 moonwatch-sql /proc/[0-9]*/task/*/status | grep -q State:.R"
  local AT_WORK = RUNS .. " && sleep 0.3 && " .. RUNS

  it("is stopped, told, and not run again for a day; others run", function()
    local result, lines, state = run("sh -c " .. support.quote(until_(DENIED)),
      { config = endless { query_timeout_ms = 1000 } })
    assert.is_truthy(result.err:find("query endless: stopped after 1000 ms", 1, true), result.err)
    assert.is_truthy(result.err:find("it is not run again for a day", 1, true), result.err)
    assert.are.equal(1, #named(lines, "n"))
    local row = support.sql(state, "SELECT executions, denylisted, wall_time_ms FROM osquery_schedule WHERE name = 'endless'")[1]
    assert.are.same({ "1", "1" }, { row.executions, row.denylisted })
    assert.is_true(tonumber(row.wall_time_ms) >= 1000)
  end)

  it("does not keep events waiting, and ends with the application", function()
    local events = support.new_path()
    local script = support.new_path()
    support.write(script, until_(AT_WORK) .. ([[

      seen=0
      for n in $(seq 10); do
        /bin/true mark-$n
        for i in $(seq 200); do
          if grep -q "mark-$n\"" %s; then seen=$((seen + 1)); break; fi
          sleep 0.02
        done
      done
      %s && echo "seen $seen"
    ]]):format(events, AT_WORK))
    local began = os.time()
    local result, _, state = run("sh " .. script, { config = endless { query_timeout_ms = 120000 },
      outputs = ",events/json:file=" .. events })
    assert.are.equal("seen 10\n", result.out, result.err)
    assert.is_true(os.time() - began < 60, "it took " .. os.time() - began .. " s")
    -- It ran all the while: it never came to its end.
    assert.are.equal("0", support.sql(state, "SELECT executions FROM osquery_schedule WHERE name = 'endless'")[1].executions)
    assert.is_nil(result.err:find("endless", 1, true), result.err)
    local health = support.sql(state, "SELECT name, value FROM moonwatch_health WHERE component = 'dropped' AND value > 0")
    assert.are.same({}, health)
  end)

  it("is not held against it when the sensor is asked to end", function()
    local result, _, state = run("sh -c " .. support.quote(until_(AT_WORK) .. [[
      ; for comm in /proc/[0-9]*/comm; do
        if [ "$(cat $comm 2>/dev/null)" = moonwatch-sens ]; then pid=${comm#/proc/}; kill ${pid%%/*}; break; fi
      done; ]] .. until_ "! grep -qsx moonwatch-sens /proc/[0-9]*/comm" .. "; " .. until_(AT_WORK)),
      { config = endless { query_timeout_ms = 120000 } })
    assert.is_nil(result.err:find("died", 1, true), result.err)
    assert.are.same({ { denylisted = "0" }, { denylisted = "0" } }, support.sql(state, "SELECT denylisted FROM osquery_schedule"))
  end)

  it("is on the denylist when the sensor died while it ran", function()
    local result, _, state = run("sh -c " .. support.quote(until_(AT_WORK) .. [[
      ; for comm in /proc/[0-9]*/task/*/comm; do
        if [ "$(cat $comm 2>/dev/null)" = moonwatch-sql ]; then pid=${comm#/proc/}; kill -9 ${pid%%/*}; break; fi
      done; ]] .. until_(DENIED)),
      { config = endless { query_timeout_ms = 120000 } })
    assert.is_truthy(result.err:find("query endless: the sensor died while it ran; it is not run again for a day", 1, true),
      result.err)
    assert.are.same({ { name = "endless", denylisted = "1" }, { name = "n", denylisted = "0" } },
      support.sql(state, "SELECT name, denylisted FROM osquery_schedule ORDER BY name"))
  end)
end)
