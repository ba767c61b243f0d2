-- What is written from declarations is as they are.
local program = require "tests.spec.program"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

describe("lua/meta/moonwatch.types.lua", function()
  it("is what docs/types.lua writes now: run `make docs`", function()
    local path = os.tmpname()
    local result = program.run("lua", "docs/types.lua", path)
    assert.are.equal(0, result.status, result.err)
    assert.are.equal(read(path), read "lua/meta/moonwatch.types.lua")
    os.remove(path)
  end)

  it("names every key a rule may have, in moonwatch.rules.lua", function()
    local meta = read "lua/meta/moonwatch.rules.lua":match "%-%-%-@class moonwatch%.RuleFile\n(.*)$"
    local known = {}
    for key in meta:gmatch "@field (%l[%l_]*) " do
      known[key] = true
    end
    for key in read "lua/moonwatch/rule.lua":match "local schema = (%b{})":gmatch '\n  { "([%l_]+)"' do
      assert.is_true(known[key], key)
      known[key] = nil
    end
    assert.is_nil(next(known))
  end)
end)
