-- The tables' declarations: osquery's where osquery has the table, and whole.
local sql = require "moonwatch.sql"
local world = require "tests.spec.sql.world"

local FIXTURE = "tests/fixtures/osquery/columns.txt"

local declared = {}
for _, described in ipairs(sql.tables()) do
  declared[described.name] = described
end

--- name of table -> list of {name, type, marks = set}
local function read_osquery()
  local tables = {}
  for line in io.lines(FIXTURE) do
    local words = {}
    for word in line:gmatch("%S+") do
      words[#words + 1] = word
    end
    if words[1] ~= "#" then
      local columns = tables[words[1]] or {}
      tables[words[1]] = columns
      local type = words[3]:gsub("_", " ")
      local column = { name = words[2], type = type, marks = {} }
      for i = 4, #words do
        column.marks[words[i]] = true
        column.alias = words[i]:match("^alias=(.+)$") or column.alias
      end
      columns[#columns + 1] = column
    end
  end
  return tables
end

local function find(columns, name)
  for _, column in ipairs(columns) do
    if column.name == name then
      return column
    end
  end
end

describe("osquery's table", function()
  for name, columns in pairs(read_osquery()) do
    describe(name, function()
      it("is there, with the columns in the same order", function()
        local ours = assert(declared[name]).columns
        for i, column in ipairs(columns) do
          assert.are.equal(column.name, ours[i].name)
          assert.are.equal(column.type, ours[i].type, column.name)
        end
      end)

      it("hides what osquery hides", function()
        for i, column in ipairs(columns) do
          local ours = declared[name].columns[i]
          local is_foreign = (column.marks["hidden(win)"] or column.marks["hidden(mac)"]) or false
          assert.are.equal(is_foreign, ours.foreign, column.name)
          assert.are.equal(is_foreign or column.marks.hidden or false, ours.hidden, column.name)
        end
      end)

      it("can be searched by what osquery's can", function()
        for i, column in ipairs(columns) do
          local ours = declared[name].columns[i]
          for _, mark in ipairs { "index", "additional", "required" } do
            if column.marks[mark] then
              local is_marked = ours[mark] or (mark == "additional" and ours.index)
              assert.is_true(is_marked, column.name .. " " .. mark)
            end
          end
        end
      end)

      it("knows the other names of columns", function()
        for _, column in ipairs(columns) do
          if column.alias then
            local ours = assert(find(declared[name].columns, column.alias), column.alias)
            assert.are.equal(column.type, ours.type)
            assert.is_true(ours.hidden)
          end
        end
      end)
    end)
  end
end)

describe("every table", function()
  local function names_of(text)
    local query <close> = assert(world.database_of(text):prepare(text))
    return query:columns()
  end

  for name, described in pairs(declared) do
    it(name .. " has in SQL the columns it declares", function()
      local visible, all = {}, {}
      for _, column in ipairs(described.columns) do
        all[#all + 1] = column.name
        if not column.hidden then
          visible[#visible + 1] = column.name
        end
      end
      assert.are.same(visible, names_of("SELECT * FROM " .. name))
      local quoted = '"' .. table.concat(all, '", "') .. '"'
      assert.are.same(all, names_of("SELECT " .. quoted .. " FROM " .. name))
    end)

    it(name .. " has an example that runs", function()
      local query <close> = assert(world.database_of(described.example):prepare(assert(described.example)))
      local row, message = query:step()
      assert.is_not_nil(row, message)
    end)

    it(name .. " gives NULL for columns of other platforms", function()
      local required = ""
      for _, column in ipairs(described.columns) do
        if column.required then
          required = column.name .. " = '/etc/passwd' AND "
        end
      end
      for _, column in ipairs(described.columns) do
        if column.foreign then
          local query <close> = assert(world.database_of(name):prepare(
            ("SELECT count(*) FROM %s WHERE %s%s IS NOT NULL"):format(name, required, column.name)))
          assert.are.equal(0, query:step()[1], column.name)
        end
      end
    end)
  end

  it("is shown as osquery's shell does", function()
    local schema = declared.processes.schema
    assert.is_truthy(schema:find("^CREATE TABLE processes%(`pid` BIGINT, `name` TEXT, "))
    assert.is_truthy(schema:find("`upid` BIGINT HIDDEN", 1, true))
    assert.is_truthy(schema:find("PRIMARY KEY %(`pid`%)%) WITHOUT ROWID$"))
    assert.is_nil(declared.time.schema:find("PRIMARY KEY"))
  end)
end)

describe("processes", function()
  local database <const> = assert(sql.open {})

  local function row_of(text)
    local query <close> = assert(database:prepare(text))
    return query:step()
  end

  it("shows this process", function()
    local pid = io.open("/proc/self/stat"):read("n")
    local row = row_of(("SELECT pid, path, on_disk, start_time <= strftime('%%s') + 1, cmdline, "
      .. "threads FROM processes WHERE pid = %d"):format(pid))
    assert.are.equal(pid, row[1])
    assert.is_truthy(row[2]:find("moonwatch$"))
    assert.are.equal(1, row[3])
    assert.are.equal(1, row[4])
    assert.is_truthy(row[5]:find("busted", 1, true))
    assert.are.equal(1, row[6])
  end)

  it("joins with its parents", function()
    local row = row_of [[SELECT count(*) > 0, min(p.pid = c.parent) FROM processes c
      JOIN processes p ON p.pid = c.parent]]
    assert.are.same({ 1, 1 }, row)
  end)
end)

describe("time", function()
  it("is now", function()
    local database <close> = assert(sql.open {})
    local query <close> = assert(database:prepare(
      "SELECT unix_time, iso_8601, datetime, date_time, timezone, weekday, timestamp FROM time"))
    local before = os.time()
    local row = query:step()
    assert.is_true(row[1] >= before and row[1] <= os.time())
    local iso = os.date("!%Y-%m-%dT%H:%M:%SZ", row[1])
    assert.are.same({ iso, iso, iso, "UTC" }, { row[2], row[3], row[4], row[5] })
    assert.are.equal(os.date("!%A", row[1]), row[6])
    assert.are.equal(os.date("!%a %b %e %H:%M:%S %Y UTC", row[1]), row[7])
  end)
end)
