--- Splunk's HTTP Event Collector.
local cjson = require "cjson"
local secret = require "moonwatch.secret"

local M = {}

function M.check(options)
  if not options.token then
    return nil, "to=splunk needs the collector's token: token=env:NAME"
  end
  return true
end

local function value_of(line)
  return line:sub(1, 1) == "{" and line or cjson.encode(line)
end

function M.encode(lines, items, options, path)
  local events = {}
  local index = options.index and (',"index":%s'):format(cjson.encode(options.index)) or ""
  local source = cjson.encode(options.source or "moonwatch")
  for i, line in ipairs(lines) do
    local item = items[i]
    events[i] = ('{"time":%d.%03d,"source":%s,"sourcetype":"moonwatch:%s"%s,"event":%s}'):format(
      item.time_ns // 1000000000, item.time_ns // 1000000 % 1000, source, item.stream, index, value_of(line))
  end
  return {
    path = (path == "" or path == "/") and "/services/collector/event" or path,
    headers = { Authorization = secret.join { "Splunk ", options.token } },
    body = table.concat(events, "\n"),
  }
end

return M
