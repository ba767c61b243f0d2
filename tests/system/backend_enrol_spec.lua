-- Enrolment at a backend.
local backend = require "tests.system.backend"
local support = require "tests.system.support"
local watched = require "tests.system.watched"

local server

setup(function()
  server = backend.start()
end)

teardown(function()
  server:stop()
end)

after_each(function()
  watched.end_all()
  server:fault()
  server:set { secrets = { "the enrolment secret" }, config = {}, style = "fleet" }
  server:check()
end)

--- A number of requests to an endpoint, after some record.
local function count(endpoint, after, where)
  where = where or {}
  where.endpoint = endpoint
  return server:count { where = where, after = after }
end

describe("enrolment", function()
  it("tells all of the host; the first lines come at once, and the key is never shown", function()
    local before = server:last()
    local app = watched.start(server:flags())
    local enrolled = server:wait { where = { endpoint = "enroll", accepted = true }, after = before }[1]
    server:wait { where = { endpoint = "config", accepted = true }, after = before }
    app:run "/bin/echo marker"
    server:wait { line = { ["columns.cmdline"] = { match = "echo marker" } }, after = before }
    assert.are.equal(0, app:stop())
    local key = server:state().nodes[#server:state().nodes].node_key
    assert.is_nil(app:said():find(key, 1, true))
    assert.is_nil(app:said():find("the enrolment secret", 1, true))
    -- That they are complete and of their types the backend has seen to.
    local details = enrolled.body.host_details
    assert.are.equal(enrolled.host, details.system_info.uuid)
    assert.are.equal(enrolled.host, details.osquery_info.uuid)
    assert.are.equal("9", details.osquery_info.platform_mask)
    -- Connections are kept: there are no more than were needed at the same time.
    local connections = {}
    for _, record in ipairs(server:records()) do
      if record.n > before then
        connections[record.connection] = (connections[record.connection] or 0) + 1
      end
    end
    assert.is_true(connections[enrolled.connection] > 1)
  end)

  it("a key outlives the sensor, and the run", function()
    local before = server:last()
    local app = watched.start(server:flags())
    server:wait { where = { endpoint = "config", accepted = true }, after = before }
    local middle = server:last()
    app:kill_sensor()
    server:wait { where = { endpoint = "config", accepted = true }, after = middle }
    app:run "/bin/echo after"
    server:wait { line = { ["columns.cmdline"] = { match = "echo after" } }, after = middle }
    app:stop()
    middle = server:last()
    local again = watched.start(server:flags(), { state = app.state })
    server:wait { where = { endpoint = "config", accepted = true }, after = middle }
    again:stop()
    assert.are.equal(1, count("enroll", before))
    assert.are.same({}, support.filter(server:state().nodes, function(node)
      return not node.is_valid
    end))
  end)

  it("a wrong secret is told once, and not tried again and again", function()
    for _, style in ipairs { "fleet", "osctrl", "doorman" } do
      server:set { style = style }
      local before = server:last()
      local app = watched.start(server:flags "wrong")
      server:wait { where = { endpoint = "enroll" }, after = before }
      app:await(function()
        return app:said():find "wrong secret"
      end)
      app:run "sleep 3"
      assert.are.equal(0, app:stop())
      assert.is_true(count("enroll", before) <= 2, style) -- one more, of the end, at most
      assert.are.equal(select(2, app:said():gsub("wrong secret", "")), 1, app:said())
      assert.are.equal(0, count("config", before) + count("log", before) + count("read", before))
    end
  end)

  it("when the backend forgets it, it enrols again, and what was to be sent comes", function()
    local before = server:last()
    local app = watched.start(server:flags() .. " --logger_tls_period=1")
    server:wait { where = { endpoint = "config", accepted = true }, after = before }
    -- Nothing goes through, and then the key is none.
    server:fault { kind = "reset" }
    app:run "for i in 1 2 3; do /bin/echo kept-$i; done"
    local middle = server:last()
    server:ask "invalidate"
    server:fault()
    server:wait { where = { endpoint = "enroll", accepted = true }, after = middle, timeout_s = 40 }
    for i = 1, 3 do
      server:wait { line = { ["columns.cmdline"] = { match = "echo kept-" .. i } }, after = middle, timeout_s = 20 }
    end
    assert.are.equal(0, app:stop())
  end)

  it("goes on trying while the backend is away, slow, or full", function()
    local before = server:last()
    server:fault({ endpoint = "enroll", kind = "reset", times = 1 }, { endpoint = "enroll", kind = "status", status = 503, times = 1 },
      { endpoint = "enroll", kind = "status", status = 429, retry_after = 1, times = 1 },
      { endpoint = "enroll", kind = "not_json", times = 1 })
    local app = watched.start(server:flags())
    app:run "/bin/echo early"
    server:wait { where = { endpoint = "enroll", accepted = true }, after = before, timeout_s = 60 }
    server:wait { line = { ["columns.cmdline"] = { match = "echo early" } }, after = before }
    assert.are.equal(0, app:stop())
  end)
end)

describe("containers", function()
  it("of one task, and tasks of one family, are hosts of their own", function()
    if not support.has_namespaces then
      pending "needs to make network namespaces"
      return
    end
    local dir = support.new_path()
    assert(os.execute("mkdir " .. dir))
    support.write(dir .. "/secret", "the enrolment secret")
    support.write(dir .. "/script", ([[
ip link set lo up && ip addr add 169.254.170.2/32 dev lo
python3 tests/backend/server.py DIR &
server=$!
until [ -e DIR/ready.json ]; do sleep 0.05; done
port=$(sed 's/.*"port": \([0-9]*\).*/\1/' DIR/ready.json)
task=v4-fargate-task-promexporter-2025
for sample in $task $task@2 v4-fargate-task-awsdocs; do
  env -u AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_EXECUTION_ENV=AWS_ECS_FARGATE ECS_CONTAINER_METADATA_URI_V4=SERVED/v4/$sample \
    python3 tests/fixtures/ecs-metadata/serve.py 169.254.170.2:80 MOONWATCH run --state_dir=DIR/$sample --backend=fleet \
    --tls_hostname=localhost:$port --tls_server_certs=DIR/ca.pem --enroll_secret=file:DIR/secret -- sh -c '
    i=0
    until [ "$(grep -c "\"endpoint\": \"config\"" DIR/records.jsonl)" -ge '$((n += 1))' ] || [ $((i += 1)) -gt 200 ]; do sleep 0.1; done'
done
kill $server
]]):gsub("DIR", dir):gsub("MOONWATCH", support.moonwatch))
    local result = support.run("unshare -n sh " .. dir .. "/script")
    local enrolled = support.filter(support.json_lines(dir .. "/records.jsonl"), function(record)
      assert.are.same({}, record.violations)
      return record.endpoint == "enroll" and record.accepted
    end)
    assert.are.equal(3, #enrolled, result.err)
    for _, column in ipairs { "uuid", "hostname", "hardware_serial" } do
      local seen = {}
      for _, record in ipairs(enrolled) do
        local value = record.body.host_details.system_info[column]
        assert.is_nil(seen[value], column)
        seen[value] = true
      end
    end
    assert.is_true(enrolled[1].host ~= enrolled[2].host and enrolled[2].host ~= enrolled[3].host)
    local info = enrolled[1].body.host_details.system_info
    assert.are.equal("prom-ecs-exporter-sandbox-main-fargate/bae32def0ab64f06818e8862e58f8d6d/prometheus", info.hostname)
    assert.are.equal("Amazon ECS", info.hardware_vendor)
  end)
end)
