--- Decorations: what all result lines say of the host, by queries of the configuration.
local cjson = require "cjson"
local packs = require "moonwatch.osquery.packs"
local text = require "moonwatch.text"

---@class moonwatch.osquery.Decorators
---@field load string[]
---@field always string[]
---@field interval table<integer, string[]>  seconds, a multiple of 60
---@field values table<string, string>
local Decorators = {}
Decorators.__index = Decorators

---@class moonwatch.osquery.decorators
local M = {}

local QUERIES <const> = 64
local STEP_S <const> = 60
local VALUE_BYTES <const> = 4096
local COLUMNS <const> = 128

--- Those of a document.
---@param object any  its member `decorators`
---@return moonwatch.osquery.Decorators?
---@return string[]|string warnings  or why it is refused
function M.read(object)
  local made = setmetatable({ load = {}, always = {}, interval = {}, values = {} }, Decorators)
  local warnings = {}
  if object == nil then
    return made, warnings
  elseif type(object) ~= "table" then
    return nil, "decorators is no object"
  end
  for _, point in ipairs { "load", "always" } do
    local list = packs.texts(object[point], QUERIES)
    if not list then
      warnings[#warnings + 1] = ("decorators: %s is a list of at most %d queries; left out"):format(point, QUERIES)
    end
    made[point] = list or {}
  end
  for key, value in pairs(type(object.interval) == "table" and object.interval or {}) do
    local seconds = math.tointeger(tonumber(key))
    local list = packs.texts(value, QUERIES)
    if not seconds or seconds < STEP_S or seconds % STEP_S ~= 0 or not list then
      warnings[#warnings + 1] = ("decorators: interval %s: takes a multiple of %d s, and a list of queries; left out"):format(
        text.printable(tostring(key), 40), STEP_S)
    else
      made.interval[seconds] = list
    end
  end
  table.sort(warnings)
  return made, warnings
end

--- Run these; of each the first row counts.
---@param queries string[]
---@param run fun(query: string): string?, string?  the first row as JSON, "" without one; nil, message
---@param report fun(message: string)
function Decorators:run(queries, run, report)
  local count = 0
  for _ in pairs(self.values) do
    count = count + 1
  end
  for _, query in ipairs(queries) do
    local row, message = run(query)
    if not row then
      report(("decorator %q: %s"):format(text.printable(query, 100), tostring(message)))
    elseif row ~= "" then
      for name, value in pairs(cjson.decode(row)) do
        if self.values[name] == nil then
          count = count + 1
        end
        if count <= COLUMNS then
          value = tostring(value)
          self.values[name] = #value > VALUE_BYTES and value:sub(1, utf8.offset(value, 0, VALUE_BYTES + 1) - 1) or value
        end
      end
    end
  end
end

--- Those due in a second.
---@param second integer  since 1970
---@return string[]
function Decorators:due(second)
  local queries = {}
  if second % STEP_S ~= 0 then
    return queries
  end
  local periods = {}
  for period in pairs(self.interval) do
    periods[#periods + 1] = period
  end
  table.sort(periods)
  for _, period in ipairs(periods) do
    if second % period == 0 then
      table.move(self.interval[period], 1, #self.interval[period], #queries + 1, queries)
    end
  end
  return queries
end

--- When something may be due next, at the earliest; nil: never.
---@param second integer
---@return integer?
function Decorators:next_due(second)
  return next(self.interval) and second - second % STEP_S + STEP_S or nil
end

return M
