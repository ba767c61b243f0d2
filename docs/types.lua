-- Writes lua/meta/moonwatch.types.lua: types of events for editors (LuaLS), from what C declares of them.
--   moonwatch lua docs/types.lua lua/meta/moonwatch.types.lua
local event = require "moonwatch.event"

local TYPES = { int = "integer", bool = "boolean", text = "string", time = "string", strings = "string[]" }

local function class(shape)
  return "moonwatch." .. shape
end

local out = {
  "---@meta moonwatch.types\n",
  "\n--- Events as rules and output formats see them.  Written by docs/types.lua from core/event/*_shapes.c; an absent field is nil.\n",
}

local function add(...)
  for _, text in ipairs { ... } do
    out[#out + 1] = text
  end
end

--- Comments of some 100 columns.
local function wrapped(text)
  local lines, line = {}, "---"
  for word in text:gmatch "%S+" do
    if #line + #word > 100 then
      lines[#lines + 1] = line .. "\n"
      line = "---"
    end
    line = line .. " " .. word
  end
  return table.concat(lines) .. line .. "\n"
end

local shapes, names = event.fields(), {}
for name in pairs(shapes) do
  names[#names + 1] = name
end
table.sort(names)

local kinds = {}
for i, kind in ipairs(event.kinds()) do
  kinds[i] = ('---| "%s" # %s\n'):format(kind.name, kind.doc)
end
add("\n---@alias moonwatch.Kind\n", table.concat(kinds))

local severities = {}
for i, name in ipairs(event.severities()) do
  severities[i] = ('"%s"'):format(name)
end
add("\n---@alias moonwatch.Severity ", table.concat(severities, "|"), "\n")

for _, name in ipairs(names) do
  local shape = shapes[name]
  add("\n--- ", shape.doc, "\n---@class ", class(name), "\n")
  for _, field in ipairs(shape.fields) do
    local kind = TYPES[field.type] or (field.type == "objects" and class(field.shape) .. "[]") or class(field.shape)
    if field.name == "kind" then
      kind = "moonwatch.Kind"
    elseif field.name == "severity" then
      kind = "moonwatch.Severity"
    end
    -- What every event and process has, and rules go through without a look.
    local is_sure = field.type == "object" and field.name == "lineage" or (name == "Event" and (field.name == "kind"
      or field.name == "id" or field.name == "time" or field.name == "phase"))
    local text = (field.unit and ("(%s) "):format(field.unit) or "") .. field.doc
    local start = ("---@field %s %s%s "):format(field.name, kind, is_sure and "" or "?")
    if #start + #text > 120 then
      add(wrapped(text))
      text = ""
    end
    add(((start .. text):gsub(" $", "")), "\n")
  end
end

local text = table.concat(out)
local path = assert(arg[1], "usage: moonwatch lua docs/types.lua FILE")
local file <close> = assert(io.open(path, "w"))
assert(file:write(text))
