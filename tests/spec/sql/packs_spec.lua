-- Queries that were made for osquery run: those of packs, and all of every table.
local sql = require "moonwatch.sql"
local world = require "tests.spec.sql.world"

--- Every row, and how many there were.
local function run(text)
  local query <close> = assert(world.database_of(text):prepare(text))
  local count = 0
  local row, message = query:step()
  while row do
    count = count + 1
    row, message = query:step()
  end
  assert(row == false, message)
  return count
end

local declared = {}
for _, described in ipairs(sql.tables()) do
  declared[described.name] = described
end

--- name of table -> list of {name, type, is_hidden}, as osquery declares them
local function read_columns()
  local tables, order = {}, {}
  for line in io.lines "tests/fixtures/osquery/columns.txt" do
    local name, column, type, marks = line:match "^([%w_]+) ([%w_]+) ([%u_]+) ?(.*)$"
    if name then
      if not tables[name] then
        tables[name] = {}
        order[#order + 1] = name
      end
      table.insert(tables[name], {
        name = column,
        type = type:gsub("_", " "),
        is_hidden = marks:find "hidden" ~= nil,
        is_required = marks:find "required" ~= nil,
      })
    end
  end
  return tables, order
end

local osquery, names = read_columns()

--- A condition that a table of osquery wants, as " WHERE …".
local function required(columns)
  for _, column in ipairs(columns) do
    if column.is_required or column.required then
      return (" WHERE %s = '/etc/passwd'"):format(column.name)
    end
  end
  return ""
end

describe("a pack's query", function()
  local count = 0
  for line in io.lines "tests/fixtures/osquery/packs.txt" do
    local pack, query = line:match "^([%w-]+): (.+)$"
    if pack then
      count = count + 1
      it(("runs: %s %d: %s"):format(pack, count, query), function()
        run(query)
      end)
    end
  end

  it("is one of many", function()
    assert.is_true(count > 150)
  end)
end)

describe("every table of osquery", function()
  it("is there", function()
    local missing = {}
    for _, name in ipairs(names) do
      if not declared[name] then
        missing[#missing + 1] = name
      end
    end
    assert.are.same({}, missing)
    assert.is_true(#names >= 156)
  end)

  for _, name in ipairs(names) do
    it(name .. " gives its columns, in order, and rows without an error", function()
      local query <close> =
        assert(world.database_of(name):prepare(("SELECT * FROM %s%s LIMIT 1"):format(name, required(osquery[name]))))
      local expected, got = {}, {}
      for _, column in ipairs(osquery[name]) do
        if not column.is_hidden then
          expected[#expected + 1] = column.name
        end
      end
      for i, column in ipairs(query:columns()) do
        got[i] = i <= #expected and column or nil -- ours may have more behind
      end
      assert.are.same(expected, got)
      local row, message = query:step()
      assert.is_true(row ~= nil, message)
    end)
  end
end)

describe("every table", function()
  for name, described in pairs(declared) do
    it(name .. " has an example that runs to its end", function()
      run(assert(described.example))
    end)

    it(name .. " counts its rows", function()
      local query <close> = assert(world.database_of(name):prepare(
        ("SELECT count(*) FROM %s%s"):format(name, required(described.columns))))
      assert.is_truthy(query:step())
    end)
  end
end)
