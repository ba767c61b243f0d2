-- Rules exchanged while the sensor runs.
local cjson = require "cjson"
local support = require "tests.system.support"

local function rule(id, name, more)
  return ([[
return {
  id = "%s", summary = "A program of the test", why = "Test.", on = { "process.exec" }, severity = "medium", attack = {},
  where = { names = { "true" }, arguments = { "%s" } },
  message = "%s saw {process.cmdline}",
  %s
  examples = {
    { expect = true, event = { process = { name = "true", argv = { "true", "%s" } } } },
    { expect = false, event = { process = { name = "true", argv = { "true", "other" } } } },
  },
}]]):format(id, name, id, more or "", name)
end

--- Start COMMAND under the sensor in the background; the events and alerts so far, and what standard error says.
local function start(command, flags)
  local run = { events = support.new_path(), alerts = support.new_path(), state = support.new_path(), err = support.new_path(),
    stop = support.new_path() }
  os.execute(("( %s run --state_dir=%s --outputs=events/json:file=%s,alerts/json:file=%s %s -- sh -c %s ) 2>%s &"):format(
    support.moonwatch, run.state, run.events, run.alerts, flags,
    support.quote(("while [ ! -e %s ]; do %s; done"):format(run.stop, command)), run.err))
  support.await(run.events)
  support.await(run.alerts)
  return run
end

local function await(wanted, what)
  local deadline = os.time() + 20
  repeat
    local found = wanted()
    if found then
      return found
    end
    os.execute "sleep 0.05"
  until os.time() > deadline
  error(what .. " did not come", 2)
end

local function lines(path)
  local list = {}
  for line in support.read(path):gmatch "([^\n]+)\n" do
    list[#list + 1] = cjson.decode(line)
  end
  return list
end

local function alert_of(run, id)
  for _, alert in ipairs(lines(run.alerts)) do
    if alert.rule.id == id then
      return alert
    end
  end
end

local function said(run, text)
  return support.read(run.err):find(text, 1, true)
end

local function folder()
  local dir = support.new_path()
  assert.are.equal(0, support.run("mkdir -m 755 " .. dir).code)
  return dir
end

describe("rules that change", function()
  it("are exchanged while events flow, and a set that is no good is refused whole", function()
    local dir = folder()
    support.write(dir .. "/one.lua", rule("one", "first", "throttle = { period_s = 600 },"))
    local run = start("/bin/true first; /bin/true second; sleep 0.05", "--rules_dir=" .. dir)
    finally(function() support.write(run.stop, "") end)
    await(function() return alert_of(run, "one") end, "an alert of the first set")

    support.write(dir .. "/two.lua", rule("two", "second"))
    await(function() return alert_of(run, "two") end, "an alert of the second set")
    await(function() return said(run, "is in force") end, "the line that says so")

    -- What the throttle of the first set folds stays folded in the second.
    local count = 0
    for _, alert in ipairs(lines(run.alerts)) do
      count = count + (alert.rule.id == "one" and 1 or 0)
    end
    assert.are.equal(1, count)

    support.write(dir .. "/three.lua", rule("three", "first"):gsub("severity", "sevrity"))
    await(function() return said(run, "the new set is refused") end, "the refusal")
    assert.is_truthy(said(run, "three.lua:2: unknown key 'sevrity'"))
    local before = #lines(run.alerts)
    await(function() return #lines(run.alerts) > before end, "another alert of the second set")

    -- Ids of events have no hole: none was lost.
    local last
    for _, event in ipairs(lines(run.events)) do
      local number = tonumber(event.id:match "%-(%d+)$")
      assert.is_true(not last or number > last)
      last = number
    end
    support.write(run.stop, "")
  end)

  it("are changed by a file, which is looked at, too", function()
    local dir, file = folder(), support.new_path() .. ".lua"
    support.write(dir .. "/one.lua", rule("one", "first"))
    support.write(file, "return { disable = { 'one' } }")
    local run = start("/bin/true first; sleep 0.05", ("--rules_dir=%s --rules_file=%s"):format(dir, file))
    finally(function() support.write(run.stop, "") end)
    await(function() return #lines(run.events) > 20 end, "events")
    assert.is_nil(alert_of(run, "one"))
    support.write(file, "return { override = { one = { severity = 'critical' } } }")
    local alert = await(function() return alert_of(run, "one") end, "the alert")
    assert.are.equal("critical", alert.rule.severity)
    support.write(run.stop, "")
  end)
end)

describe("a profile", function()
  it("changes rules", function()
    local dir, profile = folder(), support.new_path() .. ".lua"
    support.write(dir .. "/one.lua", rule("one", "first"))
    support.write(dir .. "/two.lua", rule("two", "first"))
    support.write(profile, [[return { extends = "default", rules = { disable = { "one" },
      override = { two = { severity = "low", exceptions = { { reason = "test", arguments = { "excepted" } } } } } } }]])
    local _, _, alerts = support.watch("sh -c '/bin/true first; /bin/true first excepted; exit 0'",
      ("--rules_dir=%s --profile=%s"):format(dir, profile))
    local found = {}
    for _, alert in ipairs(alerts) do
      found[#found + 1] = alert.rule.id .. " " .. alert.rule.severity .. " " .. alert.process.cmdline
    end
    assert.are.same({ "two low /bin/true first" }, found)
  end)
end)
