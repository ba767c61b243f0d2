-- What becomes of the application when a process of the sensor dies or hangs.
local support = require "tests.system.support"

local run, quote, moonwatch = support.run, support.quote, support.moonwatch

--- Run `script` (of the shell) under the sensor.  In it, `find NAME` sets $pid to the process of that name.
---@param script string
---@param flags? string  more flags of `moonwatch run`
---@param prefix? string  a command to run all of it with
local function under_sensor(script, flags, prefix)
  local events, state = support.new_path(), support.new_path()
  local prelude = [[
    find() { # of this run: another may still be ending
      local parent=$$ d name
      [ "$1" = moonwatch-guard ] || { find moonwatch-guard; parent=$pid; }
      pid=
      until [ "$pid" ]; do
        for d in /proc/[0-9]*; do
          read -r name 2>/dev/null <$d/comm && [ "$name" = "$1" ] && grep -qs "^PPid:.$parent\$" $d/status &&
            pid=${d#/proc/} && break
        done
      done
    }
    traced() { grep -q '^TracerPid:.[1-9]' /proc/$$/status; }
    tracer() { sed -n 's/^TracerPid:.//p' /proc/$$/status; }
    # Until another tracer than $1 holds us.
    replaced() { until now=$(tracer) && [ "$now" != 0 ] && [ "$now" != "$1" ]; do :; done; }
  ]]
  local result = run(("%s %s run --state_dir=%s --outputs=events/json:file=%s %s -- bash -c %s"):format(prefix or "",
    moonwatch, state, events, flags or "", quote(prelude .. script)))
  return result, support.json_lines(events), state
end

local function has_exec(events, mark)
  return #support.filter(events, function(event)
    return event.kind == "process.exec" and event.process.argv[2] == mark
  end) > 0
end

describe("the application goes on", function()
  for signal, what in pairs { KILL = "killed", STOP = "stopped" } do
    it("when the tracer is " .. what .. ": another takes over, and the gap is told", function()
      local result, events = under_sensor([[find moonwatch-trace; kill -]] .. signal .. [[ $pid; replaced $pid; /bin/true after
        echo on; exit 5]])
      assert.are.equal(5, result.code)
      assert.are.equal("on\n", result.out)
      assert.is_true(has_exec(events, "after"))
      local gaps = support.filter(events, function(event)
        return event.kind == "sensor.gap" and event.gap.reason == "tracer restarted"
      end)
      assert.are.equal(1, #gaps)
      assert.is_true(gaps[1].gap.found >= 1)
      local root = support.filter(events, function(event)
        return event.kind == "process.exit" and event.process.name == "bash" and event.process.exit_code == 5
      end)
      assert.are.equal(1, #root)
    end)
  end

  it("when the tracer is killed again and again under load", function()
    local result, events = under_sensor [[( for i in 1 2 3 4 5 6 7 8 9 10; do
        /bin/true $i || exit 1; sh -c : || exit 1; done; exit 7 ) & child=$!
      for n in 1 2 3 4 5; do find moonwatch-trace; kill -KILL $pid; replaced $pid; done; wait $child; echo $?; /bin/true after]]
    assert.are.equal("7\n", result.out)
    assert.is_true(has_exec(events, "after"))
  end)

  it("when the guard is killed", function()
    local result = under_sensor [[find moonwatch-guard; kill -KILL $pid; while traced; do :; done; /bin/true; echo on; exit 5]]
    assert.are.equal(5, result.code)
    assert.are.equal("on\n", result.out)
  end)

  it("when the sensor is killed: another takes over, and nothing in between is lost", function()
    local result, events, state = under_sensor [[/bin/true before; find moonwatch-sens; old=$pid; kill -KILL $old
      while [ -d /proc/$old ]; do :; done; /bin/true between; find moonwatch-sens; /bin/true after; exit 5]]
    assert.are.equal(5, result.code)
    assert.is_true(has_exec(events, "between"))
    assert.is_true(has_exec(events, "after"))
    local rows = support.sql(state, "select cmdline from process_events where cmdline like '/bin/true %' order by time, eid")
    local marks = {}
    for _, row in ipairs(rows) do
      marks[row.cmdline] = true
    end
    assert.is_true(marks["/bin/true between"] and marks["/bin/true after"])
  end)

  it("when everybody is sent a signal", function()
    if not support.has_namespaces then
      pending "no PID namespaces here"
    end
    local result, events = under_sensor([[trap '' TERM HUP INT; kill -TERM -1; kill -HUP -1; kill -INT -1
      /bin/true after; exit 5]], nil, "unshare -pf --mount-proc --propagation unchanged") -- "everybody" ends at the namespace
    assert.are.equal(5, result.code)
    assert.is_true(has_exec(events, "after"))
  end)
end)

describe("the sensor's processes", function()
  it("are invisible to wait and hold nothing of the application open", function()
    local result = under_sensor [[find moonwatch-trace; ls -l /proc/$pid/fd | grep -c -e "$TMPDIR" -e pipe:; find moonwatch-guard
      grep -q "^PPid:.$$\$" /proc/$pid/status && echo child; wait; echo waited]]
    assert.are.equal("0\nchild\nwaited\n", result.out)
  end)

  it("are given up before the application when memory is short", function()
    local result = under_sensor [[for n in guard trace sens; do find moonwatch-$n; cat /proc/$pid/oom_score_adj; done]]
    assert.are.equal("1000\n1000\n1000\n", result.out)
  end)

  it("end with the application", function()
    local result = run(("%s run --state_dir=%s -- true; until ! grep -qx -e 'moonwatch-.*' /proc/[0-9]*/comm; do :; done")
      :format(moonwatch, support.new_path()))
    assert.are.equal(0, result.code)
  end)
end)
