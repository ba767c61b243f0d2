-- docs/reference/tables.md says what tables and functions declare.
local program = dofile("tests/spec/program.lua")

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

describe("docs/reference/tables.md", function()
  it("is what `make docs` writes now", function()
    local path = program.write("", "tables.md")
    local result = program.run("lua", "docs/tables.lua", path)
    assert.are.equal("", result.err)
    local written = read(path)
    program.remove(path)
    -- Compared by line, so that the first difference is shown, not the page.
    local given = read("docs/reference/tables.md"):gmatch("[^\n]*")
    for line in written:gmatch("[^\n]*") do
      assert.are.equal(line, given(), "run `make docs`")
    end
    assert.is_nil(given())
  end)

  it("has every column's text", function()
    local sql = require "moonwatch.sql"
    for _, declared in ipairs(sql.tables()) do
      for _, column in ipairs(declared.columns) do
        if not declared.doc:find("^Empty: ") and not column.foreign then
          assert.is_truthy((column.doc or ""):find("%S"), declared.name .. "." .. column.name)
        end
      end
    end
  end)
end)
