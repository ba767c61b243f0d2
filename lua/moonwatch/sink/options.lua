--- What stands behind a sink: TARGET;option=value;option=value.
---
--- Options that are secrets, and headers that may be, name where their value is kept, as --enroll_secret does; what stands in the
--- flag itself would be seen in many places.
local text = require "moonwatch.text"

---@class moonwatch.sink.options
local M = {}

---@class moonwatch.sink.Option
---@field kind "text"|"integer"|"size"|"yes"|"choice"|"secret"|"header"|"labels"|"list"
---@field choices? string[]
---@field min? integer
---@field max? integer
---@field default? any

local REFERENCES = { "env:", "file:", "ssm:", "secretsmanager:", "arn:" }
M.REFERENCES = "env:NAME, file:PATH, ssm:NAME, secretsmanager:NAME[#key] or arn:…"

--- Does it name where a secret is?
---@param value string
---@return boolean
function M.is_reference(value)
  for _, start in ipairs(REFERENCES) do
    if #value > #start and value:sub(1, #start) == start then
      return true
    end
  end
  return false
end

local SECRET_HEADERS = { "auth", "cookie", "token", "key", "secret", "password", "signature", "credential" }

local function is_secret_header(name)
  name = name:lower()
  for _, part in ipairs(SECRET_HEADERS) do
    if name:find(part, 1, true) then
      return true
    end
  end
  return false
end

local SIZES = { [""] = 1, k = 1 << 10, m = 1 << 20, g = 1 << 30 }

local function number_of(value, option, is_size)
  local digits, unit = value:match "^(%d+)(%a?)$"
  local factor = digits and SIZES[unit:lower()]
  local number = factor and (is_size or unit == "") and #digits < 12 and math.tointeger(tonumber(digits) * factor)
  if not number or number < (option.min or 0) or number > (option.max or math.maxinteger) then
    return nil, ("goes from %d%s%s"):format(option.min or 0, option.max and " to " .. option.max or " on",
      is_size and ", with k, m or g behind it" or "")
  end
  return number
end

local read = {}

function read.text(value)
  return value
end

function read.integer(value, option)
  return number_of(value, option, false)
end

function read.size(value, option)
  return number_of(value, option, true)
end

function read.yes(value)
  if value == "yes" or value == "true" or value == "1" then
    return true
  elseif value == "no" or value == "false" or value == "0" then
    return false
  end
  return nil, "is yes or no"
end

function read.choice(value, option)
  for _, choice in ipairs(option.choices) do
    if value == choice then
      return value
    end
  end
  local near = text.nearest(value, option.choices)
  return nil, ("is one of %s%s"):format(table.concat(option.choices, ", "), near and ("; did you mean %s?"):format(near) or "")
end

function read.secret(value)
  if M.is_reference(value) then
    return value
  end
  return nil, "is a secret: write where it is kept, " .. M.REFERENCES
end

--- "Name: value", several of them.
function read.header(value, _, list)
  local name, rest = value:match "^([%w!#$%%&'*+.^_`|~-]+):%s*(.-)%s*$"
  if not name then
    return nil, "is Name: value"
  elseif is_secret_header(name) and not M.is_reference(rest) then
    return nil, ("%s may be a secret: write where it is kept, %s"):format(name, M.REFERENCES)
  end
  list = list or {}
  list[name] = rest
  return list
end

function read.list(value, _, list)
  list = list or {}
  list[#list + 1] = value
  return list
end

local function decode(value)
  return (value:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function names_of(options)
  local names = {}
  for name in pairs(options) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- "label.NAME" is of the option "label.", which gives a table.
local function find(known, name)
  if known[name] then
    return known[name], name
  end
  local group, member = name:match "^([%l_]+%.)([%w_.-]+)$"
  if group and known[group] then
    return known[group], group:sub(1, -2), member
  end
end

--- Values by name, with defaults.
---@param list string  what is behind the target's first semicolon; "" for none
---@param known table<string, moonwatch.sink.Option>
---@return table<string, any>?
---@return string? message
function M.parse(list, known)
  local values = {}
  for word in (list .. ";"):gmatch "([^;]*);" do
    local name, value = word:match "^([%l_.][%w_.-]*)=(.*)$"
    if word ~= "" and not name then
      return nil, ("an option is NAME=VALUE; known are %s"):format(table.concat(names_of(known), ", "))
    end
    local option, key, member = find(known, name or "")
    if name and not option then
      local near = text.nearest(name, names_of(known))
      return nil, ("unknown option %q%s; known are %s"):format(name, near and (", did you mean %q?"):format(near) or "",
        table.concat(names_of(known), ", "))
    elseif name then
      local parsed, message = read[option.kind](decode(value), option, values[key])
      if parsed == nil then
        return nil, ("option %s %s"):format(name, message)
      elseif member then
        values[key] = values[key] or {}
        values[key][member] = parsed
      else
        values[key] = parsed
      end
    end
  end
  for name, option in pairs(known) do
    if values[name] == nil and option.default ~= nil then
      values[name] = option.default
    end
  end
  return values
end

--- Those of every sink on the network.
M.network = {
  name = { kind = "text" },
  rows = { kind = "integer", min = 1, max = 10000 },
  bytes = { kind = "size", min = 1024, max = 8 << 20 },
  period_ms = { kind = "integer", min = 0, max = 3600000 },
  timeout_ms = { kind = "integer", min = 100, max = 600000, default = 30000 },
}

--- Those of sinks that speak TLS.
M.tls = {
  ca = { kind = "text" },
  cert = { kind = "text" },
  key = { kind = "text" },
  pin = { kind = "text" },
  plain = { kind = "yes", default = false },
}

---@param ... table<string, moonwatch.sink.Option>
---@return table<string, moonwatch.sink.Option>
function M.join(...)
  local all = {}
  for _, options in ipairs { ... } do
    for name, option in pairs(options) do
      all[name] = option
    end
  end
  return all
end

return M
