--- Outputs that a configuration names (`moonwatch.outputs`), beside those of --outputs: they come and go while the sensor runs.
---
--- A backend may have rows sent to servers of its choice; it may not have files written, nor secrets sent that were not released to it
--- (--backend_output_secrets), nor anything sent without TLS.
local delivery = require "moonwatch.delivery"
local flags = require "moonwatch.flags"
local loop = require "moonwatch.loop"
local options_of = require "moonwatch.sink.options"
local output = require "moonwatch.output"
local outputs = require "moonwatch.delivery.outputs"
local spool = require "moonwatch.spool"

---@class moonwatch.delivery.configured
local M = {}

-- Between looks whether a loop that was told to stop has done so.
local STOP_MS = 20

---@class moonwatch.delivery.configured.Output: moonwatch.delivery.outputs.Planned
---@field is_over boolean

local options, taken
-- By source: what it asked for, as text; by name: what runs.
local asked = {}
---@type table<string, moonwatch.delivery.configured.Output>
local running = {}

local function released()
  local set = {}
  for reference in flags.get("backend_output_secrets"):gmatch "[^,]+" do
    set[reference] = true
  end
  return set
end

--- What a backend's output may not do.
---@return string? message
local function why_not(part)
  local known = require("moonwatch.sink." .. part.sink).options or {}
  local allowed = released()
  local function refuse(option, value)
    if not allowed[value] then
      return ("the option %s names a secret that --backend_output_secrets does not release"):format(option)
    end
  end
  if not part.is_network then
    return "a backend has outputs on the network alone"
  elseif part.options.plain then
    return "the option plain is for outputs that are set here"
  end
  for name, value in pairs(part.options) do
    local is_secret = known[name] and known[name].kind == "secret" or name == "key" or name == "cert"
    local message = is_secret and refuse(name, name == "key" or name == "cert" and "file:" .. value or value)
    if message then
      return message
    end
  end
  for header, value in pairs(part.options.header or {}) do
    local message = options_of.is_reference(value) and refuse("header " .. header, value)
    if message then
      return message
    end
  end
end

--- The list that `value` is: texts of outputs.
local function list_of(value)
  if type(value) == "string" then
    value = { value }
  elseif type(value) ~= "table" then
    return nil, "is a list of outputs: [\"STREAM/FORMAT:SINK=TARGET\", …]"
  end
  local count = 0
  for _, one in pairs(value) do
    count = count + 1
    if type(one) ~= "string" or value[count] == nil then
      return nil, "is a list of outputs, each a text"
    end
  end
  return table.concat(value, ",")
end

local function stop(one)
  running[one.name] = nil
  one.is_over = true
  if one.loop then
    delivery.stop(one.loop)
    while not one.loop.has_ended do
      loop.sleep(STOP_MS)
    end
  end
end

--- It is not wanted any more; what waits for it is told, and not kept.
local function leave(one)
  local left = 0
  for _, rows in pairs(spool.pending(one.name) or {}) do
    left = left + rows
  end
  local ok, message = spool.leave(one.name)
  if not ok then
    options.report(("%s: %s"):format(one.name, message))
  elseif left > 0 then
    options.report(("%s: the configuration does not name it any more; %d rows were not delivered to it"):format(one.name, left))
  end
end

local function begin(one)
  running[one.name] = one
  outputs.begin(one, setmetatable({ is_over = function()
    return one.is_over
  end }, { __index = options }))
end

--- Bring what runs in line with what is asked for.  Waits.
local function settle()
  local used, wanted = {}, {}
  for name in pairs(taken) do
    used[name] = true
  end
  for _, source in ipairs { "config", "backend" } do
    for _, one in ipairs(outputs.plan(output.parse(asked[source] or "") or {}, used)) do
      wanted[one.name] = one
    end
  end
  for name, one in pairs(running) do
    local next_one = wanted[name]
    if not next_one or next_one.part.text ~= one.part.text then
      stop(one)
    end
    -- With other options alone it goes on from where it is.
    if not next_one or table.concat(next_one.streams, "+") ~= table.concat(one.streams, "+") then
      leave(one)
    end
  end
  for name, one in pairs(wanted) do
    if not running[name] then
      begin(one)
    end
  end
end

local is_settling, is_wanted = false, false

local function follow()
  is_wanted = true
  if is_settling then
    return
  end
  is_settling = true
  while is_wanted do
    is_wanted = false
    settle()
  end
  is_settling = false
end

--- Look at what a configuration wants.
---@param value any
---@param source "config"|"backend"
---@return (fun())? commit  puts it in force
---@return string? message
function M.take(value, source)
  local spec, message = list_of(value)
  local parts
  if spec then
    parts, message = output.parse(spec)
  end
  if not parts then
    return nil, message
  end
  for i, part in ipairs(source == "backend" and parts or {}) do
    message = why_not(part)
    if message then
      return nil, ("the output %d (%s): %s"):format(i, part.sink, message)
    end
  end
  return function()
    asked[source] = spec
    if options then
      loop.spawn(follow)
    end
  end
end

--- From now on they run.
---@param given moonwatch.delivery.outputs.Options
---@param names table<string, true>  of other outputs
function M.start(given, names)
  options, taken = given, names
  loop.spawn(follow)
end

return M
