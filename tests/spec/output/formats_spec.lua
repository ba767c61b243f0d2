-- Each output format: golden lines of an item of each kind, and lines that stay whole whatever an item holds.
--
-- tests/fixtures/output/items.jsonl is made of the sensor's own objects by tests/unit/test_outputs.c; FORMAT.golden are the lines of
-- those items, written anew when MW_WRITE_FIXTURES is set.
local cjson = require "cjson"
local context = require "moonwatch.item.context"
local output = require "moonwatch.output"

local FOLDER = "tests/fixtures/output/"

local function lines(path)
  local list = {}
  for line in io.lines(path) do
    list[#list + 1] = line
  end
  return list
end

local items = {}
for i, line in ipairs(lines(FOLDER .. "items.jsonl")) do
  items[i] = cjson.decode(line)
end

context.host_name = "task-1"
context.version = "1.2.3"

local function format_of(name)
  return require("moonwatch.output." .. name)
end

for _, name in ipairs(output.formats) do
  describe("the format " .. name, function()
    local format = format_of(name)

    it("says of each kind of item what it said before", function()
      local said = {}
      for i, item in ipairs(items) do
        said[i] = format(item)
      end
      local path = FOLDER .. name .. ".golden"
      if os.getenv "MW_WRITE_FIXTURES" then
        local file <close> = assert(io.open(path, "w"))
        file:write(table.concat(said, "\n"), "\n")
      end
      local golden = lines(path)
      assert.are.equal(#golden, #said)
      for i, line in ipairs(golden) do
        assert.are.equal(line, said[i])
      end
    end)

    it("is one line of valid UTF-8, without control characters", function()
      for _, item in ipairs(items) do
        local line = format(item)
        assert.is_nil(line:find "%c")
        assert.is_truthy(utf8.len(line))
      end
    end)

    it("has a line for an item of which nothing is known", function()
      assert.are.equal("string", type(format {}))
      assert.are.equal("string", type(format { rule = {} }))
      for _, item in ipairs(items) do
        for field in pairs(item) do
          local less = {}
          for other, value in pairs(item) do
            less[other] = other ~= field and value or nil
          end
          assert.is_nil(format(less):find "\n")
        end
      end
    end)

    it("has one when parts are something else than they should be", function()
      for _, wrong in ipairs { 7, 1.5, "\n|=]\\\"", true, {}, { { {} } }, "\xff" } do
        for i = 1, #items, 5 do
          local item = items[i]
          for field, value in pairs(item) do
            local odd = setmetatable({ [field] = wrong }, { __index = item })
            assert.is_nil(format(odd):find "\n", field)
            for inner in pairs(type(value) == "table" and value or {}) do
              odd[field] = setmetatable({ [inner] = wrong }, { __index = value })
              assert.is_nil(format(odd):find "\n", field .. "." .. inner)
            end
          end
        end
      end
    end)

    it("takes the largest that there is", function()
      local long = ("\xff\n=|\\]\""):rep(600)
      local argv = {}
      for i = 1, 2000 do
        argv[i] = "\n"
      end
      local process = { pid = 1, name = long, exe = long, cmdline = long, argv = argv, cwd = long, user = long, tty = long }
      process.parent = { pid = 2, name = long, exe = long, cmdline = long }
      process.ancestors = {}
      for i = 1, 16 do
        process.ancestors[i] = process.parent
      end
      for _, rule in ipairs { false, { id = long, summary = long, severity = "high", attack = { long, "T1059" } } } do
        local line = format { time = "2026-11-24T03:04:05.123456789Z", kind = "file.rename", id = long, rule = rule or nil,
          message = rule and long or nil, process = process, file = { path = long, old_path = long },
          container = { id = long, name = long, image = long }, ecs = { task_arn = long } }
        assert.is_nil(line:find "%c")
        assert.is_truthy(utf8.len(line))
        assert.is_true(#line < 1 << 20)
      end
    end)

    it("is as good after an item that it could not say", function()
      local good = format(items[1])
      pcall(format, setmetatable({}, { __index = function(_, key)
        return key == "time" and items[1].time or key == "process" and error "gone" or nil
      end }))
      assert.are.equal(good, format(items[1]))
    end)
  end)
end

describe("the list of formats", function()
  it("is what the folder has", function()
    local listed = {}
    for _, name in ipairs(output.formats) do
      listed[name] = true
    end
    local handle <close> = assert(io.popen "ls lua/moonwatch/output")
    for file in handle:lines() do
      local name = file:match "^(.*)%.lua$"
      if name ~= "init" and name ~= "network" and name ~= "options" then
        assert.is_true(listed[name], name)
        listed[name] = nil
      end
    end
    assert.is_nil(next(listed))
  end)
end)
