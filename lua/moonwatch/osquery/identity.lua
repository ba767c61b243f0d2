--- Who this is for a backend: a host of its own for each task and container, never the machine below, which others may have, too.
local cjson = require "cjson"
local crypto = require "moonwatch.crypto"
local ecs_host = require "moonwatch.ecs.host"
local flags = require "moonwatch.flags"
local json = require "moonwatch.osquery.json"
local loop = require "moonwatch.loop"
local query = require "moonwatch.query"
local state = require "moonwatch.state"

---@class moonwatch.osquery.identity
local M = {}

local FILE <const> = "identity.json"
local QUERY_MS <const> = 5000

--- What enrolment tells of the host, in osquery's order.
local TABLES <const> = { "os_version", "osquery_info", "platform_info", "system_info" }
--- osquery's mask of a Linux build: POSIX 1, Linux 8.
M.PLATFORM_TYPE = "9"

---@class moonwatch.osquery.Identity
---@field uuid string
---@field instance_id string  of this run
---@field hostname string
---@field identifier string  what --host_identifier says

---@type moonwatch.osquery.Identity?
local known
-- Somebody is at it, which may wait.
local is_settling, settled = false, loop.bell()

---@return moonwatch.osquery.Identity?
function M.known()
  return known
end

--- For lines of results and statuses; "" while it is not known.
---@return string
function M.identifier()
  return known and known.identifier or ""
end

--- Version 4 (RFC 4122, 4.4).
local function random_uuid()
  local hex = crypto.random(16)
  return ("%s-%s-4%s-%x%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16), tonumber(hex:sub(17, 17), 16) & 3 | 8,
    hex:sub(18, 20), hex:sub(21))
end

local function first_row(name)
  local rows, columns = query.run(("SELECT * FROM %s LIMIT 1"):format(name), { time_ms = QUERY_MS, rows = 1 })
  if not rows or not rows[1] then
    return nil
  end
  return rows[1], columns
end

--- Settle it, once for this process.  May wait.
---@param host moonwatch.ecs.Host?  of the task; nil off ECS
---@param run string  names this run
---@param keep fun(name: string, text: string)  for tables
---@return moonwatch.osquery.Identity
function M.settle(host, run, keep)
  while is_settling do
    settled:wait(1000)
  end
  if known then
    return known
  end
  is_settling = true
  local saved = json.decode(state.read(FILE) or "{}") or {}
  local row = first_row "system_info" or {}
  local hostname = host and host.hostname or tostring(row.hostname or "")
  local uuid = host and host.uuid
  if not uuid then
    -- Containers of one image may have the same machine-id, and hosts of two machines the same name.
    uuid = saved.hostname == hostname and type(saved.uuid) == "string" and saved.uuid
      or ecs_host.uuid(("host:%s/%s"):format(row.uuid or "", hostname))
  end
  local instance = type(saved.instance) == "string" and saved.instance or random_uuid()
  local kinds = {
    uuid = uuid,
    hostname = hostname,
    instance = instance,
    ephemeral = random_uuid(),
    specified = flags.get "specified_identifier",
  }
  local identifier = kinds[flags.get "host_identifier"]
  known = {
    uuid = uuid,
    hostname = hostname,
    instance_id = ecs_host.uuid(uuid .. "/" .. run),
    identifier = identifier ~= "" and identifier or uuid,
  }
  state.write(FILE, json.encode {
    uuid = uuid, hostname = hostname, instance = instance, instance_id = known.instance_id, identifier = known.identifier,
  })
  local document = {}
  for name, value in pairs(host or {}) do
    document[name] = value
  end
  document.uuid = uuid
  document.hardware_serial = host and host.hardware_serial or uuid
  document.instance_id = known.instance_id
  keep("host", cjson.encode(document))
  is_settling = false
  settled:ring()
  return known
end


--- Be again who wrote the state folder, whoever that was.
---@return boolean
function M.resume()
  local saved = json.decode(state.read(FILE) or "{}") or {}
  if type(saved.uuid) ~= "string" or type(saved.identifier) ~= "string" then
    return false
  end
  known = {
    uuid = saved.uuid, hostname = tostring(saved.hostname), instance_id = tostring(saved.instance_id), identifier = saved.identifier,
  }
  return true
end

--- host_details of an enrolment, as JSON.  May wait.
---@return string
function M.details()
  local details, vendor = {}, ""
  local rows, columns = {}, {}
  for _, name in ipairs(TABLES) do
    rows[name], columns[name] = first_row(name)
  end
  if rows.osquery_info then
    rows.osquery_info.uuid = known.uuid
    rows.osquery_info.instance_id = known.instance_id
  end
  if rows.system_info then
    rows.system_info.uuid = known.uuid
    rows.system_info.hostname = known.hostname
    vendor = rows.system_info.hardware_vendor or ""
    if (rows.system_info.hardware_serial or "") == "" then
      rows.system_info.hardware_serial = known.uuid
    end
  end
  if not rows.platform_info then
    -- A container has no firmware; some backends want the member.
    rows.platform_info = { vendor = vendor, version = "", date = "", revision = "" }
    columns.platform_info = { { name = "vendor" }, { name = "version" }, { name = "date" }, { name = "revision" } }
  end
  for _, name in ipairs(TABLES) do
    if rows[name] then
      details[#details + 1] = { name, json.row(rows[name], columns[name]) }
    end
  end
  return json.object(details)
end

return M
