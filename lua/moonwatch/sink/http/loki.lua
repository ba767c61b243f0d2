--- Loki's push interface.  Labels are few on purpose: job, stream, and those of label.NAME=VALUE.
local cjson = require "cjson"

local M = {}

function M.check(options)
  for name in pairs(options.label or {}) do
    if not name:find "^[%a_][%w_]*$" then
      return nil, ("%q is no name of a label"):format(name)
    end
  end
  return true
end

local function labels_of(stream, options)
  local labels = { job = "moonwatch", stream = stream }
  for name, value in pairs(options.label or {}) do
    labels[name] = value
  end
  return cjson.encode(labels)
end

function M.encode(lines, items, options, path)
  local order, values = {}, {}
  for i, line in ipairs(lines) do
    local stream = items[i].stream
    if not values[stream] then
      order[#order + 1], values[stream] = stream, {}
    end
    local list = values[stream]
    list[#list + 1] = ('["%d",%s]'):format(items[i].time_ns, cjson.encode(line))
  end
  for i, stream in ipairs(order) do
    order[i] = ('{"stream":%s,"values":[%s]}'):format(labels_of(stream, options), table.concat(values[stream], ","))
  end
  return {
    path = (path == "" or path == "/") and "/loki/api/v1/push" or path,
    headers = { ["X-Scope-OrgID"] = options.tenant },
    body = ('{"streams":[%s]}'):format(table.concat(order, ",")),
  }
end

return M
