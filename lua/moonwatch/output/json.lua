--- One JSON object a line, all fields; see core/event/event_shapes.c for them.
local event = require "moonwatch.event"
local item = require "moonwatch.item"
local write = require "moonwatch.item.write"

local out = write.new()
local shapes = event.fields()
local put_members

local function put_field(field, value)
  if type(value) == "table" and next(value) == nil and field.type ~= "object" then
    out:raw(field.name, "[]")
  elseif field.type == "object" then
    if type(value) == "table" then
      out:open(field.name)
      put_members(shapes[field.shape], value)
      out:close()
    end
  elseif field.type == "objects" then
    out:open_list(field.name)
    for _, one in ipairs(type(value) == "table" and value or {}) do
      out:open()
      put_members(shapes[field.shape], one)
      out:close()
    end
    out:close_list()
  elseif field.type == "strings" then
    out:list(field.name, value)
  else
    out:put(field.name, value)
  end
end

--- What was JSON once has no order; it is given that of the fields again.
function put_members(shape, object)
  for _, field in ipairs(shape.fields) do
    put_field(field, object[field.name])
  end
end

---@param it table|userdata  an event or an alert
---@return string line  without a newline
return function(it)
  if type(it) == "userdata" then
    return event.json(it)
  end
  out:begin()
  put_members(item.is_alert(it) and shapes.Alert or shapes.Event, it)
  return out:line()
end
