-- What the sensor says of itself: moonwatch_health, moonwatch status, and that every record is accounted for.
local cjson = require "cjson"
local support = require "tests.system.support"

local run, quote, moonwatch = support.run, support.quote, support.moonwatch

--- Health as component -> name -> row, by the table.
local function health_of(state)
  local found = {}
  for _, row in ipairs(support.sql(state, "SELECT component, name, value, unit, text FROM moonwatch_health")) do
    found[row.component] = found[row.component] or {}
    found[row.component][row.name] = { value = tonumber(row.value), unit = row.unit, text = row.text }
  end
  return found
end

--- Health once the sensor has said that it ended.
local function final_health(state)
  local deadline = os.time() + 20
  repeat
    local health = health_of(state)
    if health.sensor and health.sensor.state.text == "ended" then
      return health
    end
  until os.time() > deadline
  error("the sensor has not said that it ended")
end

local function value(health, component, name)
  local row = assert(health[component] and health[component][name], component .. "." .. name)
  return assert(row.value, component .. "." .. name)
end

--- The equations of core/event/board.h.
local function assert_adds_up(health)
  local function accounting(name) return value(health, "accounting", name) end
  local function dropped(name) return value(health, "dropped", name) end
  assert.are.equal(accounting "captured", dropped "ring_full" + dropped "tracer_killed" + dropped "unreadable"
    + accounting "read")
  assert.are.equal(accounting "read" + accounting "own", accounting "silent" + accounting "unwanted"
    + accounting "stored" + dropped "spool_lost" + dropped "sensor_killed")
  assert.are.equal(0, value(health, "ring", "used"))
  local kinds = 0
  for _, row in pairs(health.captured) do
    kinds = kinds + row.value
  end
  assert.is_true(kinds <= accounting "captured")
end

--- Rules of one file, for --rules_dir.
local function rules_dir(name, text)
  local dir = support.new_path()
  assert.are.equal(0, run("mkdir -m 755 " .. dir).code)
  support.write(dir .. "/" .. name .. ".lua", text)
  return dir
end

local function rule(id, more, match)
  return ([[
return {
  id = %q, summary = "Of the test", why = "The test asks for it.", on = { "process.exec" },
  severity = "low", attack = { "T1059" }, %s
  match = function(event)
    %s
  end,
  examples = {
    { expect = true, event = { process = { name = "x", argv = { "x", "marked" } } } },
    { expect = false, event = { process = { name = "x", argv = { "x", "other" } } } },
  },
}]]):format(id, more, match)
end

local is_marked = "local argv = event.process.argv return argv ~= nil and argv[2] == 'marked'"

describe("moonwatch status", function()
  it("says that nothing was ever here", function()
    local result = run(("%s status --state_dir=%s"):format(moonwatch, support.new_path()))
    assert.are.equal(1, result.code)
    assert.is_truthy(result.out:find("not running", 1, true))
    result = run(("%s status --json --state_dir=%s"):format(moonwatch, support.new_path()))
    assert.are.equal(1, result.code)
    local object = cjson.decode(result.out)
    assert.is_false(object.running)
    assert.are.same({}, object.sensors)
    assert.are.equal(2, run(moonwatch .. " status --jsn").code)
  end)

  it("does not say that none runs where one keeps its state elsewhere, or in memory", function()
    local ask = ("%s status --json --state_dir=%s"):format(moonwatch, support.new_path())
    local result = support.run(("%s run --state_dir=%s -- sh -c %s"):format(moonwatch, support.new_path(),
      quote(("until [ $i$(grep -lx moonwatch-sens /proc/[0-9]*/comm) ]; do :; done; %s; echo $?; %s"):format(ask,
        ask:gsub(" %-%-json", "")))))
    local object, code, text = result.out:match "^({[^\n]*})\n(%d)\n(.*)$"
    assert.are.same({ running = true, state = "elsewhere", sensors = {} }, cjson.decode(object))
    assert.are.equal("1", code)
    assert.matches("^state +not known: a sensor runs here, process %d+,", text)
  end)

  it("tells of a running sensor, and that it ended", function()
    local state, seen = support.new_path(), support.new_path()
    local dir = rules_dir("of_test", rule("of_test", "", is_marked))
    -- The application waits until the table shows what it has done, and then asks for the status.
    local script = ([[
      /bin/true marked
      i=0
      while [ $i -lt 60 ]; do
        n=$(%s sql --list --header=false --state_dir=%s "SELECT value FROM moonwatch_health WHERE name = 'alerts'" 2>/dev/null)
        [ "$n" = 1 ] && break
        i=$((i + 1))
      done
      %s status --state_dir=%s >%s; echo $? >>%s
      %s status --json --state_dir=%s >%s.json]]):format(moonwatch, state, moonwatch, state, seen, seen,
      moonwatch, state, seen)
    local result = run(("%s run --state_dir=%s --rules_dir=%s --outputs= -- sh -c %s"):format(moonwatch, state, dir,
      quote(script)))
    assert.are.equal("", result.err)
    assert.are.equal(0, result.code)
    local text = support.read(seen)
    assert.is_truthy(text:find("running and collecting", 1, true), text)
    assert.is_truthy(text:find("engine      ptrace", 1, true), text)
    assert.is_truthy(text:find("1 alerts", 1, true), text)
    assert.is_truthy(text:find("\n0\n$"), text)

    local object = cjson.decode(support.read(seen .. ".json"))
    assert.is_true(object.running)
    assert.are.equal("collecting", object.state)
    local health = object.sensors[1].health
    assert.is_true(health.sensor.pid > 0 and health.guard.pid > 0 and health.tracer.pid > 0)
    assert.is_true(health.tracer.stops > 0)
    assert.is_true(health.captured["process.exec"] >= 2)
    assert.is_true(health.sensor.last_event.value >= health.sensor.started)

    local ended = final_health(state)
    assert_adds_up(ended)
    assert.are.equal(0, value(ended, "dropped", "ring_full"))
    local last = support.sql(state, "SELECT max(id) AS id FROM (SELECT eid AS id FROM process_events)")[1].id
    assert.are.equal(last:match("^[^-]+"), ended.sensor.last_event.text:match("^[^-]+"))
    result = run(("%s status --state_dir=%s"):format(moonwatch, state))
    assert.are.equal(1, result.code)
    assert.is_truthy(result.out:find("state       ended", 1, true), result.out)
  end)

  it("tells when nothing is collected, and why", function()
    local state = support.new_path()
    local seen = support.new_path()
    local ask = ("for i in $(seq 60); do %s status --state_dir=%s >%s; r=$?; grep -q 'state *running' %s && break; done;"
      .. " exit $r"):format(moonwatch, state, seen, seen)
    local result = run(("%s run --noaudit_allow_process_events --state_dir=%s --outputs= -- sh -c %s"):format(moonwatch,
      state, quote(ask)))
    assert.are.equal(0, result.code, result.err) -- as it was asked for
    assert.is_truthy(support.read(seen):find("process events are off", 1, true), support.read(seen))

    state = support.new_path()
    ask = ask:gsub("%-%-state_dir=%S+", "--state_dir=" .. state)
    local noptrace = support.program("noptrace")
    result = run(("%s %s run --state_dir=%s --outputs= --engine=ptrace -- sh -c %s"):format(noptrace, moonwatch, state,
      quote(ask)))
    if not result.err:find("process events are off", 1, true) then
      pending("ptrace cannot be refused here")
      return
    end
    assert.are.equal(1, result.code, result.err)
    assert.is_truthy(support.read(seen):find("ptrace is refused", 1, true), support.read(seen))
  end)
end)

describe("the accounting", function()
  it("adds up when the ring was too small for a storm", function()
    -- A rule that thinks for seconds about one event, while others come.
    local dir = rules_dir("slow", rule("slow", "", [[
    local argv = event.process.argv
    if argv ~= nil and argv[2] == "think" then
      for _ = 1, 300000000 do end
    end
    ]] .. is_marked))
    local long = ("x"):rep(4000)
    local storm = ("/bin/true think; i=0; while [ $i -lt 600 ]; do /bin/true %s; i=$((i + 1)); done"):format(long)
    local result, events, _, state = support.watch("sh -c " .. quote(storm),
      "--ring_size_mib=1 --rules_dir=" .. dir .. " --rule_event_instructions=1000000000"
      .. " --audit_allow_fork_process_events --audit_allow_exit_process_events --shutdown_flush_ms=30000")
    assert.are.equal(0, result.code)
    local health = final_health(state)
    assert_adds_up(health)
    local refused = value(health, "dropped", "ring_full")
    assert.is_true(refused > 0, "nothing was dropped")
    assert.is_true(value(health, "ring", "high_water") > 900 * 1024)

    -- What came out at the ends: all of it; and what was dropped was told.
    local of_records = support.filter(events, function(event)
      return event.kind ~= "sensor.health" and not event.sampled
    end)
    assert.are.equal(0, value(health, "dropped", "output"))
    assert.are.equal(value(health, "accounting", "captured"), #of_records + refused)
    assert.are.equal(value(health, "accounting", "own"), #events - #of_records)
    local told = 0
    for _, event in ipairs(events) do
      local n = event.kind == "sensor.health" and event.message:match("^(%d+) process events were lost")
      told = told + (tonumber(n) or 0)
    end
    assert.are.equal(refused, told)
    local rows = support.sql(state, "SELECT count(*) AS n FROM process_events")[1].n
    local of_processes = support.filter(events, function(event)
      return event.kind == "process.exec" or event.kind == "process.fork" or event.kind == "process.exit"
    end)
    assert.are.equal(#of_processes, tonumber(rows))
    assert.are.equal(value(health, "accounting", "stored"), #events)
  end)

  --- Four bursts of programs, between them the process of that name is killed; then wait until health shows three
  --- restarts of `component`.
  local function kill_thrice(name, component)
    local state = support.new_path()
    local script = ([[
      for i in 1 2 3; do
        for j in $(seq 100); do /bin/true; done
        for p in /proc/[0-9]*; do
          read -r name <$p/comm && [ "$name" = %s ] && kill -9 ${p#/proc/}
        done 2>/dev/null
      done
      for j in $(seq 100); do /bin/true; done
      i=0
      while [ $i -lt 200 ]; do
        n=$(%s sql --list --header=false --state_dir=%s \
          "SELECT value FROM moonwatch_health WHERE component = '%s' AND name = 'restarts'" 2>/dev/null)
        [ "$n" ] && [ "$n" -ge 2 ] && break
        i=$((i + 1))
      done]]):format(name, moonwatch, state, component)
    local result = run(("%s run --state_dir=%s --outputs= -- sh -c %s"):format(moonwatch, state, quote(script)))
    assert.are.equal(0, result.code)
    local health = final_health(state)
    assert.is_true(value(health, component, "restarts") >= 1)
    return health
  end

  it("adds up when the sensor was killed and started again", function()
    local health = kill_thrice("moonwatch-sens", "sensor")
    assert_adds_up(health)
    assert.is_true(value(health, "captured", "process.exec") >= 400)
  end)

  it("adds up when the tracer was killed and replaced", function()
    local health = kill_thrice("moonwatch-trace", "tracer")
    assert_adds_up(health)
    assert.is_true(value(health, "tracer", "gaps") >= 1)
    assert.is_true(value(health, "dropped", "tracer_killed") <= value(health, "tracer", "restarts"))
  end)
end)

describe("a rule", function()
  it("may ask for the system calls of what it matched", function()
    local dir = rules_dir("of_test", rule("of_test", 'attention = "calls",', is_marked))
    -- The profile alone would watch nobody's.  The request is taken at one of the tracer's next looks.
    local made = support.new_path()
    assert.are.equal(0, run("mkdir " .. made).code)
    support.write(made .. "/marked", [[
i=0
while [ $i -lt 400 ]; do
  i=$((i + 1))
  read -r line </proc/uptime; /bin/true
done
exit 3]])
    local result, events = support.watch(("sh -c 'cd %s && exec sh marked'"):format(made),
      "--profile=minimal --rules_dir=" .. dir)
    assert.are.equal(3, result.code, result.err)
    local found = support.filter(events, function(event)
      return event.kind == "file.open" and event.process.name == "sh"
    end)
    assert.is_true(#found > 0)
  end)

  it("may not ask for nonsense", function()
    local dir = rules_dir("of_test", rule("of_test", 'attention = "loud",', is_marked))
    local result = run(("%s rules check %s/of_test.lua"):format(moonwatch, dir))
    assert.are.equal(1, result.code)
    assert.is_truthy((result.out .. result.err):find('attention: must be one of events, calls', 1, true), result.out .. result.err)
  end)
end)
