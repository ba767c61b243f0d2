-- What a sensor cannot deliver by its end is left in a shared folder, counted in one line, and delivered by `moonwatch drain`.
local backends = require "tests.system.backend"
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

--- Ids of what has arrived since it was asked last: id -> how often; and how many.
local function arrived()
  local ids, n = {}, 0
  for _, seen in ipairs(cjson.decode(request "/seen")) do
    for line in seen.status == 200 and seen.body:gmatch "[^\n]+" or function() end do
      local id = cjson.decode(line).id
      n = n + (ids[id] and 0 or 1)
      ids[id] = (ids[id] or 0) + 1
    end
  end
  return ids, n
end

-- Nobody listens on the port of discard.
local DOWN = "http://127.0.0.1:9"

local function output(where)
  return ("events+alerts/json:http=%s/;name=siem"):format(where)
end

--- Run a job under the sensor, as the first process of its namespace, as in a container.
local function job(where, command, flags)
  local state = support.new_path()
  local prefix = support.has_namespaces and "unshare -pf --mount-proc --kill-child" or ""
  local result = support.run(("%s %s run --state_dir=%s --outputs='%s' %s -- sh -c %s"):format(prefix, support.moonwatch, state,
    output(where), flags or "", support.quote(command)))
  return result, state
end

local function counts(state)
  local rows = support.sql(state, "SELECT name, value FROM moonwatch_health WHERE component = 'delivery siem'")
  local sums = { written = 0, read = 0, dropped = 0, set_aside = 0, handed_over = 0, waiting = 0 }
  for _, row in ipairs(rows) do
    local fate = row.name:match "^%l+_([%l_]+)$"
    sums[fate] = sums[fate] + math.tointeger(row.value)
  end
  assert.are.equal(sums.written, sums.read + sums.dropped + sums.set_aside + sums.handed_over + sums.waiting)
  return sums
end

local function drain(where, dir, options)
  return support.run(("%s drain --outputs='%s' %s %s"):format(support.moonwatch, output(where), options or "--once", dir))
end

local function folders(dir)
  local n = 0
  for _ in support.run("ls " .. dir).out:gmatch "[^\n]+" do
    n = n + 1
  end
  return n
end

local JOB = "for i in 1 2 3 4 5; do /bin/true; done; sleep 0.05; exit 7"

describe("the end of a job", function()
  if not support.has_namespaces then
    it("delivers", function()
      pending "no PID namespaces here"
    end)
    return
  end

  it("delivers what is there, when the sink takes it", function()
    arrived()
    local result, state = job(url, JOB)
    assert.are.equal(7, result.code)
    assert.are.equal("", result.err)
    local sums = counts(state)
    assert.is_true(sums.written >= 6)
    assert.are.equal(sums.written, sums.read)
    local _, n = arrived()
    assert.are.equal(sums.written, n)
  end)

  it("has the secrets of its sinks taken out of the application's environment", function()
    arrived()
    local state = support.new_path()
    local result = support.run(("SPLUNK_TOKEN=canary-of-the-test unshare -pf --mount-proc --kill-child %s run --state_dir=%s"
      .. " --outputs='events/json:http=%s;to=splunk;token=env:SPLUNK_TOKEN;name=siem' -- sh -c %s"):format(support.moonwatch,
      state, url, support.quote "env; cat /proc/*/environ; sleep 0.3"))
    assert.are.equal(0, result.code)
    assert.falsy(result.out:find("canary-of-the-test", 1, true))
    local seen = cjson.decode(request "/seen")
    assert.are.equal("Splunk canary-of-the-test", seen[1].headers.authorization)
    local sums = counts(state)
    assert.are.equal(sums.written, sums.read)
    assert.falsy(support.run(("grep -rc canary-of-the-test %s"):format(state)).out:find ":[1-9]")
  end)

  it("counts what is left, where nobody takes it over", function()
    local result, state = job(DOWN, JOB, "--shutdown_flush_ms=2000")
    assert.are.equal(7, result.code)
    local sums = counts(state)
    assert.are.equal(sums.written, sums.waiting)
    local told = result.err:match "undelivered: events=(%d+); they stay in (%S+)"
    assert.are.equal(sums.waiting, tonumber(told))
  end)

  for name, answer in pairs { down = false, refusing = { status = 503 }, ["asking for time"] = { status = 429,
    headers = { ["Retry-After"] = "60" } } } do
    it(("hands over to a drain what is left, with a sink that is %s"):format(name), function()
      arrived()
      local shared = support.new_path()
      if answer then
        local list = {}
        for i = 1, 200 do
          list[i] = answer
        end
        request("/answers", cjson.encode(list))
      end
      local result, state = job(answer and url or DOWN, JOB, ("--shutdown_flush_ms=1000 --spool_handover=%s"):format(shared))
      assert.are.equal(7, result.code)
      local sums = counts(state)
      local events, path = result.err:match "undelivered: events=(%d+) spool=(%S+)"
      assert.are.equal(sums.written, tonumber(events), result.err)
      assert.are.equal(sums.written, sums.handed_over)
      assert.are.equal(1, folders(shared))
      assert.are.equal("700\n", support.run("stat -c %a " .. path).out)
      assert.are.equal("600\n", support.run(("stat -c %%a %s/spool.db"):format(path)).out)
      local _, before = arrived()
      assert.are.equal(0, before)

      assert.is_true(cjson.decode(request "/forget"))
      local drained = drain(url, shared)
      assert.are.equal(0, drained.code, drained.err)
      assert.are.equal(0, folders(shared))
      local ids, n = arrived()
      assert.are.equal(sums.written, n)
      for id, times in pairs(ids) do
        assert.are.equal(1, times, id)
      end
    end)
  end
end)

describe("moonwatch drain", function()
  if not support.has_namespaces then
    return
  end

  it("goes on until it is asked to end, and delivers what several left", function()
    arrived()
    local shared, log = support.new_path(), support.new_path()
    assert(os.execute("mkdir " .. shared))
    local pid = support.run(("%s drain --outputs='%s' %s >%s 2>&1 & echo $!"):format(support.moonwatch, output(url), shared, log)).out
    local written = 0
    for _ = 1, 3 do
      local _, state = job(DOWN, JOB, ("--shutdown_flush_ms=1000 --spool_handover=%s"):format(shared))
      written = written + counts(state).handed_over
    end
    local n, deadline = 0, os.time() + 20
    repeat
      local _, more = arrived()
      n = n + more
    until n >= written or os.time() > deadline
    assert.are.equal(written, n)
    support.run("kill " .. pid)
    deadline = os.time() + 10
    while support.run("kill -0 " .. pid).code == 0 and os.time() < deadline do
      os.execute "sleep 0.02"
    end
    assert.are_not.equal(0, support.run("kill -0 " .. pid).code)
    assert.are.equal(0, folders(shared))
    assert.truthy(support.read(log):find "0 left")
  end)

  it("ends within its time when nothing can be delivered, and keeps it", function()
    local shared = support.new_path()
    local _, state = job(DOWN, JOB, ("--shutdown_flush_ms=1000 --spool_handover=%s"):format(shared))
    local handed = counts(state).handed_over
    local begun = loop.now()
    local result = support.run(("timeout 1 %s drain --outputs='%s' --stop_ms=500 %s"):format(support.moonwatch, output(DOWN), shared))
    assert.are.equal(124, result.code)
    assert.is_true(loop.now() - begun < 8000)
    assert.are.equal(1, folders(shared))
    -- Of outputs that it does not know it takes nothing.
    result = support.run(("%s drain --once --outputs='events/json:http=%s/;name=other' %s"):format(support.moonwatch, url, shared))
    assert.are.equal(1, result.code)
    assert.truthy(result.err:find(handed .. " rows are for outputs", 1, true))
    assert.are.equal(1, folders(shared))
  end)
end)

describe("moonwatch drain with a backend", function()
  if not support.has_namespaces then
    return
  end

  local function rows(state, fate)
    return math.tointeger(support.sql(state, ("SELECT sum(value) AS n FROM moonwatch_health WHERE component LIKE 'delivery tls%%' AND"
      .. " name LIKE '%%_%s'"):format(fate))[1].n)
  end

  for name, endpoint in pairs { ["takes no log"] = "log", ["lets nobody enrol"] = "enroll" } do
    it(("goes on as the host that the sensor was, when that %s"):format(name), function()
      local backend = backends.start()
      backend:fault { endpoint = endpoint, kind = "status", status = 503 }
      local shared, state = support.new_path(), support.new_path()
      local result = support.run(("unshare -pf --mount-proc --kill-child %s run --state_dir=%s %s --logger_events"
        .. " --outputs=alerts/json:file=%s --shutdown_flush_ms=2000 --spool_handover=%s -- sh -c %s"):format(support.moonwatch, state,
        backend:flags(), support.new_path(), shared, support.quote(JOB)))
      assert.are.equal(7, result.code)
      local handed = rows(state, "handed_over")
      assert.is_true(handed > 5, result.err)
      assert.are.equal(0, rows(state, "read"))
      assert.truthy(result.err:find "undelivered: ")
      assert.are.equal(0, #backend:lines())

      local enrolments = backend:count { where = { endpoint = "enroll" } }
      backend:fault()
      local drained = support.run(("%s drain --once %s --logger_events %s"):format(support.moonwatch, backend:flags(), shared))
      assert.are.equal(0, drained.code, drained.err)
      assert.are.equal(0, folders(shared))
      assert.are.equal(handed, #backend:lines())
      local more = backend:count { where = { endpoint = "enroll" } } - enrolments
      assert.are.equal(endpoint == "enroll" and 1 or 0, more)
      backend:stop()
    end)
  end
end)
