-- docs/reference/rules.md and the layer for ATT&CK Navigator say what the shipped rules are.
local cjson = require "cjson"
local program = dofile "tests/spec/program.lua"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

describe("docs/reference", function()
  local page, layer = os.tmpname(), os.tmpname()
  local result = program.run("lua", "docs/rules.lua", "rules", page, layer)

  it("has what `make docs` writes now", function()
    assert.are.equal("", result.err)
    for written, given in pairs { [page] = "docs/reference/rules.md", [layer] = "docs/reference/attack-layer.json" } do
      assert.are.equal(read(given), read(written), given .. ": run `make docs`")
    end
  end)

  it("has every rule, and every technique", function()
    local text = read(page)
    local list = program.run("rules", "list", "--json")
    assert.are.equal(0, list.status, list.err)
    local techniques = {}
    for _, technique in ipairs(cjson.decode(read(layer)).techniques) do
      techniques[technique.techniqueID] = technique.comment
    end
    for line in list.out:gmatch "[^\n]+" do
      local rule = cjson.decode(line)
      assert.is_truthy(text:find("\n### " .. rule.id .. "\n", 1, true), rule.id)
      for _, id in ipairs(rule.attack) do
        assert.is_truthy(techniques[id]:find(rule.id, 1, true), id)
      end
    end
    os.remove(page)
    os.remove(layer)
  end)
end)
