-- Run by endpoint_spec, with the endpoint's address in the environment: what becomes of one answer, as JSON.
local cjson = require "cjson"
local ecs = require "moonwatch.ecs"
local loop = require "moonwatch.loop"

local results = {}
loop.run(function()
  local place = assert(ecs.place())
  for _, name in ipairs(arg) do
    local begun = loop.now()
    local uri = place.uri:gsub("NAME", name)
    local known, message = ecs.fetch { version = place.version, uri = uri,
      task_uri = place.version == 2 and uri or uri .. "/task" }
    results[name] = { known = known, message = message, ms = loop.now() - begun }
  end
end)
print(cjson.encode(results))
