-- The sensor's processes are killed and stopped at random moments while an application works: it must not feel it, the sensor must
-- recover, and account for what it missed.  A slice of what `make torture` does at length:
--
--   MW_TORTURE_MOMENTS   moments all in all (tests/torture/run)
--   MW_TORTURE_SEED      where chance begins
local moments = require "tests.torture.moments"
local support = require "tests.system.support"

local wanted = tonumber(os.getenv "MW_TORTURE_MOMENTS" or 12)
local first_seed = tonumber(os.getenv "MW_TORTURE_SEED" or 1)

--- A sensor that is killed again and again is started later and later, so a run has few moments.
local MOMENTS_OF_A_RUN = 6
--- A tracer is back in 100 to 700 ms where there is nothing else to do; this is for machines that are busy.
local RECOVERY_MS = 4000

--- Hold one run against what must be true of each.
---@param report torture.Report
---@param seed integer
local function assert_unharmed(report, seed)
  local what = ("seed %d: %s"):format(seed, report.text)
  assert.are.equal(0, report.code, what)
  assert.is_truthy(report.text:find("right\n", 1, true), what)
  assert.is_truthy(report.text:find("end exit 42\n", 1, true), what)

  local tracers, sensors, is_over = 0, 0, false
  for _, moment in ipairs(report.moments) do
    tracers = tracers + (moments.loses_tracer[moment.way] and 1 or 0)
    sensors = sensors + (moments.loses_sensor[moment.way] and 1 or 0)
    is_over = moment.way == "kill-guard"
  end
  -- Whoever dies between taking a signal and passing it on takes it along; there is one thread that sends some.
  assert.is_true(report.sent - report.got <= tracers, what)
  assert.is_true(report.torn <= sensors, what)

  local account, missed = moments.account(report), moments.missed(report)
  what = ("%s\nmissed %d (%s …)"):format(what, #missed, table.concat(missed, " ", 1, math.min(#missed, 10)))
  for name, value in pairs(account) do
    what = ("%s\n%s %s"):format(what, name, value)
  end
  -- The sensor's books balance, but for what a tracer had begun to write when it was killed (the gap tells of it), and what a
  -- sensor was at (the next one reads it again) …
  assert.is_true(account.captured <= account.arrived + tracers and account.arrived <= account.captured + sensors, what)
  -- (its last word, that the guard was killed, is not yet in them)
  assert.is_true(account.placed == account.taken or is_over and account.placed == account.taken + 1, what)
  -- … and are true.
  if sensors == 0 then
    assert.are.equal(0, account.dropped, what)
    assert.are.equal(account.stored, account.spooled, what)
  end
  if tracers == 0 then
    assert.is_true(account.gap <= sensors or account.gap == math.maxinteger, what) -- a new sensor's pid may count as somebody's
  end
  -- An id may have been drawn for what the next sensor reads again; and lines on their way to the file die with a sensor.
  assert.is_true(account.ids_lost <= account.dropped + (sensors > 0 and sensors + account.unwanted or 0), what)
  assert.is_true(#missed <= account.dropped, what)
  if not is_over then -- nobody is left to tell what comes after the guard's end
    assert.is_true(account.worked - account.recorded - account.dropped <= account.gap, what)
  end
end

--- What happened, for the log.
local done, slowest = {}, {}

local function torment(seed, count, ways)
  if not support.has_namespaces then
    pending "no PID namespaces here: others' sensors would be taken for what is left behind"
  end
  local report = moments.torment(seed, count, ways)
  assert_unharmed(report, seed)
  for _, moment in ipairs(report.moments) do
    done[moment.way] = (done[moment.way] or 0) + 1
    slowest[moment.way] = math.max(slowest[moment.way] or 0, moment.after_ms)
  end
  return report
end

describe("under torment", function()
  for _, way in ipairs(moments.ways) do
    it("the application is unharmed: " .. way, function()
      local report = torment(first_seed, 2, { way })
      local quickest = math.huge
      for _, moment in ipairs(report.moments) do
        quickest = math.min(quickest, moment.after_ms)
      end
      if way ~= "kill-guard" then
        assert.are.equal(2, #report.moments, report.text)
        assert.is_true(quickest <= RECOVERY_MS, report.text)
      end
    end)
  end

  it("the application is unharmed: " .. wanted .. " moments of all kinds", function()
    local count, seed = 0, first_seed
    while count < wanted do
      count = count + #torment(seed, MOMENTS_OF_A_RUN, moments.ways).moments
      seed = seed + 1
    end
  end)

  teardown(function()
    for _, way in ipairs(moments.ways) do
      print(("# %4d × %s, at most %d ms until all was well"):format(done[way] or 0, way, slowest[way] or 0))
    end
  end)
end)
