--- What a rule file may return (docs/howto/rules.md).
---
--- Checks a definition; used by the loader (core/rule/load.c), where the definition is anybody's, so nothing here trusts it:
--- lists have a maximum.  A rule cannot give a table with metamethods of its own; those of ours make lists read-only.

local event = require "moonwatch.event"
local example = require "moonwatch.rule.example"
local problem = require "moonwatch.rule.problem"
local text = require "moonwatch.text"
local where = require "moonwatch.rule.where"

local refuse, did_you_mean, shown = problem.refuse, problem.did_you_mean, problem.shown

---@class moonwatch.rule
local M = {}

--- Version of this interface; a rule made for a newer one is refused.
M.api = 1

--- ATT&CK's, where a rule names none.
M.attack_version = "19"

local MAX_ID_BYTES = 48
local MAX_LINE_BYTES = 500
local MAX_TEXT_BYTES = 4000
local MAX_ITEMS = 200
local MAX_STEPS = 8
local MAX_KEYS = 4
--- As core/rule/store.h.
local MAX_COUNT = 100
--- What is remembered longer is not worth its memory.
local MAX_SECONDS = 7 * 86400

local kinds = {}
for i, kind in ipairs(event.kinds()) do
  kinds[i] = kind.name
  kinds[kind.name] = true
end

local severities = event.severities()
for _, name in ipairs(severities) do
  severities[name] = true
end

-- Checks of values: each takes the value and the key, and refuses or returns what is kept.

local function line(value, key)
  if type(value) ~= "string" or value == "" or #value > MAX_LINE_BYTES
    or text.printable(value) ~= value then
    refuse("R105", ("%s: must be one line of printable text, at most %d bytes"):format(key, MAX_LINE_BYTES),
      key)
  end
  return value
end

local function prose(value, key)
  if type(value) ~= "string" or value == "" or #value > MAX_TEXT_BYTES then
    refuse("R105", ("%s: must be a text, at most %d bytes"):format(key, MAX_TEXT_BYTES), key)
  end
  return value
end

--- A list without holes, of what `item(value, key, i)` accepts.
local function list(value, key, item)
  if type(value) ~= "table" then
    refuse("R105", ("%s: must be a list"):format(key), key)
  end
  local count = 0
  for index in pairs(value) do
    count = count + 1
    if math.type(index) ~= "integer" or index < 1 or index > MAX_ITEMS then
      refuse("R105", ("%s: must be a list of at most %d items"):format(key, MAX_ITEMS), key)
    end
  end
  local items = {}
  for i = 1, count do
    local one = value[i]
    if one == nil then
      refuse("R105", ("%s: has a hole at %d"):format(key, i), key)
    end
    items[i] = item(one, key, i)
  end
  return items
end

local function kind_name(value, key)
  if type(value) ~= "string" or not kinds[value] then
    refuse("R106", ("%s: '%s' is no kind of event%s; known are %s"):format(key, shown(value),
      did_you_mean(value, kinds), table.concat(kinds, ", ")), key)
  end
  return value
end

local function kind_names(value, key)
  local on = list(value, key, kind_name)
  if #on == 0 then
    refuse("R106", "on: names no kind of event", key)
  end
  return on
end

local function technique(value, key)
  if type(value) ~= "string" or not (string.find(value, "^T%d%d%d%d$") or string.find(value, "^T%d%d%d%d%.%d%d%d$")) then
    refuse("R105", ("%s: '%s' is no ATT&CK technique such as T1059 or T1059.004"):format(key, shown(value)), key)
  end
  return value
end

local function texts(value, key)
  return list(value, key, prose)
end

local function one_of(...)
  local names = { ... }
  return function(value, key)
    for _, name in ipairs(names) do
      if value == name then
        return value
      end
    end
    refuse("R105", ("%s: must be one of %s, is '%s'%s"):format(key, table.concat(names, ", "), shown(value),
      did_you_mean(value, names)), key)
  end
end

local function severity(value, key)
  if type(value) ~= "string" or not severities[value] then
    refuse("R105", ("%s: must be one of %s"):format(key, table.concat(severities, ", ")), key)
  end
  return value
end

local function is_function(value, key)
  if type(value) ~= "function" then
    refuse("R105", ("%s: must be a function"):format(key), key)
  end
  return value
end

local function yes_or_no(value, key)
  if type(value) ~= "boolean" then
    refuse("R105", ("%s: must be true or false"):format(key), key)
  end
  return value
end

local function seconds(value, key)
  if math.type(value) == "float" and value == math.floor(value) then
    value = math.tointeger(value)
  end
  if math.type(value) ~= "integer" or value < 1 or value > MAX_SECONDS then
    refuse("R105", ("%s: must be whole seconds, 1 to %d"):format(key, MAX_SECONDS), key)
  end
  return value
end

--- Paths of fields that make a key; a process stands for itself, whatever its id is reused for.
local function fields(value, key)
  local paths = list(type(value) == "string" and { value } or value, key, function(path)
    local field = where.field(path, key, key)
    if field.type == "objects" or (field.type == "object" and field.shape ~= "Process") then
      refuse("R107", ("%s: '%s' is no value"):format(key, path), key)
    end
    return path
  end)
  if #paths > MAX_KEYS then
    refuse("R105", ("%s: at most %d fields"):format(key, MAX_KEYS), key)
  end
  return paths
end

--- A table of known keys, each checked by the function that `schema` has for it.
local function record(value, key, schema, required)
  if type(value) ~= "table" then
    refuse("R105", ("%s: must be a table"):format(key), key)
  end
  local names, checked = {}, {}
  for name in pairs(schema) do
    names[#names + 1] = name
  end
  for name, one in pairs(value) do
    if not schema[name] then
      refuse("R103", ("%s: unknown key '%s'%s"):format(key, shown(name), did_you_mean(name, names)),
        type(name) == "string" and name or nil)
    end
    checked[name] = schema[name](one, name)
  end
  for _, name in ipairs(required) do
    if checked[name] == nil then
      refuse("R104", ("%s: %s is missing"):format(key, name), key)
    end
  end
  return checked
end

local function throttle(value, key)
  return record(value, key, { by = fields, period_s = seconds }, { "period_s" })
end

local function threshold(value, key)
  local function count(n, name)
    if math.type(n) ~= "integer" or n < 2 or n > MAX_COUNT then
      refuse("R105", ("%s: must be 2 to %d"):format(name, MAX_COUNT), name)
    end
    return n
  end
  local function distinct(path, name)
    return fields(path, name)[1]
  end
  return record(value, key, { by = fields, count = count, within_s = seconds, distinct = distinct },
    { "count", "within_s" })
end

local function mark(value, key)
  return record(value, key, { name = line, ttl_s = seconds, on = one_of("process", "parent") }, { "name", "ttl_s" })
end

local function memory(value, key)
  return record(value, key, { ttl_s = seconds, scope = one_of("process", "tree", "rule") }, { "ttl_s", "scope" })
end

local EXCEPTION_KEYS = { reason = true, match = true }

local function exception(value, key, i)
  if type(value) ~= "table" then
    refuse("R105", ("%s: %d must be a table with a reason"):format(key, i), key)
  end
  local label = ("%s[%d]"):format(key, i)
  local checked = { reason = value.reason }
  if type(checked.reason) ~= "string" or checked.reason == "" or #checked.reason > MAX_LINE_BYTES then
    refuse("R104", ("%s: reason is missing: say why it is none"):format(label), key)
  end
  checked.where = where.check(value, label, EXCEPTION_KEYS)
  checked.match = value.match ~= nil and is_function(value.match, "match") or nil
  if #checked.where == 0 and not checked.match then
    refuse("R105", ("%s: excepts everything: it names no condition"):format(label), key)
  end
  return checked
end

local STEP_KEYS = { "on", "where", "match", "by" }

--- Steps of a sequence: each listens to kinds of its own, all share a key.
local function sequence(value, key)
  if type(value) ~= "table" then
    refuse("R105", ("%s: must be a table of steps"):format(key), key)
  end
  local checked = { steps = {} }
  local shared
  for name, one in pairs(value) do
    if name == "within_s" then
      checked.within_s = seconds(one, name)
    elseif name == "by" then
      shared = fields(one, name)
    elseif math.type(name) ~= "integer" or name < 1 or name > MAX_STEPS then
      refuse("R103", ("%s: unknown key '%s'%s"):format(key, shown(name), did_you_mean(name, { "within_s", "by" })),
        type(name) == "string" and name or key)
    end
  end
  for i, step in ipairs(value) do
    local label = ("%s[%d]"):format(key, i)
    checked.steps[i] = record(step, label, {
      on = kind_names,
      where = function(given) return where.alternatives(given, label .. ".where") end,
      match = is_function,
      by = fields,
    }, { "on" })
    checked.steps[i].by = checked.steps[i].by or shared or {}
    if not checked.steps[i].where and not checked.steps[i].match then
      refuse("R104", ("%s: has neither where nor match"):format(label), key)
    elseif #checked.steps[i].by ~= #(checked.steps[1].by) then
      refuse("R105", ("%s: its key has another number of fields than that of the first step"):format(label), key)
    end
  end
  if #checked.steps < 2 then
    refuse("R105", ("%s: needs 2 to %d steps (%s)"):format(key, MAX_STEPS, table.concat(STEP_KEYS, ", ")), key)
  elseif not checked.within_s then
    refuse("R104", ("%s: within_s is missing"):format(key), key)
  end
  return checked
end

local function examples(value, key, rule)
  local made = list(value, key, function(one, _, i) return example.check(one, i, rule.on) end)
  local seen = {}
  for _, one in ipairs(made) do
    seen[one.expect] = true
  end
  if not (seen[true] and seen[false]) then
    refuse("R108", "examples: needs at least one with expect = true and one, a near miss, with expect = false", key)
  end
  return made
end

--- Every key, in the order they are checked: examples need `on`.
local schema = {
  { "api", function(value, key)
    if math.type(value) ~= "integer" or value < 1 then
      refuse("R105", "api: must be a version number", key)
    elseif value > M.api then
      refuse("R110", ("api: made for version %d of the rule interface, this moonwatch knows %d; update it"):format(value,
        M.api), key)
    end
    return value
  end, optional = true },
  { "id", function(value, key, _, id)
    if type(value) ~= "string" or not string.find(value, "^[a-z][a-z0-9_]*$") or #value > MAX_ID_BYTES then
      refuse("R105", ("id: must be snake_case, at most %d bytes"):format(MAX_ID_BYTES), key)
    elseif value ~= id then
      refuse("R105", ("id: '%s' must be the name of the file, which is '%s.lua'"):format(value, shown(id)), key)
    end
    return value
  end },
  { "summary", line },
  { "why", prose },
  { "sequence", sequence, optional = true },
  { "on", function(value, key, checked)
    if checked.sequence then
      refuse("R105", "on: the steps of a sequence say what they listen to", key)
    end
    return kind_names(value, key)
  end, optional = true },
  { "severity", severity },
  { "attack", function(value, key) return list(value, key, technique) end },
  { "attack_version", line, optional = true },
  { "message", line, optional = true },
  --- How closely the process of a match (and of call.target) is watched from then on.
  { "attention", one_of("events", "calls"), optional = true },
  --- What is done to the new program of a match, before its first instruction, where the flag `enforce` is on.
  { "respond", function(value, key, checked)
    one_of("alert", "kill", "deny")(value, key)
    for _, kind in ipairs(checked.on or { "a sequence" }) do
      if value ~= "alert" and kind ~= "process.exec" then
        refuse("R105", ("respond: only a rule that listens to nothing but process.exec can %s, this one listens to %s"):format(
          value, kind), key)
      end
    end
    return value
  end, optional = true },
  { "where", function(value) return where.alternatives(value, "where") end, optional = true },
  { "match", is_function, optional = true },
  { "exceptions", function(value, key) return list(value, key, exception) end, optional = true },
  { "throttle", throttle, optional = true },
  { "threshold", threshold, optional = true },
  { "mark", mark, optional = true },
  { "memory", memory, optional = true },
  --- Only marks; tells nobody.
  { "silent", yes_or_no, optional = true },
  { "examples", examples },
  { "references", texts, optional = true },
  { "false_positives", texts, optional = true },
  { "tags", function(value, key) return list(value, key, line) end, optional = true },
  { "enabled", yes_or_no, optional = true },
}

local keys = {}
for i, entry in ipairs(schema) do
  keys[i] = entry[1]
  keys[entry[1]] = true
end

--- What a rule listens to, for its examples.
local function all_kinds(steps)
  local on, seen = {}, {}
  for _, step in ipairs(steps) do
    for _, kind in ipairs(step.on) do
      if not seen[kind] then
        seen[kind] = true
        on[#on + 1] = kind
      end
    end
  end
  return on
end

--- The steps of a rule: those of its sequence, or itself as the only one.
local function complete(checked, rule)
  if checked.sequence then
    for _, key in ipairs { "where", "match", "threshold" } do
      if rule[key] ~= nil then
        refuse("R105", ("%s: a rule with a sequence has it in its steps"):format(key), key)
      end
    end
    checked.steps = checked.sequence.steps
  elseif not checked.on then
    refuse("R104", "on is missing")
  elseif not checked.match and not checked.where then
    refuse("R104", "match is missing, and so is where; one of them says what is looked for")
  else
    checked.steps = { { on = checked.on, where = checked.where, match = checked.match, by = {} } }
  end
  if checked.silent and not checked.mark then
    refuse("R105", "silent: a rule that neither tells nor marks does nothing", "silent")
  end
end

local function check(rule, id)
  if type(rule) ~= "table" then
    refuse("R102", ("must return a table, returns %s"):format(type(rule)))
  end
  for key in pairs(rule) do
    if not keys[key] then
      refuse("R103", ("unknown key '%s'%s"):format(shown(key), did_you_mean(key, keys)),
        type(key) == "string" and key or nil)
    end
  end
  local checked = {}
  for _, entry in ipairs(schema) do
    local key, accept = entry[1], entry[2]
    local value = rule[key]
    if key == "examples" then
      complete(checked, rule)
      checked.on = checked.on or all_kinds(checked.steps)
    end
    if value ~= nil then
      checked[key] = accept(value, key, checked, id)
    elseif not entry.optional then
      refuse("R104", ("%s is missing"):format(key))
    end
  end
  checked.message = checked.message or string.gsub(checked.summary, "[{}]", "%0%0")
  checked.attack_version = checked.attack_version or M.attack_version
  checked.enabled = checked.enabled ~= false
  return checked
end

---@class moonwatch.rule.Checked
---@field id string
---@field summary string
---@field on string[]
---@field steps { on: string[], where: table[][]?, match: function?, by: string[] }[]
---@field severity string
---@field attack string[]
---@field attack_version string
---@field message string
---@field attention "events"|"calls"|nil
---@field respond "alert"|"kill"|"deny"|nil
---@field exceptions { reason: string, where: table[], match: function? }[]?
---@field throttle { by: string[]?, period_s: integer }?
---@field threshold { by: string[]?, count: integer, within_s: integer, distinct: string? }?
---@field sequence { within_s: integer }?
---@field mark { name: string, ttl_s: integer, on: string? }?
---@field memory { scope: string, ttl_s: integer }?
---@field silent boolean?
---@field examples { expect: boolean, event: table, before: table[], marks: string[] }[]
---@field tags string[]?
---@field enabled boolean

local function guarded(run, ...)
  local is_ok, result = pcall(run, ...)
  if is_ok then
    return result
  elseif type(result) == "table" then
    return nil, result.reason, result.key, result.nth, result.code
  end
  error(result, 0)
end

--- Check what a rule file returned.
---@param rule any
---@param id string  what the file's name says
---@return moonwatch.rule.Checked? checked  only known keys
---@return string? reason
---@return string? key  of the rule file that is to blame
---@return integer? nth  which assignment of that key
---@return string? code
function M.check(rule, id)
  return guarded(check, rule, id)
end

local override_keys = {
  severity = severity,
  enabled = yes_or_no,
  exceptions = function(value, key) return list(value, key, exception) end,
  throttle = throttle,
  message = line,
  attention = one_of("events", "calls"),
  respond = one_of("alert", "kill", "deny"),
  tags = function(value, key) return list(value, key, line) end,
}

local function selectors(value, key)
  return list(type(value) == "string" and { value } or value, key, line)
end

local function check_overrides(value)
  local checked = { disable = {}, enable = {}, override = {}, exceptions = {} }
  for key, one in pairs(type(value) == "table" and value or refuse("R105", "rules: must be a table")) do
    if key == "disable" or key == "enable" then
      checked[key] = selectors(one, key)
    elseif key == "override" then
      for id, changes in pairs(type(one) == "table" and one or refuse("R105", "override: must be a table")) do
        checked.override[#checked.override + 1] = { id = line(id, "override"),
          changes = record(changes, ("override.%s"):format(shown(id)), override_keys, {}) }
      end
    elseif key == "exceptions" then
      checked.exceptions = list(one, key, function(given, _, i)
        local copy = {}
        for name, condition in pairs(type(given) == "table" and given or {}) do
          copy[name] = condition
        end
        copy.rules = nil
        local made = exception(copy, key, i)
        made.rules = selectors(given.rules or refuse("R104", ("exceptions[%d]: rules is missing"):format(i)), "rules")
        return made
      end)
    else
      refuse("R103", ("rules: unknown key '%s'%s"):format(shown(key),
        did_you_mean(key, { "disable", "enable", "override", "exceptions" })))
    end
  end
  return checked
end

--- Check a document of changes to rules: `{ disable = {…}, enable = {…}, override = { id = {…} }, exceptions = {…} }`.
---@param value any
---@return table? checked
---@return string? reason
function M.check_overrides(value)
  return guarded(check_overrides, value)
end

return M
