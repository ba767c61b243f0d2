--- What a rule file may return.
---
--- Checks a definition and makes its examples into events; used by the loader (core/rule/load.c), where the definition is
--- anybody's, so nothing here trusts it: no metamethods of it run, and lists have a maximum.

local event = require "moonwatch.event"
local text = require "moonwatch.text"

---@class moonwatch.rule
local M = {}

--- Version of this interface; a rule made for a newer one is refused.
M.api = 1

local MAX_ID_BYTES = 48
local MAX_LINE_BYTES = 500
local MAX_TEXT_BYTES = 4000
local MAX_ITEMS = 100
--- comm, see proc(5).
local MAX_NAME_BYTES = 15
--- Parents of parents, in an example.
local MAX_DEPTH = 16

local shapes = event.fields()

local kinds = {}
for i, kind in ipairs(event.kinds()) do
  kinds[i] = kind.name
  kinds[kind.name] = true
end

local severities = event.severities()
for _, name in ipairs(severities) do
  severities[name] = true
end

--- Raised by the checks below, caught by M.check.
---@param reason string
---@param key string?  of the rule file, for the line
---@param nth integer?  which assignment of that key
local function refuse(reason, key, nth)
  error({ reason = reason, key = key, nth = nth }, 0)
end

local function did_you_mean(word, names)
  local near = text.nearest(tostring(word), names)
  return near and ("; did you mean '%s'?"):format(near) or ""
end

-- Checks of values: each takes the value and the key, and refuses or returns what is kept.

local function line(value, key)
  if type(value) ~= "string" or value == "" or #value > MAX_LINE_BYTES
    or text.printable(value) ~= value then
    refuse(("%s: must be one line of printable text, at most %d bytes"):format(key, MAX_LINE_BYTES),
      key)
  end
  return value
end

local function prose(value, key)
  if type(value) ~= "string" or value == "" or #value > MAX_TEXT_BYTES then
    refuse(("%s: must be a text, at most %d bytes"):format(key, MAX_TEXT_BYTES), key)
  end
  return value
end

--- A list without holes, of what `item(value, key, i)` accepts.
local function list(value, key, item)
  if type(value) ~= "table" then
    refuse(("%s: must be a list"):format(key), key)
  end
  local count = 0
  for index in next, value do
    count = count + 1
    if math.type(index) ~= "integer" or index < 1 or index > MAX_ITEMS then
      refuse(("%s: must be a list of at most %d items"):format(key, MAX_ITEMS), key)
    end
  end
  local items = {}
  for i = 1, count do
    local one = rawget(value, i)
    if one == nil then
      refuse(("%s: has a hole at %d"):format(key, i), key)
    end
    items[i] = item(one, key, i)
  end
  return items
end

local function kind_name(value, key)
  if type(value) ~= "string" or not kinds[value] then
    refuse(("%s: '%s' is no kind of event%s; known are %s"):format(key, text.printable(tostring(value), 60),
      did_you_mean(value, kinds), table.concat(kinds, ", ")), key)
  end
  return value
end

local function technique(value, key)
  if type(value) ~= "string" or not (string.find(value, "^T%d%d%d%d$") or string.find(value, "^T%d%d%d%d%.%d%d%d$")) then
    refuse(("%s: '%s' is no ATT&CK technique such as T1059 or T1059.004"):format(key,
      text.printable(tostring(value), 60)), key)
  end
  return value
end

-- Examples: tables that read as events do.

local function read_only()
  error("events are read-only", 2)
end

local function copy_list(items)
  return table.move(items, 1, #items, 1, {})
end

--- A table that reads as a view of an object of `shape` does: see moonwatch.event.
local function view(shape_name, values)
  local known = {}
  for i, field in ipairs(shapes[shape_name].fields) do
    known[field.name] = field
    known[i] = field.name
  end
  local function index(_, name)
    local value = values[name]
    if value == nil and not known[name] then
      error(("%s has no field '%s'%s"):format(shape_name, tostring(name), did_you_mean(name, known)), 2)
    end
    return type(value) == "table" and #value > 0 and copy_list(value) or value
  end
  local function iterate(self)
    local i = 0
    return function()
      while known[i + 1] do
        i = i + 1
        local value = index(self, known[i])
        if value ~= nil then
          return known[i], value
        end
      end
    end
  end
  return setmetatable({}, {
    __index = index,
    __newindex = read_only,
    __pairs = iterate,
    __tostring = function() return shape_name end,
    __metatable = "locked",
  })
end

local is_type = {
  int = function(value) return math.type(value) == "integer" end,
  bool = function(value) return type(value) == "boolean" end,
  text = function(value) return type(value) == "string" and value ~= "" end,
  time = function(value) return type(value) == "string" end,
}

--- The fields of `given`, checked against a shape; objects in it are left as they are.
local function fields_of(shape_name, given, where)
  if type(given) ~= "table" then
    error(("%s: must be a table"):format(where), 0)
  end
  local known, names = {}, {}
  for i, field in ipairs(shapes[shape_name].fields) do
    known[field.name], names[i] = field, field.name
  end
  local values = {}
  for name, value in next, given do
    local field = known[name]
    if not field then
      error(("%s: %s has no field '%s'%s"):format(where, shape_name, text.printable(tostring(name), 60),
        did_you_mean(name, names)), 0)
    end
    local is_right = is_type[field.type]
    if is_right and not is_right(value) then
      error(("%s.%s: must be %s"):format(where, name, field.type), 0)
    end
    if field.type == "strings" then
      value = list(value, name, function(item)
        return type(item) == "string" and item or error(("%s.%s: must be a list of texts"):format(where, name), 0)
      end)
    end
    values[name] = value
  end
  return values
end

--- The fields of one process; the arguments joined, as the sensor does.
local function process_fields(given, where)
  local process = fields_of("Process", given, where)
  if process.argv and not process.cmdline then
    process.cmdline = table.concat(process.argv, " ")
  elseif process.cmdline and not process.argv then
    error(("%s: give argv, cmdline follows from it"):format(where), 0)
  end
  if process.name and #process.name > MAX_NAME_BYTES then
    error(("%s.name: a process name has at most %d bytes: '%s'"):format(where, MAX_NAME_BYTES,
      process.name:sub(1, MAX_NAME_BYTES)), 0)
  end
  return process
end

--- A process as its fields, with its parent likewise, and so on.
local function lineage(given, where, depth)
  if depth > MAX_DEPTH then
    error(("%s: more than %d ancestors"):format(where, MAX_DEPTH), 0)
  end
  local process = process_fields(given, where)
  local ancestors = process.ancestors
  if process.parent ~= nil and ancestors ~= nil then
    error(("%s: give parent or ancestors, not both: one follows from the other"):format(where), 0)
  elseif ancestors ~= nil then
    ancestors = list(ancestors, "ancestors", function(one, _, i)
      return process_fields(one, ("%s.ancestors[%d]"):format(where, i))
    end)
    for i, ancestor in ipairs(ancestors) do
      ancestor.parent = ancestors[i + 1]
    end
    process.parent = ancestors[1]
  elseif process.parent ~= nil then
    process.parent = lineage(process.parent, where .. ".parent", depth + 1)
  end
  return process
end

--- The view of a process, and those of its ancestors.
local function process_view(process, pid)
  process.pid = process.pid or pid
  local ancestors = {}
  if process.parent then
    local parent, older = process_view(process.parent, pid - 1)
    process.parent = parent
    process.ppid = process.ppid or parent.pid
    ancestors = { parent, table.unpack(older, 1, MAX_DEPTH - 1) }
  end
  process.ancestors = ancestors
  return view("Process", process), ancestors
end

--- An event from a table such as `{ process = { name = "sh", parent = { name = "nginx" } } }`.  What every event has is
--- filled in.
---@param given table
---@param kind string  when `given` has none
---@return table event  reads as the userdata of a real event does
function M.event(given, kind)
  local values = fields_of("Event", given, "event")
  values.kind = values.kind or kind
  values.time = values.time or "2026-01-02T03:04:05.000000000Z"
  values.id = values.id or "0000000000000000-000000000001"
  if values.process ~= nil then
    values.process = process_view(lineage(values.process, "event.process", 1), 1000)
  elseif string.find(values.kind, "^process%.") then
    error("event: needs a process", 0)
  end
  return view("Event", values)
end

local EXAMPLE_KEYS = { "event", "expect", "note" }

local function example(value, key, i, on)
  local function wrong(reason)
    refuse(("example %d: %s"):format(i, reason), "expect", i)
  end
  if type(value) ~= "table" then
    refuse(("example %d: must be a table"):format(i), key)
  end
  for name in next, value do
    if name ~= "event" and name ~= "expect" and name ~= "note" then
      wrong(("unknown key '%s'%s"):format(text.printable(tostring(name), 60), did_you_mean(name, EXAMPLE_KEYS)))
    end
  end
  if type(rawget(value, "expect")) ~= "boolean" then
    refuse(("example %d: expect must be true or false"):format(i), key)
  end
  local is_ok, made = pcall(M.event, rawget(value, "event"), on[1])
  if not is_ok then
    wrong(type(made) == "table" and made.reason or made)
  end
  local is_heard = false
  for _, kind in ipairs(on) do
    is_heard = is_heard or kind == made.kind
  end
  if not is_heard then
    wrong(("the rule does not listen to %s"):format(tostring(made.kind)))
  end
  return { expect = rawget(value, "expect"), event = made }
end

local function examples(value, key, rule)
  local made = list(value, key, function(one, _, i) return example(one, key, i, rule.on) end)
  local seen = {}
  for _, one in ipairs(made) do
    seen[one.expect] = true
  end
  if not (seen[true] and seen[false]) then
    refuse("examples: needs at least one with expect = true and one, a near miss, with expect = false", key)
  end
  return made
end

local function texts(value, key)
  return list(value, key, prose)
end

--- Every key, in the order they are checked: examples need `on`.
local schema = {
  { "api", function(value, key)
    if math.type(value) ~= "integer" or value < 1 then
      refuse("api: must be a version number", key)
    elseif value > M.api then
      refuse(("api: made for version %d of the rule interface, this moonwatch knows %d; update it"):format(value,
        M.api), key)
    end
    return value
  end, optional = true },
  { "id", function(value, key, _, id)
    if type(value) ~= "string" or not string.find(value, "^[a-z][a-z0-9_]*$") or #value > MAX_ID_BYTES then
      refuse(("id: must be snake_case, at most %d bytes"):format(MAX_ID_BYTES), key)
    elseif value ~= id then
      refuse(("id: '%s' must be the name of the file, which is '%s.lua'"):format(value, text.printable(id, 60)), key)
    end
    return value
  end },
  { "summary", line },
  { "why", prose },
  { "on", function(value, key)
    local on = list(value, key, kind_name)
    if #on == 0 then
      refuse("on: names no kind of event", key)
    end
    return on
  end },
  { "severity", function(value, key)
    if type(value) ~= "string" or not severities[value] then
      refuse(("severity: must be one of %s"):format(table.concat(severities, ", ")), key)
    end
    return value
  end },
  { "attack", function(value, key) return list(value, key, technique) end },
  { "message", line, optional = true },
  --- How closely the process of a match (and of call.target) is watched from then on.
  { "attention", function(value, key)
    if value ~= "events" and value ~= "calls" then
      refuse(("attention: must be \"calls\" (system calls, too) or \"events\", is '%s'"):format(
        text.printable(tostring(value), 60)), key)
    end
    return value
  end, optional = true },
  --- What is done to the new program of a match, before its first instruction, where the flag `enforce` is on.
  { "respond", function(value, key, checked)
    if value ~= "alert" and value ~= "kill" and value ~= "deny" then
      refuse(("respond: must be \"alert\", \"kill\" or \"deny\", is '%s'"):format(text.printable(tostring(value), 60)), key)
    end
    for _, kind in ipairs(checked.on) do
      if value ~= "alert" and kind ~= "process.exec" then
        refuse(("respond: only a rule that listens to nothing but process.exec can %s, this one listens to %s"):format(value,
          kind), key)
      end
    end
    return value
  end, optional = true },
  { "match", function(value, key)
    if type(value) ~= "function" then
      refuse("match: must be a function", key)
    end
    return value
  end },
  { "examples", examples },
  { "references", texts, optional = true },
  { "false_positives", texts, optional = true },
  { "tags", function(value, key) return list(value, key, line) end, optional = true },
  { "enabled", function(value, key)
    if type(value) ~= "boolean" then
      refuse("enabled: must be true or false", key)
    end
    return value
  end, optional = true },
}

local keys = {}
for i, entry in ipairs(schema) do
  keys[i] = entry[1]
  keys[entry[1]] = true
end

local function check(rule, id)
  if type(rule) ~= "table" then
    refuse(("must return a table, returns %s"):format(type(rule)))
  end
  for key in next, rule do
    if not keys[key] then
      refuse(("unknown key '%s'%s"):format(text.printable(tostring(key), 60), did_you_mean(key, keys)),
        type(key) == "string" and key or nil)
    end
  end
  local checked = {}
  for _, entry in ipairs(schema) do
    local key, accept = entry[1], entry[2]
    local value = rawget(rule, key)
    if value ~= nil then
      checked[key] = accept(value, key, checked, id)
    elseif not entry.optional then
      refuse(("%s is missing"):format(key))
    end
  end
  checked.message = checked.message or string.gsub(checked.summary, "[{}]", "%0%0")
  checked.enabled = checked.enabled ~= false
  return checked
end

---@class moonwatch.rule.Checked
---@field id string
---@field summary string
---@field on string[]
---@field severity string
---@field attack string[]
---@field message string
---@field attention "events"|"calls"|nil
---@field respond "alert"|"kill"|"deny"|nil
---@field match fun(event: table): any
---@field examples { expect: boolean, event: table }[]
---@field enabled boolean

--- Check what a rule file returned.
---@param rule any
---@param id string  what the file's name says
---@return moonwatch.rule.Checked? checked  only known keys, examples made into events
---@return string? reason
---@return string? key  of the rule file that is to blame
---@return integer? nth  which assignment of that key
function M.check(rule, id)
  local is_ok, result = pcall(check, rule, id)
  if is_ok then
    return result
  elseif type(result) == "table" then
    return nil, result.reason, result.key, result.nth
  end
  error(result, 0)
end

return M
