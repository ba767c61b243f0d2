-- Only for guests: the machine is what it should be, and smaller forms of what plan.lua leaves out.
local cjson = require "cjson"
local support = require "tests.system.support"

local run, watch, program = support.run, support.watch, support.program

local function count(events, kind, name)
  return #support.filter(events, function(event)
    return event.kind == kind and (not name or event.process.name == name)
  end)
end

--- What the sensor says of itself, such as that a tracer was replaced: for the message of a test that failed.
local function other_than_processes(events)
  local lines = {}
  for _, event in ipairs(events) do
    if not event.kind:find("^process%.") then
      lines[#lines + 1] = cjson.encode(event)
    end
  end
  return table.concat(lines, "\n")
end

describe("the guest", function()
  it("has the processor the program was built for", function()
    local machine = run("uname -m").out:match "%S+"
    assert.matches("(" .. machine .. ", Linux)", run(support.moonwatch .. " version").out, 1, true)
  end)
end)

describe("process events", function()
  for how, case in pairs { ["by vfork"] = { n = 300, flag = "" }, ["by fork"] = { n = 60, flag = "fork" } } do
    it(("tell of all %d programs started %s"):format(case.n, how), function()
      local n = case.n
      local result, events, _, state = watch(("%s %d %s"):format(program "storm", n, case.flag))
      assert.are.equal(0, result.code, result.err)
      local numbers, missing = {}, {}
      for _, event in ipairs(events) do
        if event.kind == "process.exec" and event.process.name == "true" then
          numbers[tonumber(event.process.argv[2])] = true
        end
      end
      for i = 0, n - 1 do
        if not numbers[i] then
          missing[#missing + 1] = i
        end
      end
      local seen = ("missing: %s; else told: %s"):format(table.concat(missing, " "), other_than_processes(events))
      assert.are.equal(0, #missing, seen)
      assert.are.equal(n, count(events, "process.exec", "true"), seen)
      assert.are.equal(n, count(events, "process.fork"), seen)
      assert.are.equal(n + 1, count(events, "process.exit"), seen)
      local rows = support.sql(state, "select count(*) as n from process_events where path like '%/true'")
      assert.are.equal(tostring(n), rows[1].n)
    end)
  end

  it("take 200 threads for no processes", function()
    local result, events = watch(program "threads" .. " many 2")
    assert.are.equal(0, result.code)
    assert.are.equal(1, count(events, "process.exec"))
    assert.are.equal(0, count(events, "process.fork"))
    assert.are.equal(1, count(events, "process.exit"))
  end)
end)

describe("the shipped rules", function()
  it("agree with their own examples", function()
    local result = run(support.moonwatch .. " rules test")
    assert.are.equal(0, result.code, result.out)
  end)
end)
