-- The task metadata endpoint, asked for real: a server of the samples on this machine.
local cjson = require "cjson"
local program = require "tests.spec.program"

local SERVE <const> = "python3 tests/fixtures/ecs-metadata/serve.py 127.0.0.1:0 "

local function fetch(environment, ...)
  local pipe <close> = assert(io.popen(("env -u ECS_CONTAINER_METADATA_URI_V4 -u ECS_CONTAINER_METADATA_URI %s %s %s lua "
    .. "tests/spec/ecs/fetch.lua %s"):format(environment, SERVE, program.path, table.concat({ ... }, " "))))
  local out = assert(pipe:read "a")
  assert.is_true(pipe:close())
  return cjson.decode(out)
end

local function v4(...)
  return fetch("ECS_CONTAINER_METADATA_URI_V4=SERVED/v4/NAME/", ...)
end

describe("the task metadata endpoint", function()
  it("of version 4 tells of this container and its task", function()
    local result = v4("v4-fargate-task-promexporter-2025")["v4-fargate-task-promexporter-2025"]
    assert.is_nil(result.message)
    local own = result.known.own
    assert.are.equal("prometheus", own.container_name)
    assert.are.equal("prom-ecs-exporter-sandbox-main-fargate", own.task_family)
    assert.are.equal("v4", own.metadata_version)
    assert.is_truthy(own.metadata_uri:find("/v4/v4-fargate-task-promexporter-2025", 1, true))
    assert.is_true(math.abs(own.fetched_at - os.time()) < 60)
  end)

  it("of version 3 does, and of version 2 tells of the task", function()
    local result = fetch("ECS_CONTAINER_METADATA_URI=SERVED/v3/NAME", "v3-ec2-task-awsdocs")["v3-ec2-task-awsdocs"]
    assert.are.equal("v3", result.known.own.metadata_version)
    assert.is_truthy(result.known.own.task_id)
    assert.is_truthy(result.known.own.container_name)
  end)

  it("answers every sample", function()
    local names = {}
    for path in assert(io.popen "ls tests/fixtures/ecs-metadata/*.json"):lines() do
      names[#names + 1] = path:match "([^/]+)%.json$"
    end
    local results = v4(table.unpack(names))
    for _, name in ipairs(names) do
      assert.is_truthy(results[name].known, name)
      assert.is_nil(results[name].message, name)
    end
  end)

  it("may know nothing, and may be no such thing", function()
    local results = v4("nulls", "html", "text", "huge", "away", "none", "drip")
    assert.is_nil(results.nulls.message)
    assert.is_nil(results.nulls.known.own.task_arn)
    for name, complaint in pairs {
      html = "HTTP 502: no JSON: <html>",
      text = "HTTP 429: no JSON: reached maximum request limit",
      huge = "1048576 bytes",
      away = "HTTP 302",
      none = "HTTP 404: no such container",
    } do
      assert.is_nil(results[name].known, name)
      assert.is_truthy(results[name].message:find(complaint, 1, true), name .. ": " .. results[name].message)
    end

    -- Of a part that does not come the other is told all the same.
    assert.is_truthy(results.drip.message:find("5000 ms", 1, true), results.drip.message)
    assert.are.equal(results.drip.message, results.drip.known.own.error)
    assert.are.equal("FARGATE", results.drip.known.task.launch_type)
    assert.is_true(results.drip.ms < 8000, results.drip.ms)
  end)
end)
