-- Outputs that a backend's configuration names come, change and go while the application runs; what a backend may not have is refused.
local backend = require "tests.system.backend"
local cjson = require "cjson"
local loop = require "moonwatch.loop"
local servers = require "tests.fixtures.net.server"
local support = require "tests.system.support"
local tls = require "moonwatch.tls"
local watched = require "tests.system.watched"

local server, sink, stop_sink

setup(function()
  server = backend.start()
  local ready = support.new_path()
  local told
  told, stop_sink = servers.start("python3 tests/fixtures/sinks/http_sink.py " .. ready, ready)
  sink = "http://127.0.0.1:" .. told.port
end)

teardown(function()
  stop_sink()
  server:stop()
end)

after_each(function()
  watched.end_all()
  server:set { config = {} }
  server:check()
end)

local FLAGS <const> = " --config_refresh=1 --logger_tls_period=1 --distributed_interval=3600"

local function start(flags, options)
  return watched.start(server:flags() .. FLAGS .. " " .. (flags or ""), options)
end

--- All that the sink got until `wanted` finds what it looks for among it.
local function await_seen(wanted)
  local deadline, all = os.time() + 30, {}
  repeat
    for _, seen in ipairs(cjson.decode(assert(loop.run(tls.request, { url = sink .. "/seen", plain = true,
      answer_bytes = 64 << 20 })).body)) do
      all[#all + 1] = seen
      if wanted(seen) then
        return all
      end
    end
    loop.run(loop.sleep, 50)
  until os.time() > deadline
  error(("not among %d requests"):format(#all), 2)
end

local function has(path, mark)
  return function(seen)
    return seen.path == path and seen.body:find(mark, 1, true)
  end
end

local function outputs(...)
  return { options = {}, moonwatch = { outputs = { ... } } }
end

--- Names of the deliveries that the sensor tells of.
local function deliveries(app)
  local names = {}
  for _, row in ipairs(app:sql "SELECT DISTINCT component FROM moonwatch_health WHERE component LIKE 'delivery %'") do
    names[row.component:sub(10)] = true
  end
  return names
end

describe("outputs of a backend's configuration", function()
  it("come, change and go while the application runs", function()
    local first = ("events/json:http=%s/first;period_ms=50"):format(sink)
    server:set { config = outputs(first) }
    local app = start()
    app:await(function()
      return deliveries(app)["http=" .. sink .. "/first"]
    end)
    app:run "/bin/echo mark-one"
    await_seen(has("/first", "mark-one"))

    server:set { config = outputs(first .. ";rows=3", ("alerts+events/ecs:http=%s/second;period_ms=50"):format(sink)) }
    app:await(function()
      return deliveries(app)["http=" .. sink .. "/second"]
    end)
    app:run "/bin/echo mark-two"
    local is_first, is_second
    await_seen(function(seen)
      is_first = is_first or has("/first", "mark-two")(seen)
      is_second = is_second or has("/second", "mark-two")(seen)
      return is_first and is_second
    end)

    server:set { config = outputs(("events/json:http=%s/second;period_ms=50"):format(sink)) }
    app:await(function()
      return not deliveries(app)["http=" .. sink .. "/first"]
    end)
    app:run "/bin/echo mark-three"
    for _, seen in ipairs(await_seen(has("/second", "mark-three"))) do
      assert.is_falsy(has("/first", "mark-three")(seen))
    end

    local before = server:last()
    server:set { config = {} }
    app:await(function()
      return not deliveries(app)["http=" .. sink .. "/second"]
    end)
    app:run "/bin/echo mark-four"
    server:wait { line = { ["columns.cmdline"] = { match = "mark-four" } }, after = before }
    assert.are.equal(0, app:stop())
  end)

  it("survive a start without the backend", function()
    server:set { config = outputs(("events/json:http=%s/kept;period_ms=50"):format(sink)) }
    local app = start()
    app:await(function()
      return deliveries(app)["http=" .. sink .. "/kept"]
    end)
    app:stop()
    server:ask "down"
    local again = start("", { state = app.state })
    again:run "/bin/echo mark-kept"
    await_seen(has("/kept", "mark-kept"))
    again:stop()
    server:ask "up"
  end)

  it("write no files, go nowhere without TLS, and name no secrets that were not released", function()
    server:set { config = { options = { logger_tls_max_lines = 91 } } }
    local app = start()
    local function lines()
      return tostring(app:sql("SELECT value FROM osquery_flags WHERE name = 'logger_tls_max_lines'")[1].value)
    end
    app:await(function()
      return lines() == "91"
    end)
    local secret = support.new_path()
    support.write(secret, "private\n")
    for _, wrong in ipairs {
      { "events/json:file=" .. support.new_path(), "on the network alone" },
      { "events/json:stderr", "on the network alone" },
      { "events/json:syslog=tcp://192.0.2.1:514;plain=yes", "outputs that are set here" },
      { ("events/json:http=%s/x;header=Authorization: file:%s"):format(sink, secret), "does not release" },
      { ("events/json:http=https://127.0.0.1:1/x;cert=%s;key=%s"):format(secret, secret), "does not release" },
      { "events/json:nowhere", "unknown sink" },
    } do
      local before = server:last()
      server:set { config = { options = { logger_tls_max_lines = 92 }, moonwatch = { outputs = { wrong[1] } } } }
      server:wait { line = { message = { match = wrong[2] } }, after = before }
    end
    assert.are.same({ tls = true, tls_status = true }, deliveries(app))
    assert.are.equal("91", lines())
    assert.are.equal(0, app:stop())
  end)

  it("name secrets that were released, which the application does not get", function()
    server:set { config = outputs(("events/json:http=%s/secret;period_ms=50;header=Authorization: env:SINK_TOKEN"):format(sink)) }
    local app = start("--backend_output_secrets=env:SINK_TOKEN", { environment = "SINK_TOKEN='Bearer released'" })
    local environment = support.new_path()
    app:run("env >" .. environment .. "; /bin/echo mark-secret")
    for _, seen in ipairs(await_seen(has("/secret", "mark-secret"))) do
      assert.are.equal(seen.path == "/secret" and "Bearer released" or nil, seen.headers.authorization)
      assert.is_nil(seen.body:find("Bearer released", 1, true))
    end
    assert.is_nil(support.read(environment):find("SINK_TOKEN", 1, true))
    assert.are.equal(0, app:stop())
  end)
end)
