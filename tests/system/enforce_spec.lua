-- Rules that respond: the program of a match ends before its first instruction, and nothing else does.
local support = require "tests.system.support"

local quote, watch = support.quote, support.watch

--- A folder with rules that respond to programs of these names.
local function rules(responses)
  local dir = support.new_path()
  assert.are.equal(0, support.run("mkdir -m 700 " .. dir).code)
  for name, response in pairs(responses) do
    support.write(("%s/no_%s.lua"):format(dir, name), ([[
      return {
        id = "no_NAME", summary = "NAME is not for here", why = "A test.", on = { "process.exec" }, severity = "high",
        attack = { "T1033" }, respond = "RESPONSE",
        match = function(event) return event.process.name == "NAME" end,
        examples = {
          { expect = true, event = { process = { name = "NAME" } } },
          { expect = false, event = { process = { name = "other" } } },
        },
      }]]):gsub("NAME", name):gsub("RESPONSE", response))
  end
  return dir
end

describe("a rule that responds", function()
  local dir = rules { id = "deny", whoami = "kill" }
  local script = quote "id; echo $?; whoami; echo $?; /bin/true; echo $?; exit 5"

  it("denies and kills before the program's first instruction", function()
    local result, events, alerts = watch("sh -c " .. script, "--enforce --enforce_deadline_ms=5000 --rules_dir=" .. dir)
    assert.are.equal("126\n137\n0\n", result.out)
    assert.are.equal(5, result.code)
    local seen = {}
    for _, alert in ipairs(alerts) do
      seen[alert.rule.id] = alert.response
    end
    assert.are.same({ no_id = "deny", no_whoami = "kill" }, seen)
    local ends = {}
    for _, event in ipairs(events) do
      if event.kind == "process.exit" then
        ends[event.process.name] = event.process.exit_code or -event.process.exit_signal
      end
    end
    assert.are.equal(126, ends.id)
    assert.are.equal(-9, ends.whoami)
  end)

  it("only tells where the profile does not allow enforcement", function()
    local result, _, alerts = watch("sh -c " .. script, "--rules_dir=" .. dir)
    assert.matches("^uid=.-\n0\n%S+\n0\n0\n$", result.out)
    assert.are.equal(2, #alerts)
    assert.is_nil(alerts[1].response)
  end)

  it("does not hold a program longer than the deadline when the sensor does not answer", function()
    local state = support.new_path()
    local script_stopped = quote [[
      for d in /proc/[0-9]*; do read -r n <$d/comm && [ "$n" = moonwatch-sens ] && kill -STOP ${d#/proc/}; done
      id >/dev/null; echo $?]]
    local result = support.run(("%s run --enforce --enforce_deadline_ms=20 --rules_dir=%s --state_dir=%s -- bash -c %s"):format(
      support.moonwatch, dir, state, script_stopped))
    -- The guard wakes the sensor again, so that either may come first; the program never waits for good.
    assert.is_true(result.out == "0\n" or result.out == "126\n", result.out)
  end)

  it("is refused when it listens to what has happened already", function()
    local bad = support.new_path()
    assert.are.equal(0, support.run("mkdir -m 700 " .. bad).code)
    support.write(bad .. "/late.lua", [[return { id = "late", summary = "Late", why = "A test.", on = { "process.exit" },
      severity = "low", attack = {}, respond = "kill", match = function() return false end, examples = {} }]])
    local result = support.run(support.moonwatch .. " rules check " .. bad)
    assert.are_not.equal(0, result.code)
    assert.matches("respond: only a rule that listens to nothing but process.exec can kill", result.out .. result.err, 1, true)
  end)
end)
