--- Lines through a spool and an output, to whatever it speaks to.
local delivery = require "moonwatch.delivery"
local loop = require "moonwatch.loop"
local network = require "moonwatch.delivery.outputs"
local servers = require "tests.fixtures.net.server"
local spool = require "moonwatch.spool"

local M = { reported = {} }

local options = {
  report = function(line) M.reported[#M.reported + 1] = line end,
  remember = function() end,
}

---@class through.Steps
---@field before? fun()
---@field during? fun(counts: table, ms: number)  each few milliseconds
---@field after? fun(): any  its result is the first one
---@field seconds? integer

--- Deliver lines of results (each body as it is) with one output, until all are.
---@param spec string
---@param bodies string[]
---@param steps through.Steps
---@return any result, table counts
function M.deliver(spec, bodies, steps)
  local dir = servers.new_path()
  assert(os.execute("mkdir -m 700 " .. dir))
  assert(spool.open { dir = dir })
  M.reported = {}
  local result, counts
  loop.run(function()
    if steps.before then
      steps.before()
    end
    for i, body in ipairs(bodies) do
      assert(spool.add("results", body, { name = "query" .. i, time_ns = 1700000000123000000 + i }))
    end
    assert(spool.commit())
    assert(network.start(spec, options))
    local name = network.name_of(assert(require("moonwatch.output").parse(spec))[1], {})
    local begun = loop.now()
    repeat
      loop.sleep(5)
      counts = spool.counts(name).results
      if steps.during then
        steps.during(counts, loop.now() - begun)
      end
    until counts.waiting == 0 or loop.now() - begun > (steps.seconds or 20) * 1000
    result = steps.after and steps.after()
  end)
  delivery.stop_all()
  spool.close()
  return result, counts
end

return M
