--- One line a person can read.
local item = require "moonwatch.item"
local sentence = require "moonwatch.item.sentence"

local show = sentence.show

--- "2026-01-02T03:04:05.123Z": milliseconds are enough for the eye.
local function short_time(time)
  return type(time) == "string" and #time >= 23 and show(time:sub(1, 23)) .. "Z" or "-"
end

local function ancestry(it)
  local process = item.part(it, "process")
  return process and sentence.ancestry(process) or ""
end

local function attack(rule)
  local ids = {}
  for i, id in ipairs(type(rule.attack) == "table" and rule.attack or {}) do
    ids[i] = show(id)
  end
  return ids[1] and (" [%s]"):format(table.concat(ids, ", ")) or ""
end

--- An alert has a rule; asking an event for one is an error, so its shape's name decides.
---@param it table|userdata  an event or an alert
---@return string line  without a newline
return function(it)
  if item.is_alert(it) then
    local rule = it.rule
    return ("%s %s %s: %s%s%s"):format(short_time(it.time), show(rule.severity):upper(), show(rule.id),
      sentence.printable(it.message), attack(rule), ancestry(it))
  end
  return ("%s %s %s%s"):format(short_time(it.time), show(it.kind), sentence.event(it), ancestry(it))
end
