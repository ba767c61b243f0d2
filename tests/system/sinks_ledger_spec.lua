-- A ledger of what a sensor saw: with a sink that fails in every way now and then, and the sensor killed twice, each event of the spool
-- arrives at least once, with the same id; what is counted adds up.
local cjson = require "cjson"
local loop = require "moonwatch.loop"
local servers = require "tests.fixtures.net.server"
local support = require "tests.system.support"
local tls = require "moonwatch.tls"

local url, stop

setup(function()
  local ready = servers.new_path()
  local told
  told, stop = servers.start("python3 tests/fixtures/sinks/http_sink.py " .. ready, ready)
  url = "http://127.0.0.1:" .. told.port
end)

teardown(function()
  stop()
end)

local function request(path, body)
  return loop.run(function()
    return assert(tls.request { url = url .. path, plain = true, body = body, answer_bytes = 64 << 20 }).body
  end)
end

--- Ids of execs that were taken, into `ids`: id -> how often.
local function collect(ids)
  for _, seen in ipairs(cjson.decode(request "/seen")) do
    for line in seen.status // 100 == 2 and seen.body:gmatch "[^\n]+" or function() end do
      local event = cjson.decode(line)
      if event.kind == "process.exec" then
        ids[event.id] = (ids[event.id] or 0) + 1
      end
    end
  end
end

local FAULTS = {
  { status = 503 }, { status = 200 }, { reset = true }, { status = 429, headers = { ["Retry-After"] = "1" } }, { status = 200 },
  { status = 500 }, { status = 200 }, { status = 204 }, { reset = true }, { status = 200 },
  { status = 503, headers = { ["Retry-After"] = "0" } },
}

local function health(state, what)
  local rows = support.sql(state, ("SELECT sum(value) AS n FROM moonwatch_health WHERE component = 'delivery siem' AND name = 'events_%s'")
    :format(what))
  return math.tointeger(rows[1].n) or 0
end

local function sensor_pid(state)
  local rows = support.sql(state, "SELECT value FROM moonwatch_health WHERE component = 'sensor' AND name = 'pid'")
  return rows[1] and math.tointeger(rows[1].value)
end

describe("a ledger", function()
  it("has every event, whatever fails and whoever is killed", function()
    local state, over = support.new_path(), support.new_path()
    local ids, killed = {}, {}
    request("/answers", cjson.encode(FAULTS))
    local job = "i=0; while [ $i -lt 400 ]; do /bin/true $i; sleep 0.01; i=$((i+1)); done"
    local output = ("events/json:http=%s/;name=siem;period_ms=50;rows=40"):format(url)
    os.execute(("( %s run --state_dir=%s --outputs='%s' -- sh -c %s; touch %s ) >%s 2>&1 &"):format(support.moonwatch, state, output,
      support.quote(job), over, support.new_path()))
    local deadline = os.time() + 120
    local begun = loop.now()
    repeat
      collect(ids)
      -- Not while it begins: its pid is in the spool once it has written there.
      local pid = #killed < 2 and loop.now() - begun > 1500 * (#killed + 1) and sensor_pid(state)
      if pid and pid ~= killed[#killed] then
        os.execute(("kill -9 %d"):format(pid))
        killed[#killed + 1] = pid
        request("/answers", cjson.encode(FAULTS))
      end
      os.execute "sleep 0.05"
    until io.open(over) or os.time() > deadline
    assert.are.equal(2, #killed)
    repeat
      collect(ids)
      os.execute "sleep 0.1"
    until (health(state, "waiting") == 0 and support.sql(state, "SELECT ended FROM moonwatch_health LIMIT 1")[1].ended == "1")
      or os.time() > deadline
    collect(ids)

    local stored = support.sql(state, "SELECT eid FROM process_events")
    local missing = {}
    for _, row in ipairs(stored) do
      if not ids[row.eid] then
        missing[#missing + 1] = row.eid
      end
    end
    assert.are.same({}, missing)
    assert.is_true(#stored >= 400, #stored)
    assert.are.equal(health(state, "written"), health(state, "read"))
    assert.are.equal(0, health(state, "dropped"))
    assert.are.equal(0, health(state, "set_aside"))
  end)
end)
