--- A task's container as a host, for backends that know hosts: each is one of its own, and never the machine below it, which other
--- tasks may have, too.  Columns are those of osquery's system_info.
local crypto = require "moonwatch.crypto"

local M = {}

--- The name space of URLs, RFC 4122 appendix C.
local URLS <const> = "6ba7b8119dad11d180b400c04fd430c8"

--- Version 5 (RFC 4122, 4.3): the same name gives the same UUID.
---@param name string
---@return string
function M.uuid(name)
  local hex = crypto.sha1(URLS:gsub("%x%x", function(byte)
    return string.char(tonumber(byte, 16))
  end) .. name)
  return ("%s-%s-5%s-%x%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16), tonumber(hex:sub(17, 17), 16) & 3 | 8,
    hex:sub(18, 20), hex:sub(21, 32))
end

---@class moonwatch.ecs.Host
---@field host_identifier string  same as uuid: for backends that ask for it
---@field uuid string
---@field hostname string         family/task-id/container
---@field computer_name string    cluster/service
---@field hardware_vendor string
---@field hardware_model string?
---@field hardware_serial string  the task's id and the container: Zentral takes it for the machine
---@field physical_memory integer?  bytes
---@field cpu_logical_cores integer?

local join = table.concat

--- nil while the task is not known.
---@param own table<string, string|number>  the row of ecs_metadata
---@return moonwatch.ecs.Host?
function M.describe(own)
  if not own.task_arn or not own.task_id then
    return nil
  end
  local container = own.container_name or own.container_id
  local uuid = M.uuid(container and own.task_arn .. "/" .. container or own.task_arn)
  local memory_mib = own.memory_limit or own.task_memory_limit
  local names = { own.task_family or own.cluster or "task", own.task_id, container }
  local models = { FARGATE = "Fargate", EC2 = "EC2", EXTERNAL = "External", MANAGED_INSTANCES = "Managed Instances" }
  return {
    host_identifier = uuid,
    uuid = uuid,
    hostname = join(names, "/"),
    computer_name = join({ own.cluster or own.region or "ecs", own.service_name }, "/"),
    hardware_vendor = "Amazon ECS",
    hardware_model = models[own.launch_type] or own.launch_type,
    hardware_serial = container and own.task_id .. "/" .. container or own.task_id,
    physical_memory = memory_mib and memory_mib << 20,
    cpu_logical_cores = own.task_cpu_limit and math.max(1, math.ceil(own.task_cpu_limit)),
  }
end

return M
