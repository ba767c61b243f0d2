--- Detections on real acts.  Those of a tactic (tests/system/acts/TACTIC.lua) are done one after the other, each by a shell of its own,
--- by an application under one sensor, in a room (acts/room) where nothing outside can be harmed.  An alert belongs to the act whose
--- shell its process descends from; each act must give its own alerts, and no others.
local assert = require "luassert"
local cjson = require "cjson"
local support = require "tests.system.support"

---@class system.acts
local M = {}

---@class system.Act
---@field [1] string   id of the rule
---@field [2] string   the act: a script of the shell
---@field says string  part of the alert's sentence
---@field also? table<string, string>  other rules that see something of their own in it: why
---@field times? table<string, integer>  how many alerts of these rules, if not one
---@field later? string  for a rule that is off, and learns first: how long that takes.  Nothing is found then, but with the rule on, in
---                      the events of the act as if they had come later, the alert.
---@field needs? string  a program that may not be installed
---@field how? string  which way, where a rule has several acts

---@class system.Acts
---@field prepare? string  what the shell does in the room before the sensor is there
---@field hosts? string  lines for /etc/hosts
---@field flags? string  of `moonwatch run`
---@field excused? table<string, string>  rules whose act cannot be performed here: why
---@field [integer] system.Act

-- Closely watched however much that costs, and out of the start-up phase at once.
local FLAGS <const> = "--attention_startup_ms=100 --attention_stops_per_s=0 --attention_cpu_percent=0 --sockets_interval_ms=100"

local STARTUP_ENDS <const> = "sleep 0.3\n"
-- What is found by looking now and then comes a little later.
local LATE_ONES_COME <const> = "sleep 0.3\n"

-- `tool NAME…` in `prepare`: programs that stand for tools, as programs/dial.c says.
local TOOL <const> = 'tool() { for name; do cp "$MW_BUILD/tests/programs/dial" "/opt/tools/$name"; done; }\n'

---@param tactic string
---@return system.Acts
function M.of(tactic)
  return require("tests.system.acts." .. tactic)
end

---@class system.Done
---@field pid? string  of the shell that did it
---@field out string   what it said
---@field alerts table[]
---@field events string[]  as lines of JSON

--- Do all acts.
---@param acts system.Acts
---@return system.Done[]? done, table[]|string rest  alerts of no act; or why it cannot be done here
---@return string? said  what the sensor complains of
local function perform(acts)
  local dir = support.new_path()
  assert(os.execute("mkdir " .. dir))
  local driver = { STARTUP_ENDS }
  for i, act in ipairs(acts) do
    if not act.needs or support.run("command -v " .. act.needs).code == 0 then
      local path = ("%s/act-%d"):format(dir, i)
      support.write(path, ("echo $$ >%s.pid\n%s\n"):format(path, act[2]))
      driver[#driver + 1] = ("echo %d >%s/now\nsh %s >%s.out 2>&1 </dev/null\n"):format(i, dir, path, path)
    end
  end
  driver[#driver + 1] = LATE_ONES_COME
  support.write(dir .. "/driver", table.concat(driver))
  support.write(dir .. "/prepare", TOOL .. (acts.prepare or "") .. "\n")
  support.write(dir .. "/hosts", acts.hosts or "")
  local moonwatch = support.run("realpath " .. support.moonwatch).out:match "[^\n]+"
  local result = support.run(("timeout -s KILL 120 unshare -mpnf --mount-proc --kill-child sh tests/system/acts/room %s %s run "
    .. "--state_dir=%s/state --outputs=alerts/json:file=%s/alerts,events/json:file=%s/events %s %s -- sh %s/driver"):format(dir, moonwatch,
      dir, dir, dir, FLAGS, acts.flags or "", dir))
  if result.code == 77 or result.err:find "^unshare: " then
    return nil, result.err
  end
  assert(result.code == 0, ("exit code %d, at act %s: %s"):format(result.code,
    select(2, pcall(support.read, dir .. "/now")), result.err))

  local done, by_pid, rest = {}, {}, {}
  for i in ipairs(acts) do
    local path = ("%s/act-%d"):format(dir, i)
    done[i] = { alerts = {}, events = {}, out = "" }
    local file <close> = io.open(path .. ".pid")
    if file then
      done[i].pid, done[i].out = file:read "l", support.read(path .. ".out")
      by_pid[tonumber(done[i].pid)] = done[i]
    end
  end

  --- Whose act it is.
  local function owner_of(event)
    local process = event.process or {}
    local owner = by_pid[process.pid]
    for _, ancestor in ipairs(process.ancestors or {}) do
      owner = owner or by_pid[ancestor.pid]
    end
    return owner
  end
  for _, alert in ipairs(support.json_lines(dir .. "/alerts")) do
    local owner = owner_of(alert)
    table.insert(owner and owner.alerts or rest, alert)
  end
  for line in support.read(dir .. "/events"):gmatch "[^\n]+" do
    local owner = owner_of(cjson.decode(line))
    if owner then
      table.insert(owner.events, line)
    end
  end
  return done, rest, result.err
end

--- How many alerts of each rule.
local function counts_of(alerts)
  local counts = {}
  for _, alert in ipairs(alerts) do
    counts[alert.rule.id] = (counts[alert.rule.id] or 0) + 1
  end
  return counts
end

local function sentences(alerts)
  local list = {}
  for i, alert in ipairs(alerts) do
    list[i] = alert.rule.id .. ": " .. alert.message
  end
  return table.concat(list, "\n")
end

local HOUR_MS <const> = 3600 * 1000

--- The alerts there would have been an hour after the start, with the rule on.
---@param act system.Act
---@param done system.Done
---@param path string  of the rule
local function replay(act, done, path)
  local rules, events = support.new_path(), support.new_path()
  assert(os.execute("mkdir " .. rules))
  local rule, n = support.read(path):gsub("enabled = false", "enabled = true")
  assert.are.equal(1, n)
  support.write(("%s/%s.lua"):format(rules, act[1]), rule)
  local lines = {}
  for i, line in ipairs(done.events) do
    lines[i] = line:gsub("^{", ('{"age_ms":%d,'):format(HOUR_MS)) .. "\n"
  end
  support.write(events, table.concat(lines))
  local result = support.run(("%s rules replay --json --rules=%s %s"):format(support.moonwatch, rules, events))
  assert.are.equal(0, result.code, result.err)
  local alerts = {}
  for line in result.out:gmatch "{[^\n]+" do
    table.insert(alerts, cjson.decode(line))
  end
  return alerts
end

---@param tactic string
---@param act system.Act
---@param done system.Done
local function judge(tactic, act, done)
  assert.is_truthy(done.pid, "it was not done")
  if act.later then
    assert.are.equal("", sentences(done.alerts))
    done.alerts = replay(act, done, ("rules/%s/%s.lua"):format(tactic, act[1]))
  end
  local wanted = { [act[1]] = 1 }
  for id in pairs(act.also or {}) do
    wanted[id] = 1
  end
  for id, n in pairs(act.times or {}) do
    wanted[id] = n
  end
  assert.are.same(wanted, counts_of(done.alerts), ("alerts:\n%s\nit said:\n%s"):format(sentences(done.alerts), done.out))
  for _, alert in ipairs(done.alerts) do
    if alert.rule.id == act[1] then
      assert.is_truthy(alert.message:find(act.says, 1, true), alert.message)
    end
  end
end

--- The tests of a tactic's acts.  What is skipped is known before they are made: in a test of a module's nothing can be.
---@param tactic string
function M.describe(tactic)
  local busted = require "busted"
  local acts = M.of(tactic)
  busted.describe("of " .. tactic, function()
    local done, rest, said = perform(acts)
    for i, act in ipairs(acts) do
      local how = act.later and " later, in a replay" or act.how and " " .. act.how or ""
      local title = ("%s is found%s, and nothing else"):format(act[1], how)
      if not done then
        busted.pending(("%s: no room to act in (a container without CAP_SYS_ADMIN?): %s"):format(title, rest:match "[^\n]*"))
      elseif act.needs and not done[i].pid then
        busted.pending(("%s: %s is not installed"):format(title, act.needs))
      else
        busted.it(title, function()
          judge(tactic, act, done[i])
        end)
      end
    end

    for id, reason in pairs(acts.excused or {}) do
      busted.pending(("%s cannot be performed here: %s"):format(id, reason))
    end

    if done then
      busted.it("nothing is found that is of no act", function()
        assert.are.equal("", sentences(rest))
      end)

      busted.it("no rule fails", function()
        assert.are.equal("", said)
      end)
    end
  end)
end

return M
