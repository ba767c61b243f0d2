-- Signed bundles of rules, fetched from a server over HTTPS while programs start, kept for the next start, and refused.
local cjson = require "cjson"
local servers = require "tests.fixtures.net.server"
local support = require "tests.system.support"

local run, moonwatch = support.run, support.moonwatch

local function must(command)
  local result = run(command)
  assert(result.code == 0, command .. ": " .. result.err .. result.out)
  return result.out
end

local function rule(id)
  return ([[
return {
  id = %q,
  summary = "A program of the test",
  why = "The test asks for it.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1059.004" },
  match = function(event)
    local argv = event.process.argv
    return argv and argv[2] == "marked"
  end,
  examples = {
    { expect = true, event = { process = { argv = { "true", "marked" } } } },
    { expect = false, event = { process = { argv = { "true" } } } },
  },
}
]]):format(id)
end

local folder = support.new_path()
must("mkdir " .. folder)
must(("cd %s && %s bundle keygen ours && %s bundle keygen theirs"):format(folder, moonwatch:gsub("^[^/]", os.getenv "PWD" .. "/%0"),
  moonwatch:gsub("^[^/]", os.getenv "PWD" .. "/%0")))
local key = support.read(folder .. "/ours.pub"):gsub("\n", "")

--- Path of a bundle with one rule, signed by the key of that name.
local function bundle(version, id, more, by)
  local dir, file = support.new_path(), support.new_path()
  must(("mkdir -p -m 755 %s %s/execution"):format(dir, dir))
  support.write(("%s/execution/%s.lua"):format(dir, id), rule(id))
  must(("%s bundle build %s -o %s --version=%s %s"):format(moonwatch, dir, file, version, more or ""))
  must(("%s bundle sign %s --key=%s/%s.key"):format(moonwatch, file, folder, by or "ours"))
  return file
end

--- One that could not be built.
local function crafted(version, api, id, text)
  local file, source = support.new_path(), support.new_path()
  support.write(source, text)
  must(("python3 tests/fixtures/bundle/craft.py %s %s %s rules/%s.lua=%s"):format(file, version, api, id, source))
  must(("%s bundle sign %s --key=%s/ours.key"):format(moonwatch, file, folder))
  return file
end

local function serve()
  local dir = support.new_path()
  must("mkdir " .. dir)
  local told, stop = servers.start("python3 tests/fixtures/bundle/server.py " .. dir, dir .. "/ready.json")
  local server = { dir = dir, stop = stop,
    flags = ("--bundle_url=https://localhost:%d/bundle.mwb --tls_server_certs=%s/ca.pem --bundle_interval=1 --bundle_keys=%s"):format(
      told.port, dir, key) }
  --- Whole, as who publishes does.
  function server.publish(file)
    must(("cp %s %s/new && mv %s/new %s/bundle.mwb"):format(file, dir, dir, dir))
  end
  return server
end

local unshare = support.has_namespaces and "unshare -pf --mount-proc --kill-child" or ""

--- An application that starts "true marked N" again and again until it is stopped.
local function application(flags, state)
  local app = { state = state or support.new_path(), out = support.new_path(), stopper = support.new_path(), done = support.new_path(),
    err = support.new_path() }
  local script = support.new_path()
  support.write(script, ("n=0; until [ -e %s ]; do n=$((n + 1)); /bin/true marked $n; done; echo $n"):format(app.stopper))
  local command = ("%s %s run --state_dir=%s --outputs=events/json:file=%s.events,alerts/json:file=%s.alerts %s -- sh %s"):format(
    unshare, moonwatch, app.state, app.out, app.out, flags, script)
  assert(os.execute(("( %s >%s.n 2>%s; touch %s ) &"):format(command, app.out, app.err, app.done)))
  local function lines(kind)
    local file = io.open(app.out .. "." .. kind)
    if not file then
      return {}
    end
    file:close()
    return support.json_lines(app.out .. "." .. kind)
  end
  function app.await(what, wanted)
    local deadline = os.time() + 30
    local last
    repeat
      last = wanted()
      if last then
        return last
      end
      os.execute "sleep 0.05"
    until os.time() > deadline
    error(what .. " did not come: " .. support.read(app.err))
  end
  --- Until the sensor says so of itself.
  function app.hears(text)
    return app.await(text, function()
      local found = support.filter(lines "events", function(event)
        return event.kind == "sensor.health" and event.message:find(text, 1, true)
      end)
      return found[1]
    end)
  end
  --- Until the rule has said something.
  function app.alerts(id)
    return app.await("an alert of " .. id, function()
      return support.filter(lines "alerts", function(alert)
        return alert.rule.id == id
      end)[1]
    end)
  end
  function app.stop()
    support.write(app.stopper, "")
    app.await("the end", function()
      return io.open(app.done) ~= nil
    end)
    return tonumber(support.read(app.out .. ".n")), lines "events", lines "alerts"
  end
  return app
end

local function state_of(app)
  local rows = support.sql(app.state, "SELECT name, text FROM moonwatch_health WHERE component = 'bundle'")
  local state = {}
  for _, row in ipairs(rows) do
    state[row.name] = row.text
  end
  return state
end

describe("a bundle", function()
  local server = serve()

  it("is put in force while programs start, and another in its place; none is lost, none is told twice", function()
    local app = application(server.flags)
    app.await("an exec", function()
      return io.open(app.out .. ".events") and #support.json_lines(app.out .. ".events") > 5
    end)
    server.publish(bundle("1.0", "bundled_one"))
    app.hears("bundle rules 1.0")
    app.alerts "bundled_one"
    server.publish(bundle("1.1", "bundled_two"))
    app.hears("bundle rules 1.1")
    app.alerts "bundled_two"
    -- What has not changed is not sent again.
    app.await("an answer without a body", function()
      return support.read(server.dir .. "/requests"):find "304"
    end)
    local count, events, alerts = app.stop()
    -- Every program that was started is there, once.
    local seen = {}
    for _, event in ipairs(support.of_kind(events, "process.exec", "marked")) do
      local n = tonumber(event.process.argv[3])
      assert.is_nil(seen[n])
      seen[n] = true
    end
    assert.are.equal(count, #seen)
    -- Nothing, then the first rule, then the second: at each start one set of rules was asked, and all of it.
    local by_start, last = {}, 0
    for _, alert in ipairs(alerts) do
      if alert.rule.id:find "^bundled_" then
        local n = tonumber(alert.process.argv[3])
        assert.is_nil(by_start[n])
        by_start[n] = alert.rule.id == "bundled_one" and 1 or 2
      end
    end
    local stages = { [0] = 0, 0, 0 }
    for n = 1, count do
      local stage = by_start[n] or 0
      assert.is_true(stage >= last, ("start %d is at stage %d after %d"):format(n, stage, last))
      stages[stage], last = stages[stage] + 1, stage
    end
    assert.is_true(stages[1] > 0 and stages[2] > 0)
    assert.are.equal("1.1", state_of(app).version)
    assert.are.equal("rules 1.1 is in force", state_of(app).state)

    -- The next start has it without asking anybody.
    local again = application("--bundle_keys=" .. key, app.state)
    again.alerts "bundled_two"
    local _, _, told = again.stop()
    assert.are.equal(1, tonumber(support.filter(told, function(alert)
      return alert.rule.id == "bundled_two"
    end)[1].process.argv[3]))

    -- Unless it was changed meanwhile.
    local kept = support.read(app.state .. "/bundle.mwb")
    support.write(app.state .. "/bundle.mwb", kept:sub(1, -2) .. string.char(kept:byte(-1) ~ 1))
    local third = application("--bundle_keys=" .. key, app.state)
    third.hears "the bundle of the last start is refused: the signature does not fit"
    assert.is_truthy(state_of(third).state:find("none is in force; refused: the signature does not fit", 1, true))
    local _, _, none = third.stop()
    assert.are.same({}, support.filter(none, function(alert)
      return alert.rule.id == "bundled_two"
    end))
  end)

  it("is refused, and what runs stays, when it is not as it must be", function()
    server.publish(bundle("2.0", "bundled_good"))
    local app = application(server.flags)
    app.alerts "bundled_good"
    local function refused(file, why)
      server.publish(file)
      app.hears(why)
      assert.are.equal("2.0", state_of(app).version)
    end
    refused(bundle("1.9", "bundled_old"), "version 1.9 is older than 2.0, which runs")
    refused(bundle("2.0", "bundled_other"), "version 2.0 runs already, with other contents")
    refused(bundle("2.1", "bundled_theirs", nil, "theirs"), "signed by none of the keys")
    refused(crafted("2.1", 99, "bundled_future", rule "bundled_future"), "for api 99 of rules")
    refused(crafted("2.1", 1, "bundled_wrong", (rule("bundled_wrong"):gsub('"marked"', '"other"', 1))),
      "rules/bundled_wrong.lua:13: example 1: expected a match, the rule says no match")
    refused(crafted("2.1", 1, "bundled_none", "return 7"), "rules/bundled_none.lua:1: must return a table")
    refused(crafted("2.1", 1, "bundled_loop", "while true do end"), "ran longer than")
    refused(crafted("2.1", 1, "../../x", rule "x"), "a name in the bundle is not allowed")
    -- Signed to go back to, it is taken.
    server.publish(bundle("1.9", "bundled_back", "--rollback_from=2.0"))
    app.hears "bundle rules 1.9"
    app.alerts "bundled_back"
    local _, _, alerts = app.stop()
    for _, alert in ipairs(alerts) do
      assert.is_truthy(({ bundled_good = true, bundled_back = true })[alert.rule.id] or not alert.rule.id:find "^bundled_")
    end
  end)

  it("is waited for while the server is down", function()
    support.write(server.dir .. "/down", "")
    server.publish(bundle("3.0", "bundled_late"))
    local app = application(server.flags)
    app.hears "cannot be fetched: "
    os.remove(server.dir .. "/down")
    app.alerts "bundled_late"
    app.hears "can be fetched again"
    app.stop()
  end)

  it("comes in a configuration, too", function()
    local base64 = must(("base64 -w0 %s"):format(bundle("1.0", "bundled_inline")))
    local config = support.new_path()
    support.write(config, cjson.encode { moonwatch = { bundle = { version = "1.0", inline = base64 } } })
    local app = application(("--config_path=%s --bundle_keys=%s"):format(config, key))
    app.alerts "bundled_inline"
    app.stop()
  end)

  it("replaces the shipped rule of its name", function()
    local file = bundle("1.0", "exec_dev_shm")
    local config = support.new_path()
    support.write(config, cjson.encode { moonwatch = { bundle = { inline = must("base64 -w0 " .. file) } } })
    local app = application(("--config_path=%s --bundle_keys=%s"):format(config, key))
    app.alerts "exec_dev_shm"
    assert.are.equal("0", tostring(math.tointeger(support.sql(app.state,
      "SELECT value FROM moonwatch_health WHERE component = 'rules' AND name = 'refused'")[1].value)))
    app.stop()
  end)

  it("is not taken without a key", function()
    local config = support.new_path()
    support.write(config, cjson.encode { moonwatch = { bundle = { inline = must("base64 -w0 " .. bundle("1.0", "bundled_no")) } } })
    local app = application("--config_path=" .. config)
    app.hears "there is no key to check signatures with"
    app.stop()
  end)

  teardown(server.stop)
end)
