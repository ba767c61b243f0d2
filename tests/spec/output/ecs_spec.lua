-- What the format ecs says, against the fields of the Elastic Common Schema.
local cjson = require "cjson"
local format = require "moonwatch.output.ecs"
local items = dofile "tests/spec/output/items.lua"

local schema = items.fixture "ecs-8.11.0.json"
local fields = schema.fields

local function is_in(list, value)
  for _, one in ipairs(list) do
    if one == value then
      return true
    end
  end
  return false
end

local types = {
  keyword = function(value) return type(value) == "string" end,
  wildcard = function(value) return type(value) == "string" end,
  match_only_text = function(value) return type(value) == "string" end,
  long = function(value) return math.tointeger(value) ~= nil end,
  float = function(value) return type(value) == "number" end,
  boolean = function(value) return type(value) == "boolean" end,
  ip = function(value) return type(value) == "string" and (value:find "^%d+%.%d+%.%d+%.%d+$" or value:find "^[%x:.]+$") end,
  date = function(value) return type(value) == "string" and value:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d+Z$" end,
}

--- Why `value` cannot be the field `name`; nil when it can.
local function why_not(name, value)
  local field = fields[name]
  if not field then
    return "no such field"
  end
  local values = type(value) == "table" and value or { value }
  if field.array and type(value) ~= "table" then
    return "must be a list"
  elseif type(value) == "table" and not (field.array and #value > 0) then
    return "is no list"
  end
  for _, one in ipairs(values) do
    local fits = types[field.type]
    if not fits or not fits(one) then
      return ("%s is no %s"):format(tostring(one), field.type)
    elseif field.allowed and not is_in(field.allowed, one) then
      return ("%s is not allowed"):format(one)
    elseif field.expected_values and not is_in(field.expected_values, one) then
      return ("%s is not expected"):format(one)
    end
  end
end

local function check(line)
  local function walk(object, prefix)
    for name, value in pairs(object) do
      local path = prefix .. name
      if path ~= "moonwatch" then -- ours
        if type(value) == "table" and #value == 0 then
          walk(value, path .. ".")
        else
          local why = why_not(path, value)
          assert.is_nil(why, ("%s: %s in %s"):format(path, why, line))
        end
      end
    end
  end
  local object = cjson.decode(line)
  walk(object, "")
  assert.are.equal(schema.version, object.ecs.version)
  assert.is_truthy(object["@timestamp"])
  for _, kind in ipairs(object.event.type) do
    local is_expected = false
    for _, category in ipairs(object.event.category) do
      is_expected = is_expected or is_in(fields["event.category"].expected[category], kind)
    end
    assert.is_true(is_expected, ("type %s of category %s"):format(kind, table.concat(object.event.category, ",")))
  end
end

describe("lines of Elastic Common Schema", function()
  it("have nothing but its fields, with its types and values", function()
    for _, item in ipairs(items.all()) do
      check(format(item))
    end
  end)

  it("are checked by this", function()
    assert.are.equal("no such field", why_not("process.nmae", "x"))
    assert.are.equal("must be a list", why_not("event.category", "process"))
    assert.are.equal("start is not allowed", why_not("event.kind", "start"))
    assert.are.equal("x is no long", why_not("process.pid", "x"))
    assert.is_nil(why_not("process.pid", 7))
  end)
end)
