-- Real engines as sinks: rsyslog over TCP and TLS, ClickHouse over HTTP, with alerts and events of a real program.
local cjson = require "cjson"
local loop = require "moonwatch.loop"
local servers = require "tests.fixtures.net.server"
local support = require "tests.system.support"
local through = dofile "tests/spec/delivery/through.lua"
local tls = require "moonwatch.tls"

local JOB = "for i in 1 2 3; do /bin/true; done"

local function has(program)
  return support.run(("PATH=$PATH:/usr/sbin:/sbin; command -v %s"):format(program)).code == 0
end

local function start(kind, more)
  local ready, dir = servers.new_path(), servers.new_path()
  assert(os.execute("mkdir " .. dir))
  local told, stop = servers.start(("python3 tests/fixtures/sinks/engines.py %s %s %s %s"):format(kind, ready, dir, more or ""), ready, 60)
  return told, dir, stop
end

local function lines_of(path)
  local list = {}
  local file = io.open(path, "rb")
  for line in file and file:lines() or function() end do
    list[#list + 1] = line
  end
  if file then
    file:close()
  end
  return list
end

local function await_lines(path, n)
  local deadline = os.time() + 20
  local list
  repeat
    list = lines_of(path)
  until #list >= n or os.time() > deadline or not os.execute "sleep 0.02"
  return list
end

describe("rsyslog", function()
  if not has "rsyslogd" then
    it("takes messages", function()
      pending "rsyslogd is not installed: ./setup programs"
    end)
    return
  end

  local told, dir, certificates, stop, stop_http

  setup(function()
    local _
    _, certificates, stop_http = servers.bad()
    told, dir, stop = start("rsyslog", certificates)
  end)

  teardown(function()
    stop()
    stop_http()
  end)

  it("gets each message over TCP and over TLS", function()
    local seen = 0
    for _, target in ipairs { "tcp://127.0.0.1:" .. told.tcp, ("tls://localhost:%d;ca=%s/ca.pem"):format(told.tls, certificates) } do
      local bodies = {}
      for i = 1, 500 do
        bodies[i] = ('{"n":%d,"text":"%s"}'):format(i, ("é"):rep(i % 50))
      end
      local _, counts = through.deliver(("results/json:syslog=%s;facility=local2;host=web-1"):format(target), bodies, {})
      assert.are.equal(500, counts.read, table.concat(through.reported, "\n"))
      local lines = await_lines(dir .. "/log", seen + 500)
      assert.are.equal(seen + 500, #lines)
      for i = 1, 500 do
        assert.are.equal(("150 moonwatch query%d web-1 %s"):format(i, bodies[i]), lines[seen + i])
      end
      seen = seen + 500
    end
  end)

  it("gets the events of a sensor", function()
    local before = #lines_of(dir .. "/log")
    local state = support.new_path()
    local result = support.run(("%s run --state_dir=%s --outputs='events/json:syslog=tcp://127.0.0.1:%d' -- sh -c '%s'"):format(
      support.moonwatch, state, told.tcp, JOB))
    assert.are.equal(0, result.code)
    local lines = await_lines(dir .. "/log", before + 4)
    assert.is_true(#lines >= before + 4, #lines)
    local event = cjson.decode(lines[before + 1]:match "({.*)$")
    assert.are.equal("process.exec", event.kind)
  end)
end)

describe("ClickHouse", function()
  if not has "clickhouse-server" then
    it("takes rows", function()
      pending "clickhouse-server is not installed: ./setup programs"
    end)
    return
  end

  local told, stop, password, _

  local function ask(query)
    return loop.run(function()
      local answer = assert(tls.request {
        url = ("http://127.0.0.1:%d/"):format(told.http), plain = true, body = query,
        headers = { ["X-ClickHouse-User"] = "writer", ["X-ClickHouse-Key"] = "of the test" }, answer_bytes = 16 << 20,
      })
      return answer.body, answer.status
    end)
  end

  setup(function()
    told, _, stop = start "clickhouse"
    password = servers.new_path()
    support.write(password, "of the test\n")
    ask("CREATE TABLE lines(id String, stream String, kind String, rule String, time_ns Int64, line String)"
      .. " ENGINE = MergeTree ORDER BY (time_ns, id)")
    ask "CREATE TABLE own(n UInt32) ENGINE = MergeTree ORDER BY n"
  end)

  teardown(function()
    stop()
  end)

  local function output(more)
    return ("http://127.0.0.1:%d;to=clickhouse;user=writer;password=file:%s;period_ms=1;%s"):format(told.http, password, more)
  end

  it("has each line once", function()
    local bodies = {}
    for i = 1, 2000 do
      bodies[i] = ('{"n":%d,"text":"a \\"quoted\\" \\u00e9 \\\\ line"}'):format(i)
    end
    local _, counts = through.deliver("results/json:http=" .. output "table=lines;rows=300", bodies, {})
    assert.are.same({ written = 2000, read = 2000, dropped = 0, aside = 0, handed = 0, waiting = 0 }, counts)
    assert.are.equal("2000\t2000\t2001000\n",
      (ask "SELECT count(), uniq(id), sum(toUInt32(visitParamExtractUInt(line, 'n'))) FROM lines WHERE stream = 'results'"))
    assert.are.equal(bodies[7] .. "\n", (ask "SELECT line FROM lines WHERE kind = 'query7' FORMAT TabSeparatedRaw"))
  end)

  it("refuses a row that is none, which is set aside alone", function()
    local bodies = {}
    for i = 1, 30 do
      bodies[i] = i == 17 and '{"n":"none","other":[]}' or ('{"n":%d,"other":1}'):format(i)
    end
    local _, counts = through.deliver("results/json:http=" .. output "table=own;columns=own", bodies, {})
    assert.are.same({ written = 30, read = 29, dropped = 0, aside = 1, handed = 0, waiting = 0 }, counts)
    assert.are.equal("29\t448\n", (ask "SELECT count(), sum(n) FROM own"))
  end)

  it("gets the events of a sensor, all that it says were delivered", function()
    local state = support.new_path()
    local result = support.run(("%s run --state_dir=%s --outputs='events/json:http=%s' -- sh -c '%s'"):format(support.moonwatch,
      state, output "table=lines", JOB))
    assert.are.equal(0, result.code)
    local deadline = os.time() + 20
    local rows
    repeat
      rows = support.sql(state, "SELECT name, value FROM moonwatch_health WHERE component LIKE 'delivery%' AND name IN"
        .. " ('events_written', 'events_read') ORDER BY name")
    until (#rows == 2 and tonumber(rows[1].value) >= 4 and rows[1].value == rows[2].value) or os.time() > deadline
    assert.are.equal(rows[1].value, rows[2].value)
    assert.are.equal(math.tointeger(rows[1].value) .. "\n", (ask "SELECT count() FROM lines WHERE stream = 'events'"))
  end)
end)
