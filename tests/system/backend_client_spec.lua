-- The sensor and a backend that is strict with it: enrolment, configuration, what is sent, queries.
local backends = require "tests.system.backend"
local support = require "tests.system.support"

local backend, state

--- A rule that `true marked` sets off.
local function rules()
  local dir = support.new_path()
  assert(os.execute("mkdir " .. dir))
  support.write(dir .. "/of_test.lua", [[
return {
  id = "of_test",
  summary = "A program of this test started",
  why = "It is asked for by the test, and by nobody else.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1059" },
  match = function(event)
    return event.process.argv[2] == "marked"
  end,
  examples = {
    { expect = true, event = { kind = "process.exec", process = { argv = { "true", "marked" } } } },
    { expect = false, event = { kind = "process.exec", process = { argv = { "true" } } } },
  },
}
]])
  return "--rules_dir=" .. dir
end

local function command_of(command, flags, at)
  state = at or support.new_path()
  return ("%s run --state_dir=%s --outputs=alerts/json:file=%s --logger_tls_period=1 %s %s -- %s"):format(support.moonwatch, state,
    support.new_path(), backend:flags(), flags or "", command)
end

--- Run an application under the sensor, with that backend, to its end.
local function run(command, flags)
  return support.run(command_of(command, flags))
end

--- The same while a test goes on.
local Job = {}
Job.__index = Job

local function start(flags, at)
  local job = setmetatable({ stop = support.new_path(), out = support.new_path(), err = support.new_path(),
    over = support.new_path(), orders = support.new_path() }, Job)
  local application = ("sh -c %s"):format(support.quote(([[
    until [ -e %s ]; do
      if [ -e %s ]; then . %s; rm %s; fi
      sleep 0.05
    done]]):format(job.stop, job.orders, job.orders, job.orders)))
  os.execute(("( %s >%s 2>%s; echo $? >%s.new; mv %s.new %s ) &"):format(command_of(application, flags, at), job.out, job.err,
    job.over, job.over, job.over))
  job.state = state
  return job
end

--- Have the application run something.
function Job:order(command)
  support.write(self.orders .. ".new", command .. "\n")
  assert(os.rename(self.orders .. ".new", self.orders))
end

--- On a machine that is busy a status may come too late.
local function without_late(text)
  return (text:gsub("moonwatch: undelivered: status=[^\n]*\n", ""))
end

--- What it said on standard error.
function Job:finish()
  support.write(self.stop, "")
  support.await(self.over)
  assert.are.equal("0\n", support.read(self.over))
  return without_late(support.read(self.err))
end

local function flag(name)
  return support.sql(state, ("SELECT value, source FROM osquery_flags WHERE name = '%s'"):format(name))[1]
end

--- Wait until a flag has a value, some seconds at most.
local function await_flag(name, value)
  local deadline = os.time() + 10
  local now
  repeat
    now = flag(name)
  until now and now.value == value or os.time() > deadline
  assert.are.equal(value, now.value)
end

describe("with a backend", function()
  before_each(function()
    backend = backends.start()
  end)

  after_each(function()
    backend:stop()
  end)

  it("a job of no time enrols, and its alerts and statuses are there at its end", function()
    local result = run("/bin/sh -c '/bin/true marked; exit 3'", rules())
    assert.are.equal(3, result.code, result.err)
    assert.are.equal("", without_late(result.err))
    local enrolled = backend:wait { where = { endpoint = "enroll", accepted = true } }
    assert.are.equal(1, #enrolled)
    local host = enrolled[1].body.host_identifier
    local details = enrolled[1].body.host_details
    assert.are.equal(host, details.system_info.uuid)
    assert.are.equal(host, details.osquery_info.uuid)
    local line = backend:wait({ line = { name = "moonwatch_alerts", ["columns.rule"] = "of_test" } })[1]
    assert.are.equal(host, line.hostIdentifier)
    assert.are.equal("added", line.action)
    assert.are.equal(1, backend:count { where = { endpoint = "enroll" } })
  end)

  it("what there is when it has enrolled is sent at once, and alerts always", function()
    local job = start("--logger_tls_period=600 " .. rules())
    backend:wait { where = { endpoint = "log", accepted = true, ["body.log_type"] = "status" } }
    job:order "/bin/true marked"
    backend:wait { line = { name = "moonwatch_alerts", ["columns.rule"] = "of_test" } }
    assert.are.equal("", job:finish())
  end)

  it("its configuration holds, and another one within a refresh, without a restart", function()
    backend:set { config = { options = { config_refresh = 1, audit_allow_sockets = false, allow_inotify_file_events = true },
      file_paths = { etc = { support.tmp .. "/%%" } } } }
    local job = start()
    backend:wait { where = { endpoint = "config", accepted = true }, count = 2, timeout_s = 20 }
    local value = flag "audit_allow_sockets"
    assert.are.same({ "false", "backend" }, { value.value, value.source })
    backend:set { config = { options = { audit_allow_sockets = true, allow_inotify_file_events = false },
      moonwatch = { profile = "minimal" } } }
    local at = backend:last()
    backend:wait { where = { endpoint = "config", accepted = true }, after = at, count = 2, timeout_s = 20 }
    assert.are.equal("true", flag("audit_allow_sockets").value)
    assert.are.equal("false", flag("allow_inotify_file_events").value)
    assert.are.equal("minimal", flag("profile").value)
    assert.are.equal("", job:finish())
  end)

  it("what is seen follows the flags it assigns, without a restart", function()
    local watched = support.new_path()
    assert(os.execute("mkdir " .. watched))
    backend:set { config = { options = { config_refresh = 1, audit_allow_process_events = false, allow_inotify_file_events = false },
      file_paths = { here = { watched .. "/%%" } } } }
    local job = start(rules())
    await_flag("audit_allow_process_events", "false")
    -- The end of one is the sign that the other has ended, too.
    job:order("/bin/true marked; : >" .. watched .. "/unseen; : >" .. watched .. ".done")
    support.await(watched .. ".done")
    backend:set { config = { options = { config_refresh = 1, audit_allow_process_events = true, allow_inotify_file_events = true },
      file_paths = { here = { watched .. "/%%" } } } }
    await_flag("audit_allow_process_events", "true")
    await_flag("allow_inotify_file_events", "true")
    job:order(("until [ -e %s/seen ] && sleep 0.1 && [ \"$(%s sql --state_dir=%s --csv --header=false \"select 1 from file_events "
      .. "where target_path = '%s/seen'\")\" ]; do : >>%s/seen; done; /bin/true marked"):format(watched, support.moonwatch,
      job.state, watched, watched))
    backend:wait { line = { name = "moonwatch_alerts", ["columns.rule"] = "of_test" }, timeout_s = 20 }
    job:finish()
    assert.are.equal(1, backend:count { line = { name = "moonwatch_alerts", ["columns.rule"] = "of_test" } })
    assert.are.equal(0, #support.sql(job.state, ("SELECT 1 FROM file_events WHERE target_path = '%s/unseen'"):format(watched)))
  end)

  it("a configuration that turns everything off, or is wrong, is refused; the last good one stays", function()
    backend:set { config = { options = { config_refresh = 1, audit_allow_fork_process_events = true } } }
    local job = start()
    backend:wait { where = { endpoint = "config", accepted = true }, count = 2, timeout_s = 20 }
    for _, bad in ipairs {
      { options = { audit_allow_process_events = false, audit_allow_sockets = false, allow_inotify_file_events = false } },
      { options = { audit_allow_fork_process_events = false }, file_paths = { "a list" } },
      { options = { audit_allow_fork_process_events = false }, moonwatch = { profile = "../x" } },
    } do
      backend:set { config = bad }
      local at = backend:last()
      backend:wait { line = { severity = 1, message = { match = "refused" } }, after = at, timeout_s = 20 }
      assert.are.equal("true", flag("audit_allow_fork_process_events").value)
      assert.are.equal("true", flag("audit_allow_process_events").value)
    end
    assert.is_truthy(job:finish():find "is refused")
  end)

  it("what it asks is answered, with what went wrong, unless it does not apply", function()
    backend:query({ a = "SELECT 1 AS one, 'x' AS two", b = "SELECT * FROM no_such_table", c = "SELECT 2",
      d = "SELECT 3 AS three" }, { c = "SELECT 1 WHERE 0", d = "SELECT 1" })
    local job = start "--distributed_interval=1"
    local answer = backend:wait({ where = { endpoint = "write", accepted = true } })[1].body
    assert.are.same({ { one = "1", two = "x" } }, answer.queries.a)
    assert.are.same({ { three = "3" } }, answer.queries.d)
    assert.are.same({}, answer.queries.b)
    assert.is_nil(answer.queries.c)
    assert.are.same({ a = 0, b = 1, d = 0 }, answer.statuses)
    assert.is_truthy(answer.messages.b:find "no_such_table")
    assert.is_truthy(answer.stats.a.wall_time_ms)
    assert.are.equal("", job:finish())
  end)

  it("a query that killed the sensor is not run again, and those after it are answered", function()
    -- Long enough to be killed in.
    backend:query { a = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 200000000) SELECT count(*) FROM n",
      b = "SELECT 'after' AS b" }
    local job = start "--distributed_interval=1"
    backend:wait { where = { endpoint = "read", accepted = true } }
    local killed
    local deadline = os.time() + 10
    repeat
      -- The query is under way when its mark is there.
      if support.run(("strings %s/notes* 2>/dev/null | grep -q distributed/denied"):format(job.state)).code == 0 then
        local row = support.sql(job.state, "SELECT value FROM moonwatch_health WHERE component = 'sensor' AND name = 'pid'")[1]
        killed = row and support.run("kill -9 " .. row.value).code == 0
      end
    until killed or os.time() > deadline
    assert.is_true(killed)
    local answer = backend:wait({ where = { endpoint = "write", accepted = true }, timeout_s = 20 })[1].body
    assert.are.same({ a = 1, b = 0 }, answer.statuses)
    assert.is_truthy(answer.messages.a:find "denylisted")
    assert.are.same({ { b = "after" } }, answer.queries.b)
    job:finish()
  end)

  it("files that it asks for come in blocks, when that is allowed", function()
    local path = support.new_path()
    support.write(path, ("a line\n"):rep(5000))
    backend:query { carve = ("SELECT status FROM carves WHERE path = '%s' AND carve = 1"):format(path) }
    local at_state = support.new_path() -- the same node each time, which is asked once
    local job = start("--distributed_interval=1", at_state)
    backend:wait { line = { message = { match = "not allowed" } } }
    job:finish()
    assert.are.equal(0, backend:count { where = { endpoint = "carve_start" } })
    for _, packed in ipairs { "false", "true" } do
      local at = backend:last()
      backend:query { ["carve" .. packed] = ("SELECT status FROM carves WHERE path = '%s' AND carve = 1"):format(path) }
      job = start("--distributed_interval=1 --disable_carver=false --carver_block_size=4096 --carver_compression=" .. packed, at_state)
      local answer = backend:wait({ where = { endpoint = "write", accepted = true }, after = at })[1].body
      assert.are.equal("SCHEDULED", answer.queries["carve" .. packed][1].status)
      -- A block that was not taken at once is sent again after a pause.
      backend:wait { line = { message = { match = "SUCCESS" } }, after = at, timeout_s = 90 }
      assert.are.equal("SUCCESS", support.sql(job.state, "SELECT status FROM carves ORDER BY time DESC LIMIT 1")[1].status)
      job:finish()
    end
    local carved = backend:state().carves
    assert.are.equal(2, #carved)
    for _, carve in ipairs(carved) do
      local out = support.run(("tar -xOf %s"):format(carve.path))
      assert.are.equal(support.read(path), out.out, out.err)
    end
  end)

  it("a node key that is lost is had anew, and nothing that was to be sent is", function()
    local job = start("--distributed_interval=1 --tls_enroll_max_interval=1 " .. rules())
    backend:wait { where = { endpoint = "read", accepted = true } }
    backend:ask "invalidate"
    backend:wait { where = { endpoint = "enroll", accepted = true }, count = 2, timeout_s = 20 }
    job:order "/bin/true marked"
    backend:wait { line = { name = "moonwatch_alerts", ["columns.rule"] = "of_test" }, timeout_s = 20 }
    assert.is_truthy(job:finish():find "enrolling again")
  end)

  it("a node key is kept for the next start", function()
    local at = support.new_path()
    start(nil, at):finish()
    local stat = support.run("stat -c %a " .. at .. "/node_key")
    assert.are.equal("600\n", stat.out)
    local count = backend:count { where = { endpoint = "config", accepted = true } }
    local second = start(nil, at)
    backend:wait { where = { endpoint = "config", accepted = true }, count = count + 1 }
    second:finish()
    assert.are.equal(1, backend:count { where = { endpoint = "enroll" } })
  end)

  it("a wrong secret is tried now and then, and told once", function()
    backend:set { secrets = { "another" } }
    local job = start "--tls_enroll_max_interval=4"
    backend:wait { where = { endpoint = "enroll" }, count = 2, timeout_s = 20 }
    local records = backend:wait { where = { endpoint = "enroll" }, count = 2 }
    assert.is_true(records[2].time - records[1].time > 1.8)
    backend:set { secrets = { "the enrolment secret" } }
    backend:wait { where = { endpoint = "enroll", accepted = true }, timeout_s = 20 }
    local said = job:finish()
    local _, times = said:gsub("wrong secret", "")
    assert.are.equal(1, times, said)
    assert.is_truthy(said:find "enrolled at last")
  end)

  it("with the backend away, the configuration of the last time holds", function()
    backend:set { config = { options = { audit_allow_fork_process_events = true } } }
    local at = support.new_path()
    local first = start(nil, at)
    await_flag("audit_allow_fork_process_events", "true")
    backend:wait { line = { message = { match = "configuration applied" } } }
    first:finish()
    backend:ask "down"
    local second = start(nil, at)
    await_flag("audit_allow_fork_process_events", "true")
    second:finish()
    backend:ask "up"
  end)

  it("doctor tells whether it speaks the protocol", function()
    local result = support.run(("%s doctor --json %s"):format(support.moonwatch, backend:flags()))
    local found = {}
    for _, check in ipairs(require("cjson").decode(result.out).checks) do
      found[check.check] = check
    end
    assert.are.equal("ok", found.backend.state, found.backend.found)
    result = support.run(("%s doctor --json %s --backend_path=/elsewhere"):format(support.moonwatch, backend:flags()))
    assert.is_truthy(result.out:find("--backend_path", 1, true))
    backend:ask "clear"
  end)

  it("a job ends in time, whatever the backend does", function()
    backend:set { checks_retry_after = false } -- each job is another process
    for _, how in ipairs { "down", "refuses", "slow" } do
      if how == "down" then
        backend:ask "down"
      else
        backend:ask "up"
        backend:fault(how == "slow" and { delay_s = 30 } or { kind = "status", status = 503, retry_after = 60 })
      end
      local began = require("moonwatch.loop").now()
      local result = run("/bin/true", "--shutdown_flush_ms=1000")
      assert.are.equal(0, result.code)
      assert.is_true(require("moonwatch.loop").now() - began < 4000, how)
    end
    backend:fault()
  end)
end)
