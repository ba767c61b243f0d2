--- What the ECS task metadata endpoint says, as rows of our tables.
---
--- Source: the developer guide, "Task metadata endpoint" versions 2, 3 and 4, and real answers (tests/fixtures).  Every field may
--- be absent, null or of another type: what is not there, or not of its type, is nil, never "" or 0.  Unknown fields are left alone.
---
--- Times are seconds since 1970, sizes MiB as the endpoint has them, CPU limits of a task vCPUs, of a container CPU units
--- (1024 are one vCPU).
local cjson = require "cjson"

local M = {}

---@class moonwatch.ecs.Metadata
---@field task table<string, string|number> columns of ecs_task
---@field containers table<string, string|number>[] columns of ecs_container, by name
---@field own table<string, string|number>? columns of ecs_metadata: this container, and its task

--- Answers are a few KiB; the largest task has ten containers.
M.BODY_BYTES = 1 << 20

local MAX_CONTAINERS <const> = 64
local MAX_TEXT_BYTES <const> = 64 << 10

local read = {}

function read.text(value)
  if type(value) == "string" and value ~= "" and #value <= MAX_TEXT_BYTES then
    return value
  end
  return nil
end

function read.number(value)
  return type(value) == "number" and value == value and value or nil
end

function read.int(value)
  return type(value) == "number" and math.tointeger(value) or nil
end

local function days_since_1970(year, month, day)
  -- Days from civil, with the year beginning in March so that the leap day is its last.
  if month <= 2 then
    year = year - 1
  end
  local era = year // 400
  local year_of_era = year - era * 400
  local day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
  return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468
end

--- RFC 3339, with any number of digits of a second.
function read.time(value)
  if type(value) ~= "string" then
    return nil
  end
  local year, month, day, hour, minute, second, zone =
    value:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d)%.?%d*([Zz+-].*)$"
  if not year then
    return nil
  end
  local offset_s = 0
  if zone:upper() ~= "Z" then
    local sign, hours, minutes = zone:match "^([+-])(%d%d):(%d%d)$"
    if not sign then
      return nil
    end
    offset_s = (tonumber(hours) * 3600 + tonumber(minutes) * 60) * (sign == "-" and -1 or 1)
  end
  local days = days_since_1970(math.tointeger(year), math.tointeger(month), math.tointeger(day))
  return days * 86400 + math.tointeger(hour) * 3600 + math.tointeger(minute) * 60 + math.tointeger(second) - offset_s
end

local function is_list(value)
  return type(value) == "table" and (#value > 0 or next(value) == nil)
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    if type(key) == "string" then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  return keys
end

--- JSON with the keys in order, so that the same says the same.
local function encode(value)
  if type(value) ~= "table" then
    return cjson.encode(value)
  end
  local parts = {}
  if #value > 0 then
    for i, item in ipairs(value) do
      parts[i] = encode(item)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for i, key in ipairs(sorted_keys(value)) do
    parts[i] = cjson.encode(key) .. ":" .. encode(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function read.json(value)
  if type(value) ~= "table" or next(value) == nil then
    return nil
  end
  local text = encode(value)
  return #text <= MAX_TEXT_BYTES and text or nil
end

--- A list of texts, with commas between; the empty ones that bridge networks have are left out.
function read.list(value)
  if not is_list(value) then
    return nil
  end
  local texts = {}
  for _, text in ipairs(value) do
    texts[#texts + 1] = read.text(text)
  end
  return texts[1] and read.text(table.concat(texts, ",")) or nil
end

--- column, how it is read, where it stands
local task_fields = {
  { "task_arn", read.text, "TaskARN" },
  { "family", read.text, "Family" },
  { "revision", read.text, "Revision" },
  { "service_name", read.text, "ServiceName" },
  { "task_group", read.text, "Group" },
  { "launch_type", read.text, "LaunchType" },
  { "availability_zone", read.text, "AvailabilityZone" },
  { "availability_zone_id", read.text, "AvailabilityZoneID" },
  { "vpc_id", read.text, "VPCID" },
  { "desired_status", read.text, "DesiredStatus" },
  { "known_status", read.text, "KnownStatus" },
  { "task_cpu_limit", read.number, "Limits", "CPU" },
  { "task_memory_limit", read.int, "Limits", "Memory" },
  { "pull_started_at", read.time, "PullStartedAt" },
  { "pull_stopped_at", read.time, "PullStoppedAt" },
  { "execution_stopped_at", read.time, "ExecutionStoppedAt" },
  { "ephemeral_storage_used_mib", read.int, "EphemeralStorageMetrics", "Utilized" },
  { "ephemeral_storage_reserved_mib", read.int, "EphemeralStorageMetrics", "Reserved" },
  { "clock_error_bound_ms", read.number, "ClockDrift", "ClockErrorBound" },
  { "clock_sync_status", read.text, "ClockDrift", "ClockSynchronizationStatus" },
  { "tags", read.json, "TaskTags" },
}

local container_fields = {
  { "container_id", read.text, "DockerId" },
  { "container_name", read.text, "Name" },
  { "docker_name", read.text, "DockerName" },
  { "container_arn", read.text, "ContainerARN" },
  { "image", read.text, "Image" },
  { "image_id", read.text, "ImageID" },
  { "type", read.text, "Type" },
  { "desired_status", read.text, "DesiredStatus" },
  { "known_status", read.text, "KnownStatus" },
  { "exit_code", read.int, "ExitCode" },
  { "cpu_limit", read.number, "Limits", "CPU" },
  { "memory_limit", read.int, "Limits", "Memory" },
  { "created_at", read.time, "CreatedAt" },
  { "started_at", read.time, "StartedAt" },
  { "finished_at", read.time, "FinishedAt" },
  { "health_status", read.text, "Health", "status" },
  { "health_since", read.time, "Health", "statusSince" },
  { "health_exit_code", read.int, "Health", "exitCode" },
  { "health_output", read.text, "Health", "output" },
  { "ports", read.json, "Ports" },
  { "volumes", read.json, "Volumes" },
  { "labels", read.json, "Labels" },
  { "log_driver", read.text, "LogDriver" },
  { "log_options", read.json, "LogOptions" },
  { "snapshotter", read.text, "Snapshotter" },
  { "restart_count", read.int, "RestartCount" },
}

--- Of the first network that says something.
local network_fields = {
  { "network_mode", read.text, "NetworkMode" },
  { "ipv4_addresses", read.list, "IPv4Addresses" },
  { "ipv6_addresses", read.list, "IPv6Addresses" },
  { "mac_address", read.text, "MACAddress" },
  { "ipv4_subnet_cidr", read.text, "IPv4SubnetCIDRBlock" },
  { "ipv6_subnet_cidr", read.text, "IPv6SubnetCIDRBlock" },
  { "private_dns_name", read.text, "PrivateDNSName" },
  { "dns_servers", read.list, "DomainNameServers" },
  { "gateway_ipv4", read.text, "SubnetGatewayIpv4Address" },
}

local function take(row, fields, from)
  for _, field in ipairs(fields) do
    local value = from
    for i = 3, #field do
      value = type(value) == "table" and value[field[i]] or nil
    end
    local found = field[2](value)
    if found ~= nil and row[field[1]] == nil then
      row[field[1]] = found
    end
  end
  return row
end

--- arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
function M.parse_arn(arn)
  local partition, service, region, account, resource =
    (arn or ""):match "^arn:([^:]+):([^:]+):([^:]*):([^:]*):(.+)$"
  if not partition then
    return nil
  end
  return {
    partition = partition,
    service = service,
    region = region ~= "" and region or nil,
    account_id = account ~= "" and account or nil,
    resource = resource,
  }
end

--- "us-west-2a" is in "us-west-2"; Local Zones and Wavelength zones have longer names.
local function region_of_zone(zone)
  return zone and zone:match "^(%l+%-[%l-]*%l%-%d+)%l$"
end

--- Where the task is: the ARN knows best; the zone knows a little.
local function take_place(row, cluster)
  local arn = M.parse_arn(row.task_arn) or M.parse_arn(row.container_arn) or M.parse_arn(cluster)
  if arn then
    row.region, row.account_id, row.partition = arn.region, arn.account_id, arn.partition
  else
    row.region = region_of_zone(row.availability_zone)
  end
  -- task/CLUSTER/ID, or task/ID of old.
  local task = row.task_arn and row.task_arn:match "/([^/]+)$"
  row.task_id = task
  if cluster then
    row.cluster = cluster:match "/([^/]+)$" or cluster
    if cluster:sub(1, 4) == "arn:" then
      row.cluster_arn = cluster
    elseif arn and arn.region and arn.account_id then
      row.cluster_arn = ("arn:%s:ecs:%s:%s:cluster/%s"):format(arn.partition, arn.region, arn.account_id, cluster)
    end
  end
end

local function read_container(body)
  local row = take({}, container_fields, body)
  if is_list(body.Networks) then
    for _, network in ipairs(body.Networks) do
      if type(network) == "table" then
        take(row, network_fields, network)
      end
    end
  end
  row.image_digest = row.image and row.image:match "@(sha256:%x+)$"
  return row
end

--- The object that an answer holds.  Errors come as JSON strings, or as no JSON at all.
---@param body string
---@return table? object, string? error
function M.decode(body)
  if #body > M.BODY_BYTES then
    return nil, ("an answer of more than %d bytes"):format(M.BODY_BYTES)
  end
  local ok, value = pcall(cjson.decode, body)
  if not ok then
    return nil, "no JSON: " .. body:sub(1, 100):gsub("%c", " ")
  end
  if type(value) == "string" then
    return nil, value:sub(1, 200)
  end
  if type(value) ~= "table" or #value > 0 then
    return nil, "no JSON object"
  end
  return value
end

--- Rows from the answers for this container (nil: not known, as with version 2) and for its task (nil: not known).
---@param container table?
---@param task table?
---@return moonwatch.ecs.Metadata
function M.describe(container, task)
  local task_row = take({}, task_fields, task or {})
  take_place(task_row, read.text(task and task.Cluster))

  local containers, own = {}, container and read_container(container)
  if task and is_list(task.Containers) then
    for i = 1, math.min(#task.Containers, MAX_CONTAINERS) do
      if type(task.Containers[i]) == "table" then
        containers[#containers + 1] = read_container(task.Containers[i])
      end
    end
  end
  table.sort(containers, function(a, b)
    local left, right = a.container_name or "", b.container_name or ""
    if left ~= right then
      return left < right
    end
    return (a.container_id or "") < (b.container_id or "")
  end)
  if own and not containers[1] then
    containers[1] = own
  end
  for _, row in ipairs(containers) do
    row.task_arn, row.task_id = task_row.task_arn, task_row.task_id
    -- The host name says nothing: on Fargate it is the address.
    row.is_self = own and row.container_id and row.container_id == own.container_id and 1 or 0
  end
  task_row.container_count = task and is_list(task.Containers) and #task.Containers or nil

  if own then
    local labels = type(container.Labels) == "table" and container.Labels or {}
    own.container_type, own.type = own.type, nil
    local row = {}
    for column, value in pairs(own) do
      row[column] = value
    end
    for column, value in pairs(task_row) do
      if row[column] == nil then
        row[column] = value
      end
    end
    row.task_family = task_row.family or read.text(labels["com.amazonaws.ecs.task-definition-family"])
    row.task_revision = task_row.revision or read.text(labels["com.amazonaws.ecs.task-definition-version"])
    row.family, row.revision = nil, nil
    -- Version 3 may know this container before its task.
    row.task_arn = row.task_arn or read.text(labels["com.amazonaws.ecs.task-arn"])
    if not row.task_id then
      take_place(row, read.text(task and task.Cluster) or read.text(labels["com.amazonaws.ecs.cluster"]))
    end
    own = row
  end
  return { task = task_row, containers = containers, own = own }
end

return M
