-- The verbs of `moonwatch rules`, and record.
local cjson = require "cjson"
local program = require "tests.spec.program"
local support = require "tests.spec.rule.support"

local function rule(expect)
  return ([[on = { "process.exec" }, match = function(event)
    local name = event.process.name
    return name == "a" or name == "b"
  end,
  examples = { { expect = true, event = { process = { name = "a" } } }, { expect = %s, event = { process = { name = "c" } } } },]]):format(
    tostring(expect))
end

local function folder(rules)
  local dir = support.folder()
  for id, body in pairs(rules) do
    support.write(("%s/%s.lua"):format(dir, id), support.rule(id, body))
  end
  return dir
end

local function lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    list[#list + 1] = line
  end
  return list
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

describe("rules check", function()
  it("writes JSON, and warns when it is strict", function()
    local dir = folder { one = rule(false) }
    support.write(dir .. "/two.lua", "return {\n  nmae = 1,\n}")
    local result = program.run("rules", "check", "--json", "--strict", dir)
    assert.are.equal(1, result.status)
    local first, second, last = table.unpack(lines(result.out))
    assert.are.same({ file = dir .. "/two.lua", line = 2, column = 3, code = "R103", kind = "error",
      text = cjson.decode(first).text }, cjson.decode(first))
    assert.are.equal("R201", cjson.decode(second).code)
    assert.are.same({ good = 1, refused = 1 }, cjson.decode(last))
  end)

  it("tells a mistake in the language by its line", function()
    local dir = support.folder()
    support.write(dir .. "/two.lua", "return {\n  x = = 1,\n}")
    local result = program.run("rules", "check", dir)
    assert.are.equal(dir .. "/two.lua:2:1: R101 unexpected symbol near '='", lines(result.out)[1])
  end)
end)

describe("rules test", function()
  it("reports as TAP and JUnit, and which ways no example takes", function()
    local dir = folder { one = rule(false),
      two = rule(true):gsub("examples = {", "%0 { expect = false, event = { process = { name = 'd' } } },") }
    local xml = dir .. "/report.xml"
    local result = program.run("rules", "test", "--coverage", "--junit=" .. xml, dir)
    assert.are.equal(1, result.status)
    assert.is_truthy(result.out:find("not ok 5 - two, example 3", 1, true), result.out)
    local ways, line = result.out:match "# coverage one +(%d+ of +%d+) ways; one is not taken at line (%d+)"
    -- name == "a" and then name == "b": that it is "b" is never tried.
    assert.are.equal("3 of   4", ways)
    assert.are.equal("8", line)
    local report = read(xml)
    assert.is_truthy(report:find('tests="6" failures="2"', 1, true), report)
    assert.is_truthy(report:find('<testcase classname="two" name="example 3"><failure message=', 1, true), report)
  end)

  it("finds every way of a rule whose examples take them", function()
    local body = rule(false):gsub("examples = {", "%0 { expect = true, event = { process = { name = 'b' } } },")
    local result = program.run("rules", "test", "--coverage", folder { one = body })
    assert.are.equal(0, result.status, result.out)
    assert.is_truthy(result.out:find("4 of   4 ways\n", 1, true), result.out)
  end)
end)

describe("rules list", function()
  it("says as JSON where a rule is, what it listens to and what alerts say of it", function()
    local dir = folder { one = rule(false) }
    local result = program.run("rules", "list", "--json", dir)
    assert.are.same({ id = "one", severity = "low", attack = {}, summary = "Test", on = { "process.exec" }, enabled = true,
      native = false, file = dir .. "/one.lua" }, cjson.decode(result.out))
  end)
end)

describe("rules new", function()
  it("writes a rule that is good, and never over another", function()
    local dir = support.folder()
    local result = program.run("rules", "new", "-o", dir, "my_rule")
    assert.are.equal(dir .. "/my_rule.lua\n", result.out)
    local check = program.run("rules", "check", "--strict", dir)
    assert.are.equal("1 rules are good, 0 refused\n", check.out)
    assert.are.equal(1, program.run("rules", "new", "-o", dir, "my_rule").status)
    assert.are.equal(2, program.run("rules", "new", "-o", dir, "../x").status)
  end)
end)

describe("rules replay", function()
  local events = {}
  for i, name in ipairs { "a", "c", "b", "a" } do
    events[i] = ('{"kind":"process.exec","id":"0-%012d","process":{"name":"%s"}}\n'):format(i, name)
  end

  it("tells what would have been told, of packed recordings, too", function()
    local dir, path = folder { one = rule(false) }, support.folder() .. "/events.jsonl"
    support.write(path, table.concat(events) .. "not an event\n")
    assert(os.execute("gzip -k " .. path))
    for _, name in ipairs { path, path .. ".gz" } do
      local result = program.run("rules", "replay", "--json", "--rules", dir, name)
      assert.are.equal(0, result.status, result.err)
      local ids = {}
      for i, line in ipairs(lines(result.out)) do
        ids[i] = cjson.decode(line).id
      end
      assert.are.same({ "0-000000000001", "0-000000000003", "0-000000000004" }, ids)
      assert.is_truthy(result.err:find("4 events, 3 alerts, 1 lines left out", 1, true), result.err)
      assert.is_truthy(result.err:find("\none +4 +3 "), result.err)
    end
  end)

  it("refuses what is not there", function()
    assert.are.equal(2, program.run("rules", "replay", "/nonexistent").status)
    assert.are.equal(2, program.run("rules", "replay").status)
  end)
end)
