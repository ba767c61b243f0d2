--- What `moonwatch loadgen` may be told.

---@class moonwatch.loadgen.options
local M = {}

---@class moonwatch.loadgen.Options
---@field hosts integer
---@field tls_hostname string
---@field tls_server_certs string  "": those that the system trusts
---@field backend string
---@field backend_path string
---@field enroll_secret string
---@field ramp_s number
---@field seconds number
---@field config_s number
---@field distributed_s number
---@field log_s number
---@field lines_per_s number  of one host
---@field compress boolean
---@field life_s number  0: for ever
---@field every_s number
---@field json boolean

--- ECS starts so many tasks a second.
local STARTS_PER_S <const> = 20

local DEFAULTS = {
  hosts = 1, tls_hostname = "", tls_server_certs = "", backend = "fleet", backend_path = "", enroll_secret = "", ramp_s = -1,
  seconds = 60, config_s = 300, distributed_s = 60, log_s = 10, lines_per_s = 0.1, compress = true, life_s = 0, every_s = 5,
  json = false,
}

local LIMITS = {
  hosts = { 1, 1000000 }, ramp_s = { 0, 86400 }, seconds = { 1, 7 * 86400 }, config_s = { 0.1, 86400 },
  distributed_s = { 0.1, 86400 }, log_s = { 0.1, 86400 }, lines_per_s = { 0, 100000 }, life_s = { 0, 86400 }, every_s = { 1, 3600 },
}

local function value_of(name, text)
  local kind = type(DEFAULTS[name])
  if kind == "string" then
    return text
  elseif kind == "boolean" then
    if text == "true" or text == "false" then
      return text == "true"
    end
    return nil, ("--%s is true or false"):format(name)
  end
  local number = tonumber(text)
  local low, high = table.unpack(LIMITS[name])
  if not number or number < low or number > high or name == "hosts" and not math.tointeger(number) then
    return nil, ("--%s goes from %g to %d"):format(name, low, high)
  end
  return name == "hosts" and math.tointeger(number) or number
end

---@param arguments string[]
---@return moonwatch.loadgen.Options?
---@return string? message
function M.parse(arguments)
  local options = {}
  for name, value in pairs(DEFAULTS) do
    options[name] = value
  end
  for _, argument in ipairs(arguments) do
    local name, text = argument:match "^%-%-([%w_]+)=(.*)$"
    if not name then
      name = argument:match "^%-%-([%w_]+)$"
      text = name and DEFAULTS[name] == false and "true" or nil
    end
    if not name or DEFAULTS[name] == nil or not text then
      return nil, ("%q is no option of it; see `moonwatch loadgen --help`"):format(argument)
    end
    local value, message = value_of(name, text)
    if value == nil then
      return nil, message
    end
    options[name] = value
  end
  if options.tls_hostname == "" then
    return nil, "--tls_hostname says which backend"
  end
  if options.ramp_s < 0 then
    options.ramp_s = options.hosts / STARTS_PER_S
  end
  return options
end

return M
