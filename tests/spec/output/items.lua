--- The items that formats are tried with: those of tests/fixtures/output/items.jsonl, and each of them without one of its parts.
local cjson = require "cjson"
local context = require "moonwatch.item.context"

context.host_name = "task-1"
context.version = "1.2.3"

local M = {}

---@param name string
---@return table
function M.fixture(name)
  local file <close> = assert(io.open("tests/fixtures/output/" .. name, "rb"))
  return cjson.decode(file:read "a")
end

---@return table[]
function M.all()
  local items = {}
  for line in io.lines "tests/fixtures/output/items.jsonl" do
    local whole = cjson.decode(line)
    items[#items + 1] = whole
    for part in pairs(whole) do
      local less = {}
      for name, value in pairs(whole) do
        less[name] = name ~= part and value or nil
      end
      items[#items + 1] = less
    end
  end
  items[#items + 1] = {}
  items[#items + 1] = { rule = {} }
  return items
end

return M
