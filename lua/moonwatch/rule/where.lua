--- Conditions of `where`, of steps and of exceptions: checked here, compiled by core/rule/filter_read.c.
---
--- Values are lists, or sets as moonwatch.lists has them.  What is given may be locked, so it is read as a rule would read
--- it; a rule cannot give a table with metamethods of its own.

local event = require "moonwatch.event"
local problem = require "moonwatch.rule.problem"

local refuse, did_you_mean, shown = problem.refuse, problem.did_you_mean, problem.shown

---@class moonwatch.rule.where
local M = {}

local MAX_VALUES = 400
local MAX_TEXT_BYTES = 256

local shapes = event.fields()
--- What C knows: see core/rule/take.c.
local known = require "moonwatch.rule.conditions"

local facts, lineages = known.facts, known.lineages
local are_facts, are_lineages = {}, {}
for _, name in ipairs(facts) do are_facts[name] = true end
for _, name in ipairs(lineages) do are_lineages[name] = true end

--- JSON has no whole numbers.
local function whole(value)
  return math.type(value) == "float" and math.tointeger(value) or value
end

local function add_items(found, value, where, depth)
  if type(value) ~= "table" then
    found[#found + 1] = whole(value)
    return
  end
  for key, one in pairs(value) do
    if #found >= MAX_VALUES then
      refuse("R105", ("%s: more than %d values"):format(where, MAX_VALUES), "where")
    elseif type(key) == "string" and one == true then
      found[#found + 1] = key
    elseif math.type(key) == "integer" and key >= 1 and depth < 2 then
      add_items(found, one, where, depth + 1)
    else
      refuse("R105", ("%s: must be a list, or a set whose values are true, or a list of such"):format(where), "where")
    end
  end
end

--- The items of a list or a set, or of a list of sets, or the one there is.
local function items(value, where)
  local found = {}
  add_items(found, value, where, 0)
  if #found == 0 then
    refuse("R105", ("%s: is empty, so it can never hold"):format(where), "where")
  end
  return found
end

local function is_text(value)
  return type(value) == "string" and value ~= "" and #value <= MAX_TEXT_BYTES and not string.find(value, "\0", 1, true)
end

local function texts(where, value)
  for _, one in ipairs(value) do
    if not is_text(one) then
      refuse("R105", ("%s: must be texts of 1 to %d bytes, holds '%s'"):format(where, MAX_TEXT_BYTES, shown(one)), "where")
    end
  end
  return value
end

local function paths(where, value)
  for _, one in ipairs(texts(where, value)) do
    if not string.find(one, "^[/*?]") then
      refuse("R105", ("%s: '%s' can never hold: paths begin with '/', or with '*'"):format(where, shown(one)), "where")
    end
  end
  return value
end

local function one_of(set, names)
  return function(where, value)
    for _, one in ipairs(value) do
      if type(one) ~= "string" or not set[one] then
        refuse("R105", ("%s: '%s' is none of %s%s"):format(where, shown(one), table.concat(names, ", "),
          did_you_mean(one, names)), "where")
      end
    end
    return value
  end
end

local function ports(where, value)
  for _, one in ipairs(value) do
    if math.type(one) ~= "integer" or one < 1 or one > 65535 then
      refuse("R105", ("%s: '%s' is no port"):format(where, shown(one)), "where")
    end
  end
  return value
end

local function networks(where, value)
  for _, one in ipairs(texts(where, value)) do
    if not known.is_network(one) then
      refuse("R105", ("%s: '%s' is no address or network such as 10.0.0.0/8"):format(where, shown(one)), "where")
    end
  end
  return value
end

local checks = {
  is = one_of(are_facts, facts),
  unless = one_of(are_facts, facts),
  lineage = one_of(are_lineages, lineages),
  not_lineage = one_of(are_lineages, lineages),
  ports = ports,
  names = texts,
  programs = texts,
  parents = texts,
  ancestors = texts,
  categories = texts,
  calls = texts,
  paths = paths,
  exes = paths,
  arguments = texts,
  cmdline = texts,
  addresses = networks,
  marked = texts,
}

local names = { "fields" }
for name in pairs(checks) do
  names[#names + 1] = name
end
table.sort(names)

--- The field at a dotted path; refused when there is none.
---@return moonwatch.event.Field
function M.field(path, where, key)
  local shape, field = "Event", nil
  local depth = 0
  for name in string.gmatch(type(path) == "string" and path or "", "[^.]+") do
    if field and field.type ~= "object" then
      refuse("R107", ("%s: '%s': %s has no fields"):format(where, shown(path), field.name), key)
    end
    shape = field and field.shape or shape
    field = nil
    local near = {}
    for i, one in ipairs(shapes[shape].fields) do
      near[i] = one.name
      if one.name == name then
        field = one
      end
    end
    if not field then
      refuse("R107", ("%s: '%s': %s has no field '%s'%s"):format(where, shown(path), shape, shown(name),
        did_you_mean(name, near)), key)
    end
    depth = depth + 1
  end
  if not field or depth > 4 then
    refuse("R107", ("%s: '%s' is no field of an event"):format(where, shown(path)), key)
  end
  return field
end

local function field_values(path, value, where)
  local field = M.field(path, where, "where")
  local wanted = { int = "integer", bool = "boolean", text = "string", strings = "string", time = "string" }
  if not wanted[field.type] then
    refuse("R107", ("%s: '%s' is an object; name a field of it"):format(where, path), "where")
  end
  for _, one in ipairs(value) do
    local kind = math.type(one) or type(one)
    if kind ~= wanted[field.type] and not (one == "" and kind == "string") then
      refuse("R105", ("%s: '%s' is no %s"):format(where, shown(one), wanted[field.type]), "where")
    elseif kind == "string" and #one > MAX_TEXT_BYTES then
      refuse("R105", ("%s: longer than %d bytes"):format(where, MAX_TEXT_BYTES), "where")
    end
  end
  return value
end

--- A list of conditions from a table such as `{ names = { "sh" }, fields = { ["process.uid"] = 0 } }`.
---@param value any
---@param where string  what messages call it
---@param also? table<string, true>  keys that are somebody else's
---@return table[] conditions
function M.check(value, where, also)
  if type(value) ~= "table" then
    refuse("R105", ("%s: must be a table of conditions"):format(where), "where")
  end
  local conditions = {}
  for key, given in pairs(value) do
    if key == "fields" then
      if type(given) ~= "table" then
        refuse("R105", ("%s.fields: must be a table: path of a field = values"):format(where), "where")
      end
      for path, wanted in pairs(given) do
        local label = ("%s.fields"):format(where)
        conditions[#conditions + 1] = {
          what = "fields", field = path, values = field_values(path, items(wanted, label), label),
        }
      end
    elseif checks[key] then
      local label = ("%s.%s"):format(where, key)
      conditions[#conditions + 1] = { what = key, values = checks[key](label, items(given, label)) }
    elseif not (also and also[key]) then
      refuse("R103", ("%s: unknown condition '%s'%s"):format(where, shown(key), did_you_mean(key, names)),
        type(key) == "string" and key or nil)
    end
  end
  return conditions
end

local MAX_ALTERNATIVES = 16

--- The same, or a list of such tables, of which one is enough.
---@return table[][] alternatives
function M.alternatives(value, where)
  if type(value) ~= "table" or type(value[1]) ~= "table" then
    return { M.check(value, where) }
  end
  local alternatives = {}
  for key, one in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 or key > MAX_ALTERNATIVES then
      refuse("R105", ("%s: must be a table of conditions, or a list of at most %d such tables"):format(where,
        MAX_ALTERNATIVES), "where")
    end
    alternatives[#alternatives + 1] = M.check(one, ("%s[%d]"):format(where, key))
  end
  return alternatives
end

return M
