--- Lines of results, as osquery's logger writes them: members in its order, rows as they come, which are JSON already.
local calendar = require "moonwatch.calendar"
local cjson = require "cjson"

---@class moonwatch.osquery.result
local M = {}

local writer = cjson.new()

--- A string in JSON; a slash is left as it is.
local function quote(text)
  return (writer.encode(text):gsub("\\/", "/"))
end

---@class moonwatch.osquery.Run  what all lines of a run have in common
---@field name string
---@field identifier string
---@field time number  seconds since 1970
---@field epoch integer
---@field counter integer
---@field numerics boolean
---@field decorations table<string, string>
---@field top_level boolean  decorations stand beside the other members

local function decorations_of(run)
  local names, parts = {}, {}
  for name in pairs(run.decorations) do
    names[#names + 1] = name
  end
  if #names == 0 then
    return ""
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = quote(name) .. ":" .. quote(run.decorations[name])
  end
  local members = table.concat(parts, ",")
  return run.top_level and "," .. members or ',"decorations":{' .. members .. "}"
end

--- The common members, without braces.
---@param run moonwatch.osquery.Run
---@return string
local function common(run)
  return ('"name":%s,"hostIdentifier":%s,"calendarTime":"%s","unixTime":%d,"epoch":%d,"counter":%d,"numerics":%s%s'):format(
    quote(run.name), quote(run.identifier), calendar.asctime(run.time), math.floor(run.time), run.epoch, run.counter,
    tostring(run.numerics), decorations_of(run))
end

local function event_lines(head, rows, action, lines)
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ('{%s,"columns":%s,"action":"%s"}'):format(head, row, action)
  end
end

local function array(rows)
  return "[" .. table.concat(rows, ",") .. "]"
end

--- A line a row, removed ones first.
---@param run moonwatch.osquery.Run
---@param removed string[]
---@param added string[]
---@return string[]
function M.events(run, removed, added)
  local head, lines = common(run), {}
  event_lines(head, removed, "removed", lines)
  event_lines(head, added, "added", lines)
  return lines
end

--- One line for all of a run.
---@param run moonwatch.osquery.Run
---@param removed string[]
---@param added string[]
---@return string
function M.batch(run, removed, added)
  return ('{"diffResults":{"removed":%s,"added":%s},%s}'):format(array(removed), array(added), common(run))
end

---@param run moonwatch.osquery.Run
---@param rows string[]
---@return string
function M.snapshot(run, rows)
  return ('{"snapshot":%s,"action":"snapshot",%s}'):format(array(rows), common(run))
end

---@param run moonwatch.osquery.Run
---@param rows string[]
---@return string[]
function M.snapshot_events(run, rows)
  local lines = {}
  event_lines(common(run), rows, "snapshot", lines)
  return lines
end

return M
