-- The secret to enrol with: from where it is read, and that nobody else gets to see it.
local canary = require "tests.system.canary"
local servers = require "tests.fixtures.net.server"
local support = require "tests.system.support"

local quote, run, lines, search = support.quote, support.run, canary.lines, canary.search

local function canary_file()
  local path = support.new_path()
  support.write(path, canary.TEXT)
  return path
end

-- A namespace of its own: the sensor is not to watch what the test does.
local unshare = support.has_namespaces and "unshare -pf --mount-proc --kill-child" or ""

-- The process of that name (comm) with that word among its arguments.
local function pid_of(comm, word)
  local command = ('for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = %s ] && grep -qaF %s $p/cmdline && echo ${p#/proc/}; done; true')
    :format(comm, word)
  local deadline = os.time() + 10
  local found
  repeat
    found = run(command)
    local pid = found.out:match "^(%d+)\n$"
    if pid then
      return pid
    end
  until os.time() > deadline
  error(("%s with %s: %q"):format(comm, word, found.out))
end

-- An application that waits under the sensor until `stop` is called.
local function beside(prefix, flags)
  local fifo, state, events, err = support.new_path(), support.new_path(), support.new_path(), support.new_path()
  assert(os.execute("mkfifo " .. fifo))
  local script = support.new_path()
  support.write(script, ("cd %s\n%s exec %s run --state_dir=%s --outputs=events/json:file=%s,alerts/json:file=%s.alerts %s "
    .. "-- head -n 1 %s\n"):format(
      support.tmp, prefix or "", support.moonwatch:gsub("^[^/]", "$OLDPWD/%0"), state, events, events, flags or "", fifo))
  assert(os.execute(("%s sh %s >%s.out 2>%s &"):format(unshare, script, err, err)))
  return {
    state = state, events = events, err = err, pid = pid_of("head", fifo),
    stop = function()
      assert(os.execute("echo word >" .. fifo))
    end,
  }
end

local function state_of(dir)
  local rows = support.sql(dir, "SELECT value, text FROM moonwatch_health WHERE component = 'enroll_secret'")
  return rows[1] and rows[1].text
end

local function await_state(app, wanted)
  local deadline = os.time() + 20
  local state
  repeat
    state = state_of(app.state)
    if state and state:find(wanted) then
      return state
    end
    os.execute "sleep 0.05"
  until os.time() > deadline
  error(("the state of the secret is %q; %s"):format(tostring(state), support.read(app.err)))
end

-- Of the sensor's processes, that of this name.
local function process_of(app, name)
  return pid_of(({ tracer = "moonwatch-trace", sensor = "moonwatch-sens" })[name], app.state)
end

describe("the enrolment secret", function()
  it("is nowhere but in the sensor", function()
    for name, prefix in pairs {
      UPTYCS_SECRET = "UPTYCS_SECRET=$(cat %s)", OTHER_NAME = "OTHER_NAME=$(cat %s) MOONWATCH_ENROLL_SECRET_ENV=OTHER_NAME",
      FILE = "MOONWATCH_ENROLL_SECRET=file:%s",
    } do
      local file = canary_file()
      local app = beside(prefix:format(file))
      await_state(app, "^read$")
      assert.are.same({}, search(file, "environ"), name)
      assert.are.same({}, search(file, "memory", app.pid), name)
      assert.are.same({}, search(file, "memory", process_of(app, "tracer")), name)
      -- That the search finds something: where it has to be.
      assert.is_true(#search(file, "memory", process_of(app, "sensor")) > 0, name)
      app.stop()
      support.await_event({ events_path = app.events }, function(event)
        return event.kind == "process.exit"
      end)
      assert.are.same({}, search(file, "files", app.state, app.events, app.err), name)
    end
  end)

  it("is in no table", function()
    local file = canary_file()
    local app = beside(("UPTYCS_SECRET=$(cat %s)"):format(file), "--exec_environment=all")
    await_state(app, "^read$")
    local out = support.new_path()
    for _, query in ipairs {
      "SELECT * FROM processes", "SELECT * FROM process_events", "SELECT * FROM moonwatch_health", "SELECT * FROM moonwatch_alerts",
      "SELECT * FROM process_envs JOIN processes USING (pid)",
    } do
      assert(os.execute(("%s sql --json --state_dir=%s %s >>%s 2>/dev/null; true"):format(
        support.moonwatch, app.state, quote(query), out)))
    end
    assert.is_true(#support.read(out) > 1000)
    app.stop()
    assert.are.same({}, search(file, "files", out))
  end)

  it("leaves no trace in a core file", function()
    if support.read("/proc/sys/kernel/core_pattern"):find "^[|/]" then
      pending "core files go elsewhere here (kernel.core_pattern)"
      return
    end
    local file, dir = canary_file(), support.new_path()
    assert(os.execute("mkdir " .. dir))
    run(("cd %s; ulimit -c unlimited; UPTYCS_SECRET=$(cat %s) %s run --state_dir=%s -- sh -c 'sleep 0.3; kill -SEGV $$'"):format(
      dir, file, support.moonwatch:gsub("^[^/]", "$OLDPWD/%0"), support.new_path()))
    local cores = run("ls " .. dir)
    assert.matches("core", cores.out)
    assert.are.same({}, search(file, "files", dir))

    -- The sensor that is killed makes none: it is not dumpable.
    local app = beside(("UPTYCS_SECRET=$(cat %s)"):format(file))
    await_state(app, "^read$")
    local sensor = process_of(app, "sensor")
    assert(os.execute("kill -SEGV " .. sensor))
    local deadline = os.time() + 10
    while os.execute("kill -0 " .. sensor) and os.time() < deadline do
      os.execute "sleep 0.05"
    end
    await_state(app, "^read$") -- of the one that took its place, too
    app.stop()
    assert.are.equal("", run("find / -maxdepth 1 -name 'core*' -newer " .. app.events .. ".alerts").out)
  end)

  it("may be an ARN where a secret was expected", function()
    local app = beside "UPTYCS_SECRET=arn:aws:ssm:us-east-1:111122223333:parameter/enrol"
    assert.matches("taskRoleArn", await_state(app, "no credentials"))
    app.stop()
  end)

  it("that cannot be read is told in one line, and as an event; the application goes on", function()
    for flag, why in pairs {
      ["--enroll_secret=file:/no/such/file"] = "/no/such/file: No such file", ["--enroll_secret=env:NOBODY"] = "env:NOBODY",
      ["--enroll_secret_path=relative"] = "full path", ["--enroll_secret=arn:aws:ssm:x"] = "no ARN",
      ["--enroll_secret=secretsmanager:x"] = "no region",
    } do
      local app = beside("AWS_REGION= AWS_DEFAULT_REGION=", flag)
      local state = await_state(app, why)
      support.await_event({ events_path = app.events }, function(event)
        return event.kind == "sensor.health" and event.message == "no enrolment secret: " .. state
      end)
      app.stop()
      assert.are.same({ "moonwatch: no enrolment secret: " .. state }, lines(support.read(app.err)))
    end
  end)

  it("is never given as a flag", function()
    local result = run(support.moonwatch .. " run --enroll_secret=hunter2hunter2 -- true")
    assert.are.equal(2, result.code)
    assert.matches("says where the value is", result.err)
    assert.is_nil(result.err:find("hunter2", 1, true))
  end)

  it("is taken out of an environment that is otherwise as it was", function()
    local result = run(("env -i A=1 UPTYCS_SECRET=x PATH=$PATH UPTYCS_SECRET_2=y AWS_ACCESS_KEY_ID=z Z=2 %s run --state_dir=%s -- env")
      :format(support.moonwatch, support.new_path()))
    assert.are.same({ "A=1", "UPTYCS_SECRET_2=y", "AWS_ACCESS_KEY_ID=z", "Z=2" }, support.filter(lines(result.out), function(line)
      return not line:find "^PATH="
    end))
  end)
end)

describe("the application", function()
  it("does not wait for a store that hangs", function()
    local ports, _, stop = servers.bad()
    local environment = ("AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=y AWS_REGION=us-east-1 AWS_ENDPOINT_URL=http://127.0.0.1:%d/hang")
      :format(ports.http)
    local function seconds(prefix, flags)
      local result = run(("%s %s run --state_dir=%s --shutdown_flush_ms=0 %s -- sh -c 'cat /proc/uptime'; cat /proc/uptime"):format(
        prefix, support.moonwatch, support.new_path(), flags))
      local started, ended = result.out:match "([%d.]+).-\n([%d.]+)"
      assert.is_truthy(ended, result.err)
      return ended - started
    end
    assert.is_true(seconds("env " .. environment, "--enroll_secret=ssm:enrol") < 3)
    stop()
  end)
end)
