--- Examples of rules: tables that are made into events as the sensor's are (core/rule/decode.c).  Checked here, so that a
--- mistake in one is a sentence.

local event = require "moonwatch.event"
local problem = require "moonwatch.rule.problem"
local text = require "moonwatch.text"

local refuse, did_you_mean, shown = problem.refuse, problem.did_you_mean, problem.shown

---@class moonwatch.rule.example
local M = {}

--- comm, see proc(5).
local MAX_NAME_BYTES = 15
--- Parents of parents, in an example.
local MAX_DEPTH = 16
local MAX_BEFORE = 120
local MAX_ITEMS = 100

local shapes = event.fields()
--- By the name of a shape: its fields by name, and their names as a list.
local fields_by_shape = {}
for name, shape in pairs(shapes) do
  local known, names = {}, {}
  for i, field in ipairs(shape.fields) do
    known[field.name], names[i] = field, field.name
  end
  fields_by_shape[name] = { known = known, names = names }
end

local is_type = {
  int = function(value) return math.type(value) == "integer" end,
  bool = function(value) return type(value) == "boolean" end,
  text = function(value) return type(value) == "string" and value ~= "" end,
  time = function(value) return type(value) == "string" end,
}

local function list_of(value, where, item)
  if type(value) ~= "table" then
    error(("%s: must be a list"):format(where), 0)
  end
  local copy = {}
  for i, one in ipairs(value) do
    if i > MAX_ITEMS then
      error(("%s: more than %d items"):format(where, MAX_ITEMS), 0)
    end
    copy[i] = item(one, i)
  end
  for key in pairs(value) do
    if not copy[key] then
      error(("%s: must be a list"):format(where), 0)
    end
  end
  return copy
end

local process_fields

--- The fields of `given`, checked against a shape.
local function fields_of(shape_name, given, where, depth)
  if type(given) ~= "table" then
    error(("%s: must be a table"):format(where), 0)
  end
  local shape = fields_by_shape[shape_name]
  local values = {}
  for name, value in pairs(given) do
    local field = shape.known[name]
    local label = ("%s.%s"):format(where, shown(name))
    if not field then
      error(("%s: %s has no field '%s'%s"):format(where, shape_name, shown(name), did_you_mean(name, shape.names)), 0)
    end
    local is_right = is_type[field.type]
    if is_right and not is_right(value) then
      error(("%s: must be %s"):format(label, field.type), 0)
    elseif field.type == "strings" then
      value = list_of(value, label, function(item)
        return type(item) == "string" and item or error(("%s: must be a list of texts"):format(label), 0)
      end)
    elseif field.type == "object" and field.shape == "Process" then
      value = process_fields(value, label, depth + 1)
    elseif field.type == "object" then
      value = fields_of(field.shape, value, label, depth + 1)
    elseif field.type == "objects" then
      value = list_of(value, label, function(item, i)
        return process_fields(item, ("%s[%d]"):format(label, i), depth + 1)
      end)
    end
    values[name] = value
  end
  return values
end

--- A process, its parent likewise, and so on.
function process_fields(given, where, depth)
  if depth > MAX_DEPTH then
    error(("%s: more than %d ancestors"):format(where, MAX_DEPTH), 0)
  end
  local process = fields_of("Process", given, where, depth)
  if process.cmdline and not process.argv then
    error(("%s: give argv, cmdline follows from it"):format(where), 0)
  elseif process.parent ~= nil and process.ancestors ~= nil then
    error(("%s: give parent or ancestors, not both: one follows from the other"):format(where), 0)
  elseif process.name and #process.name > MAX_NAME_BYTES then
    error(("%s.name: a process name has at most %d bytes: '%s'"):format(where, MAX_NAME_BYTES,
      process.name:sub(1, MAX_NAME_BYTES)), 0)
  end
  process.cmdline = nil
  return process
end

--- An event from a table such as `{ process = { name = "sh", parent = { name = "nginx" } } }`.  What every event has is
--- filled in.
---@param given table
---@param kind string  when `given` has none
---@return table event  what core/rule/decode.c makes an event of
function M.event(given, kind)
  local values = fields_of("Event", given, "event", 0)
  values.kind = values.kind or kind
  values.id = values.id or "0000000000000000-000000000001"
  if values.process == nil and string.find(values.kind, "^process%.") then
    error("event: needs a process", 0)
  end
  return values
end

local KEYS = { "event", "expect", "note", "before", "marks" }
local known_keys = {}
for _, key in ipairs(KEYS) do
  known_keys[key] = true
end

--- One example of a rule that listens to the kinds `on`.
function M.check(value, i, on)
  local function wrong(reason)
    refuse("R108", ("example %d: %s"):format(i, reason), "expect", i)
  end
  local function made(given)
    local is_ok, one = pcall(M.event, given, on[1])
    if not is_ok then
      wrong(type(one) == "table" and one.reason or one)
    end
    local is_heard = false
    for _, kind in ipairs(on) do
      is_heard = is_heard or kind == one.kind
    end
    if not is_heard then
      wrong(("the rule does not listen to %s"):format(tostring(one.kind)))
    end
    return one
  end
  if type(value) ~= "table" then
    refuse("R108", ("example %d: must be a table"):format(i), "examples")
  end
  for name in pairs(value) do
    if not known_keys[name] then
      wrong(("unknown key '%s'%s"):format(shown(name), did_you_mean(name, KEYS)))
    end
  end
  if type(value.expect) ~= "boolean" then
    refuse("R108", ("example %d: expect must be true or false"):format(i), "examples")
  end
  local example = { expect = value.expect, event = made(value.event), before = {}, marks = {} }
  if value.before ~= nil then
    if type(value.before) ~= "table" or #value.before > MAX_BEFORE then
      wrong(("before must be a list of at most %d events"):format(MAX_BEFORE))
    end
    for n, one in ipairs(value.before) do
      example.before[n] = made(one)
    end
  end
  if value.marks ~= nil then
    for n, one in ipairs(type(value.marks) == "table" and value.marks or wrong("marks must be a list")) do
      example.marks[n] = type(one) == "string" and text.printable(one, 64) or wrong("marks must be names")
    end
  end
  return example
end

return M
