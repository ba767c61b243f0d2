-- Real answers of the task metadata endpoint as rows.  Samples: tests/fixtures/ecs-metadata/SOURCES.md.
local metadata = require "moonwatch.ecs.metadata"

local SAMPLES <const> = "tests/fixtures/ecs-metadata/"

local function sample(name)
  local file <close> = assert(io.open(SAMPLES .. name .. ".json"))
  return assert(metadata.decode(file:read "a"))
end

local function row_of(rows, name)
  for _, row in ipairs(rows) do
    if row.container_name == name then
      return row
    end
  end
  error("no row " .. name)
end

describe("task metadata", function()
  it("of Fargate becomes a row of the task and one of each container", function()
    local task = sample "v4-fargate-task-promexporter-2025"
    local container = task.Containers[2]
    local known = metadata.describe(container, task)

    assert.are.same({
      cluster = "prom-ecs-exporter-sandbox",
      cluster_arn = "arn:aws:ecs:us-east-1:829490980523:cluster/prom-ecs-exporter-sandbox",
      region = "us-east-1",
      account_id = "829490980523",
      partition = "aws",
      availability_zone = "us-east-1a",
      launch_type = "FARGATE",
      task_arn = "arn:aws:ecs:us-east-1:829490980523:task/prom-ecs-exporter-sandbox/bae32def0ab64f06818e8862e58f8d6d",
      task_id = "bae32def0ab64f06818e8862e58f8d6d",
      family = "prom-ecs-exporter-sandbox-main-fargate",
      revision = "9",
      desired_status = "RUNNING",
      known_status = "RUNNING",
      task_cpu_limit = 0.25,
      task_memory_limit = 512,
      pull_started_at = 1740632763,
      pull_stopped_at = 1740632778,
      ephemeral_storage_used_mib = task.EphemeralStorageMetrics.Utilized,
      ephemeral_storage_reserved_mib = task.EphemeralStorageMetrics.Reserved,
      clock_error_bound_ms = task.ClockDrift.ClockErrorBound,
      clock_sync_status = "SYNCHRONIZED",
      container_count = 3,
    }, known.task)

    local stopped = row_of(known.containers, "nonessential")
    assert.are.equal(0, stopped.exit_code)
    assert.are.equal("STOPPED", stopped.known_status)
    assert.are.equal(1740632779, stopped.finished_at)
    assert.are.equal(2, stopped.cpu_limit)
    assert.is_nil(stopped.memory_limit)
    assert.are.equal("10.0.117.145", stopped.ipv4_addresses)
    assert.are.equal("10.0.0.1/17", stopped.gateway_ipv4)
    assert.are.equal(0, stopped.is_self)
    assert.are.equal(1, row_of(known.containers, "prometheus").is_self)

    assert.are.equal("prometheus", known.own.container_name)
    assert.are.equal("prom-ecs-exporter-sandbox-main-fargate", known.own.task_family)
    assert.are.equal("NORMAL", known.own.container_type)
    assert.are.equal("us-east-1", known.own.region)
    assert.is_nil(known.own.ports)
  end)

  it("leaves out what bridge networks leave empty, and keeps ports", function()
    local known = metadata.describe(nil, sample "v4-ec2-task-promexporter-2025")
    assert.is_nil(known.own)
    local with_ports = 0
    for _, row in ipairs(known.containers) do
      assert.are_not.equal("", row.ipv4_addresses)
      assert.are.equal(0, row.is_self)
      with_ports = with_ports + (row.ports and 1 or 0)
    end
    assert.is_true(with_ports > 0)
    assert.are.equal("arn:aws:ecs:" .. known.task.region .. ":" .. known.task.account_id .. ":cluster/"
      .. known.task.cluster, known.task.cluster_arn)
  end)

  it("knows health, volumes and tags", function()
    local known = metadata.describe(nil, sample "v4-taskWithTags-health-volumes-datadogagent")
    local agent = row_of(known.containers, "datadog-agent")
    assert.are.equal("HEALTHY", agent.health_status)
    assert.are.equal(-1, agent.health_exit_code)
    assert.are.equal(1700482276, agent.health_since)
    assert.are.equal('[{"Destination":"\\/var\\/run\\/datadog","DockerName":"my-redis-1-dd-sockets"}]', agent.volumes)
    assert.are.equal('{"aws:ecs:cluster":"ecs-cluster","aws:ecs:launchtype":"EC2"}', known.task.tags)
    assert.is_nil(row_of(known.containers, "log_router").labels)
  end)

  it("reads the old short ARN, and a task without containers of its own", function()
    local known = metadata.describe(nil, sample "v2-fargate-task-datadog-2017")
    assert.is_truthy(known.task.task_id:match "^[%x-]+$")
    assert.is_truthy(known.task.cluster_arn:match "^arn:aws:ecs:")
    assert.are.same({}, metadata.describe(nil, {}).containers)
  end)

  it("needs no field", function()
    local known = metadata.describe(sample "v4-local-container-ecslocal", nil)
    assert.is_nil(known.own.container_name)
    assert.is_nil(known.own.gateway_ipv4)
    assert.is_truthy(known.own.ipv4_addresses)
    assert.are.equal(1, #known.containers)
    assert.are.equal(0, known.containers[1].is_self)
  end)

  it("of a container that is known before its task is taken from its labels", function()
    local known = metadata.describe(sample "v3-ec2-container-awsdocs", nil)
    assert.is_truthy(known.own.task_arn:match "^arn:aws:ecs:")
    assert.is_truthy(known.own.task_id)
    assert.is_truthy(known.own.task_family)
  end)

  it("reads every sample", function()
    local pipe <close> = assert(io.popen("ls " .. SAMPLES .. "*.json"))
    local count = 0
    for path in pipe:lines() do
      local file <close> = assert(io.open(path))
      local body = assert(file:read "a")
      local object = metadata.decode(body)
      if object then
        local known = object.Containers and metadata.describe(nil, object) or metadata.describe(object, nil)
        for _, row in ipairs { known.task, known.own or {}, table.unpack(known.containers) } do
          for column, value in pairs(row) do
            assert.are_not.equal("", value, column)
            assert.is_true(type(value) == "string" or type(value) == "number", column)
          end
        end
      else
        assert.are.equal("[", body:match "%S")
      end
      count = count + 1
    end
    assert.is_true(count >= 25)
  end)

  it("takes what is of the wrong type for absent", function()
    local known = metadata.describe({ DockerId = 7, Name = {}, Networks = "none", Limits = false, Labels = "x",
      CreatedAt = "yesterday", ExitCode = "0" }, { TaskARN = {}, Cluster = 5, Containers = { "x", { Networks = { 1 } } },
      Limits = { CPU = "much" }, PullStartedAt = "2025-02-27T05:06:03.7+0100" })
    assert.are.same({ container_count = 2 }, known.task)
    assert.are.same({ { is_self = 0 } }, known.containers)
  end)

  it("reads times of any zone", function()
    local function at(text)
      return metadata.describe(nil, { PullStartedAt = text }).task.pull_started_at
    end
    assert.are.equal(0, at "1970-01-01T00:00:00Z")
    assert.are.equal(951782400, at "2000-02-29T00:00:00.000000001Z")
    assert.are.equal(951782400, at "2000-02-29T02:00:00+02:00")
    assert.are.equal(4107542400, at "2100-03-01T00:00:00Z")
    assert.is_nil(at "2000-02-29")
  end)

  it("passes on what the endpoint complains of", function()
    assert.are.same({ nil, "task not found" }, { metadata.decode '"task not found"' })
    assert.are.same({ nil, "no JSON: <html>" }, { metadata.decode "<html>" })
    assert.are.same({ nil, "no JSON object" }, { metadata.decode "[1]" })
    assert.are.same({ nil, "no JSON object" }, { metadata.decode "null" })
    assert.are.same({ nil, "an answer of more than 1048576 bytes" }, { metadata.decode((" "):rep(1048577)) })
  end)
end)

describe("a container of a task as a host", function()
  local host = require "moonwatch.ecs.host"

  it("has a UUID of its own, the same each time", function()
    -- RFC 4122's name space of URLs; the value is that of Python's uuid.uuid5(uuid.NAMESPACE_URL, …).
    assert.are.equal("0a300ee9-f9e4-5697-a51a-efc7fafaba67", host.uuid "http://example.com/")
    local task = sample "v4-fargate-task-promexporter-2025"
    local first = host.describe(metadata.describe(task.Containers[1], task).own)
    local second = host.describe(metadata.describe(task.Containers[2], task).own)
    assert.are_not.equal(first.uuid, second.uuid)
    assert.are_not.equal(first.hardware_serial, second.hardware_serial)
    assert.are.equal("prom-ecs-exporter-sandbox-main-fargate/bae32def0ab64f06818e8862e58f8d6d/prometheus", second.hostname)
    assert.are.equal("prom-ecs-exporter-sandbox", second.computer_name)
    assert.are.equal("Fargate", second.hardware_model)
    assert.are.equal(512 << 20, second.physical_memory)
    assert.are.equal(1, second.cpu_logical_cores)
  end)

  it("is none while the task is not known", function()
    assert.is_nil(host.describe(metadata.describe(sample "v4-local-container-ecslocal", nil).own))
  end)
end)
