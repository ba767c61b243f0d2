-- What the format ocsf says, against the Open Cybersecurity Schema Framework: attributes, types, values, what is required and what
-- needs a profile.
local cjson = require "cjson"
local format = require "moonwatch.output.ocsf"
local items = dofile "tests/spec/output/items.lua"

local schema = items.fixture "ocsf-1.3.0.json"

local classes = {}
for name, class in pairs(schema.classes) do
  class.name = name
  classes[class.uid] = class
end

local function is_integer(value)
  return type(value) == "number" and math.tointeger(value) ~= nil
end

local function is_text(value)
  return type(value) == "string"
end

local types = {
  integer_t = is_integer,
  long_t = is_integer,
  timestamp_t = is_integer,
  port_t = function(value) return is_integer(value) and value >= 0 and value <= 65535 end,
  boolean_t = function(value) return type(value) == "boolean" end,
  ip_t = function(value) return is_text(value) and value:find "^[%x:.]+$" ~= nil end,
  string_t = is_text,
  file_hash_t = function(value) return is_text(value) and value:find "^%x+$" ~= nil end,
  file_name_t = is_text,
  hostname_t = function(value) return is_text(value) and value:find "^[%w.-]+$" ~= nil end,
  process_name_t = is_text,
  resource_uid_t = is_text,
  username_t = is_text,
}

local function is_in(list, value)
  for _, one in ipairs(list) do
    if one == value then
      return true
    end
  end
  return false
end

local check_object

local function check_value(attribute, value, profiles, path)
  if attribute.object == "object" then
    return nil -- anything
  elseif attribute.object then
    local object = schema.objects[attribute.object]
    if type(value) ~= "table" then
      return path .. ": is no object"
    end
    return object and check_object(object, value, profiles, path) or not object and path .. ": object not listed" or nil
  end
  local fits = types[attribute.type]
  if not fits or not fits(value) then
    return ("%s: %s is no %s"):format(path, tostring(value), attribute.type)
  elseif attribute.enum and not is_in(attribute.enum, value) then
    return ("%s: %s is not among the values"):format(path, tostring(value))
  end
end

--- Why `object` is none of `shape`; nil when it is.
function check_object(shape, object, profiles, path)
  for name, value in pairs(object) do
    local attribute = shape.attributes[name]
    local inner = path .. "." .. name
    if not attribute then
      return inner .. ": no such attribute"
    elseif attribute.profile and not profiles[attribute.profile] then
      return ("%s: needs the profile %s"):format(inner, attribute.profile)
    elseif attribute.array and (type(value) ~= "table" or #value == 0) then
      return inner .. ": must be a list"
    end
    for _, one in ipairs(attribute.array and value or { value }) do
      local why = check_value(attribute, one, profiles, inner)
      if why then
        return why
      end
    end
  end
  for name, attribute in pairs(shape.attributes) do
    if attribute.required and object[name] == nil and (not attribute.profile or profiles[attribute.profile]) then
      return ("%s.%s: is required"):format(path, name)
    end
  end
  if not shape.at_least_one then
    return nil
  end
  for _, name in ipairs(shape.at_least_one) do
    if object[name] ~= nil then
      return nil
    end
  end
  return path .. ": has none of " .. table.concat(shape.at_least_one, ", ")
end

local function why_not(event)
  local class = classes[event.class_uid]
  if not class then
    return "no class " .. tostring(event.class_uid)
  elseif event.type_uid ~= event.class_uid * 100 + event.activity_id then
    return "type_uid"
  elseif event.category_uid ~= event.class_uid // 1000 then
    return "category_uid"
  elseif event.metadata.version ~= schema.version then
    return "metadata.version"
  end
  local profiles = {}
  for _, name in ipairs(event.metadata.profiles or {}) do
    profiles[name] = true
  end
  return check_object(class, event, profiles, class.name)
end

describe("lines of the Open Cybersecurity Schema Framework", function()
  it("are events of its classes", function()
    local seen = {}
    for _, item in ipairs(items.all()) do
      local line = format(item)
      local event = cjson.decode(line)
      assert.is_nil(why_not(event), (why_not(event) or "") .. " in " .. line)
      seen[math.tointeger(event.class_uid)] = true
    end
    for uid in pairs(classes) do
      assert.is_true(seen[uid], "class " .. tostring(uid))
    end
  end)

  it("are checked by this", function()
    local event = cjson.decode(format(items.all()[1]))
    assert.is_nil(why_not(event))
    event.process.pid = "7"
    assert.are.equal("process_activity.process.pid: 7 is no integer_t", why_not(event))
    event.process.pid, event.actor = 7, nil
    assert.are.equal("process_activity.actor: is required", why_not(event))
    event.actor = {}
    assert.is_truthy(why_not(event):find "actor: has none of")
    event.actor = { nmae = "x" }
    assert.are.equal("process_activity.actor.nmae: no such attribute", why_not(event))
    event.actor, event.action_id = { app_name = "x" }, 1
    assert.are.equal("process_activity.action_id: needs the profile security_control", why_not(event))
  end)
end)
