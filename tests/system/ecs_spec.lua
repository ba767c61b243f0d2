-- The sensor on ECS: its own network namespace has the address that ECS answers on.
local cjson = require "cjson"
local support = require "tests.system.support"

local run, quote = support.run, support.quote

local ARN <const> = "arn:aws:ecs:us-east-1:829490980523:task/prom-ecs-exporter-sandbox/bae32def0ab64f06818e8862e58f8d6d"

--- Run a command where 169.254.170.2 serves the samples.
local function on_ecs(command, environment)
  return run(("unshare -n sh -c %s"):format(quote(("ip link set lo up && ip addr add 169.254.170.2/32 dev lo && "
    .. "exec env -u AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_EXECUTION_ENV=AWS_ECS_FARGATE %s "
    .. "python3 tests/fixtures/ecs-metadata/serve.py 169.254.170.2:80 %s"):format(environment, command))))
end

local V4 <const> = "ECS_CONTAINER_METADATA_URI_V4=SERVED/v4/"

--- An application that ends when the sensor has said in an event, or in the spool, what is waited for.
local function application(state, query)
  return ("sh -c %s"):format(quote(([[
    i=0
    until [ "$(%s sql --state_dir=%s --csv --header=false "%s" 2>/dev/null)" ] || [ $((i += 1)) -gt 100 ]; do sleep 0.1; done
    /bin/true]]):format(support.moonwatch, state, query)))
end

local function watch(environment, flags, query)
  local state, events = support.new_path(), support.new_path()
  local result = on_ecs(("%s run --state_dir=%s --outputs=events/json:file=%s %s -- %s"):format(support.moonwatch, state,
    events, flags or "", application(state, query or "select 1 from ecs_metadata where task_arn is not null")), environment)
  support.await(events)
  return result, support.json_lines(events), state
end

local function last_of(events, kind)
  for i = #events, 1, -1 do
    if events[i].kind == kind then
      return events[i]
    end
  end
  error("no event " .. kind)
end

describe("on ECS", function()
  if not support.has_namespaces then
    pending "needs to make network namespaces"
    return
  end

  it("events, alerts and tables say in which task and container they were seen", function()
    local result, events, state = watch(V4 .. "v4-fargate-task-promexporter-2025")
    assert.are.equal(0, result.code, result.err)
    assert.are.equal("", result.err)
    local event = last_of(events, "process.exit")
    assert.are.same({ name = "prometheus", id = "bae32def0ab64f06818e8862e58f8d6d-1819985369",
      image = "prom/prometheus:v3.1.0", digest = event.container.digest }, event.container)
    assert.are.equal(ARN, event.ecs.task_arn)
    assert.are.equal("9", event.ecs.revision)
    assert.are.equal("us-east-1", event.ecs.region)
    local rows = support.sql(state, "SELECT m.task_id, t.launch_type, c.container_name, c.is_self FROM ecs_metadata m "
      .. "JOIN ecs_task t USING (task_arn) JOIN ecs_container c USING (task_arn) ORDER BY c.container_name")
    assert.are.equal(3, #rows)
    assert.are.same({ "prometheus", "1", "FARGATE" }, { rows[3].container_name, tostring(rows[3].is_self),
      rows[3].launch_type })

    local info = support.sql(state, "SELECT * FROM system_info")[1]
    assert.are.equal("prom-ecs-exporter-sandbox-main-fargate/bae32def0ab64f06818e8862e58f8d6d/prometheus", info.hostname)
    assert.are.equal("bae32def0ab64f06818e8862e58f8d6d/prometheus", info.hardware_serial)
    assert.are.equal(require("moonwatch.ecs.host").uuid(ARN .. "/prometheus"), info.uuid)
    assert.are.equal("Amazon ECS", info.hardware_vendor)
    assert.are.equal(512 << 20, tonumber(info.physical_memory))
  end)

  it("every sample is understood", function()
    local names = {}
    for path in assert(io.popen "ls tests/fixtures/ecs-metadata/*.json"):lines() do
      names[#names + 1] = path:match "([^/]+)%.json$"
    end
    local result = on_ecs(("%s lua tests/spec/ecs/fetch.lua %s"):format(support.moonwatch, table.concat(names, " ")),
      V4 .. "NAME")
    assert.are.equal(0, result.code, result.err)
    local results = cjson.decode(result.out)
    for _, name in ipairs(names) do
      assert.is_truthy(results[name].known, name)
      assert.is_nil(results[name].message, name)
    end
  end)

  it("an endpoint that knows nothing yet is asked again", function()
    local result, events = watch(V4 .. "early")
    assert.are.equal("", result.err)
    assert.are.equal(ARN, last_of(events, "process.exit").ecs.task_arn)
  end)

  it("version 2 is asked where only the environment of execution is known", function()
    local _, events, state = watch ""
    assert.is_truthy(last_of(events, "process.exit").ecs.task_arn)
    assert.are.equal("v2", support.sql(state, "SELECT metadata_version FROM ecs_metadata")[1].metadata_version)
  end)

  it("an endpoint that fails is named in one line, and is in nobody's way", function()
    local result, events = watch(V4 .. "html", "", "select 1 from moonwatch_health where component = 'sensor'")
    assert.are.equal(0, result.code)
    assert.is_nil(last_of(events, "process.exit").ecs)
  end)

  it("doctor finds metadata, and what is missing for the secret", function()
    local result = on_ecs(support.moonwatch .. " doctor --json --enroll_secret=ssm:/moonwatch/enroll",
      V4 .. "v4-fargate-task-promexporter-2025")
    assert.are.equal(1, result.code, result.err)
    local by_name = {}
    for _, check in ipairs(cjson.decode(result.out).checks) do
      by_name[check.check] = check
    end
    assert.are.equal("ok", by_name.metadata.state)
    assert.is_truthy(by_name.metadata.found:find("container prometheus", 1, true))
    assert.are.equal("failed", by_name.secret.state)
    assert.is_truthy(by_name.secret.found:find("credentials", 1, true), by_name.secret.found)
    assert.is_truthy(by_name.secret.mend)
    assert.are.equal("ok", by_name.ptrace.state)
  end)
end)

describe("off ECS", function()
  it("nobody is asked", function()
    local trace = support.new_path()
    local result = run(("env -u ECS_CONTAINER_METADATA_URI_V4 -u ECS_CONTAINER_METADATA_URI -u AWS_EXECUTION_ENV "
      .. "strace -f -e trace=connect,sendto -o %s %s run --engine=poll --state_dir=%s -- true"):format(trace,
        support.moonwatch, support.new_path()))
    assert.are.equal(0, result.code, result.err)
    assert.is_nil(support.read(trace):find("169.254", 1, true))
    assert.is_truthy(support.read(trace):find("exited", 1, true))
  end)
end)
