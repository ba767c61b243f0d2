--- What output formats take: microseconds of one item, over the items of tests/fixtures/output/items.jsonl (one of each kind of event,
--- and hostile ones), as tables from the spool.  The fastest of some rounds, so that what else the machine does counts little.
---
--- usage: moonwatch lua tests/bench/formats.lua
local cjson = require "cjson"
local output = require "moonwatch.output"

local ROUNDS <const> = 15
local TIMES <const> = 20

local items = {}
for line in io.lines "tests/fixtures/output/items.jsonl" do
  items[#items + 1] = cjson.decode(line)
end

local function microseconds(format)
  local fastest = math.huge
  local bytes = 0
  for _ = 1, ROUNDS do
    local before = os.clock()
    bytes = 0
    for _ = 1, TIMES do
      for i = 1, #items do
        bytes = bytes + #format(items[i])
      end
    end
    fastest = math.min(fastest, os.clock() - before)
  end
  return fastest * 1e6 / TIMES / #items, bytes // TIMES // #items
end

io.write("output formats, one item:\n")
for _, name in ipairs(output.formats) do
  io.write(("  %-10s %6.1f µs %6d bytes\n"):format(name, microseconds(require("moonwatch.output." .. name))))
end
