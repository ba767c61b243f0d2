-- Processes that no event tells of: they are found, and attached to; and what is not ours is left alone.
local support = require "tests.system.support"

local filter, quote, run, watch = support.filter, support.quote, support.run, support.watch

local function execs_of(events, mark)
  return filter(events, function(event)
    return event.kind == "process.exec" and event.process.argv and event.process.argv[2] == mark
  end)
end

local function late(events)
  return filter(events, function(event)
    return event.kind == "process.exec" and event.process.observed_late
  end)
end

--- In a PID namespace of its own, and with a /proc of it.
local NAMESPACE = "unshare -pf --mount-proc --propagation unchanged --kill-child "

local function namespaced(name, body)
  it(name, function()
    if not support.has_namespaces then
      pending "no PID namespaces here"
    end
    body()
  end)
end

describe("a process that escapes with CLONE_UNTRACED", function()
  namespaced("is found, attached to, and marked as observed late", function()
    local result, events = watch(support.program "untraced" .. " /bin/sh -c " .. quote "/bin/true escaped; exit 3")
    assert.are.equal(3, result.code)
    local found = late(events)
    assert.are.equal(1, #found)
    assert.are.equal("untraced", found[1].process.name)
    assert.are.equal(1, #execs_of(events, "escaped"))
    local ends = filter(events, function(event)
      return event.kind == "process.exit" and event.process.pid == found[1].process.pid
    end)
    assert.are.equal(1, #ends)
    assert.are.equal(3, ends[1].process.exit_code)
  end)

  namespaced("and is gone at once, is told as a gap", function()
    local state = support.new_path()
    local events = support.new_path()
    -- Until the gap has been told.
    local script = ("%s -q 5; until grep -q '\"sensor.gap\"' %s; do /bin/true; done"):format(support.program "untraced", events)
    local result = run(("%s timeout 30 %s run --state_dir=%s --outputs=events/json:file=%s -- sh -c %s"):format(NAMESPACE,
      support.moonwatch, state, events, quote(script)))
    assert.are.equal(0, result.code, result.err)
    local gap = filter(support.json_lines(events), function(event)
      return event.kind == "sensor.gap"
    end)[1].gap
    assert.are.equal("unexplained process ids", gap.reason)
    assert.is_true(gap.missed >= 1 and gap.missed <= 5, "missed " .. gap.missed)
  end)
end)

describe("a process that comes into the container from outside", function()
  namespaced("is found and attached to, with all it starts", function()
    local events, fifo, pid = support.new_path(), support.new_path(), support.new_path()
    assert.are.equal(0, run("mkfifo " .. fifo).code)
    -- The application says its id as it is outside, and waits.
    local application = ("sh -c 'read x <%s; exit 4'"):format(fifo)
    local session = "until grep -q ^TracerPid:.[1-9] /proc/self/status; do :; done; /bin/true session"
    local result = run(([[
      unshare -pf --mount-proc --propagation unchanged --kill-child sh -c %s & outer=$!
      until [ -s %s ]; do :; done
      for d in /proc/[0-9]*; do
        if [ "$(cut -d' ' -f4 $d/stat 2>/dev/null)" = $outer ]; then init=${d#/proc/}; fi
      done
      nsenter -t $init -m -p sh -c %s
      echo go >%s
      wait $outer; exit $?]]):format(quote(("echo x >%s; exec %s run --state_dir=%s --outputs=events/json:file=%s -- %s"):format(
      pid, support.moonwatch, support.new_path(), events, application)), pid, quote(session), fifo))
    assert.are.equal(4, result.code, result.err)
    local all = support.json_lines(events)
    assert.is_true(#late(all) >= 1)
    assert.are.equal(1, #execs_of(all, "session"))
  end)
end)

describe("--attach", function()
  namespaced("watches older processes, beside them, and lets go of them at its end", function()
    local events, fifo = support.new_path(), support.new_path()
    assert.are.equal(0, run("mkfifo " .. fifo).code)
    local script = ([[
      sh -c 'while read line; do /bin/true "$line"; done <%s' & old=$!
      exec 3>%s
      %s run --attach --state_dir=%s --outputs=events/json:file=%s & beside=$!
      until grep -q '^TracerPid:.[1-9]' /proc/$old/status; do :; done
      echo seen >&3
      until grep -q '"seen"' %s 2>/dev/null; do :; done
      kill -TERM $beside; wait $beside; echo "ended $?"
      until grep -q '^TracerPid:.0' /proc/$old/status; do :; done
      exec 3>&-; wait $old; echo "old $?"]]):format(fifo, fifo, support.moonwatch, support.new_path(), events, events)
    local result = run(NAMESPACE .. "timeout 60 bash -c " .. quote(script))
    assert.are.equal("ended 0\nold 0\n", result.out, result.err)
    local all = support.json_lines(events)
    assert.are.equal(1, #execs_of(all, "seen"))
    assert.is_true(#late(all) >= 2)
  end)
end)

describe("several sensors in one PID namespace", function()
  -- As with ECS's pidMode "task": each container has a mount namespace of its own, and all share the processes.
  namespaced("each watch their own container, none another, and each process is told of once", function()
    local outputs, commands = {}, {}
    for i = 1, 3 do
      outputs[i] = support.new_path()
      -- Programs that last over several sweeps of the others.
      local application = ("for n in 1 2 3 4 5 6 7 8 9 10; do /bin/sleep 0.05; /bin/true c%d-$n; done; exit %d"):format(i, i)
      commands[i] = ("unshare -m --propagation private %s run --state_dir=%s --outputs=events/json:file=%s -- sh -c %s & p%d=$!")
        :format(support.moonwatch, support.new_path(), outputs[i], quote(application), i)
    end
    local script = table.concat(commands, "\n") .. "\nfor p in $p1 $p2 $p3; do wait $p; echo $?; done"
    local result = run(NAMESPACE .. "timeout -s KILL 60 bash -c " .. quote(script))
    assert.are.equal("1\n2\n3\n", result.out, result.err)
    local told = {}
    for i = 1, 3 do
      for _, event in ipairs(support.json_lines(outputs[i])) do
        assert.is_false(event.process ~= nil and event.process.name ~= nil and event.process.name:find("^moonwatch%-") ~= nil,
          "a sensor's process was watched")
        local mark = event.kind == "process.exec" and event.process.argv and event.process.argv[2]
        if mark and mark:match "^c%d%-" then
          assert.is_nil(told[mark], mark .. " is told of twice")
          told[mark] = i
        end
      end
    end
    for i = 1, 3 do
      for n = 1, 10 do
        assert.are.equal(i, told[("c%d-%d"):format(i, n)], ("container %d, program %d"):format(i, n))
      end
    end
  end)

  namespaced("leave a container without a sensor to one of them", function()
    local outputs = { support.new_path(), support.new_path() }
    local done = support.new_path()
    assert.are.equal(0, run("mkfifo " .. done).code)
    local sensors = {}
    for i, output in ipairs(outputs) do
      sensors[i] = ("unshare -m --propagation private %s run --state_dir=%s --outputs=events/json:file=%s -- sh -c 'read x <%s' & p%d=$!")
        :format(support.moonwatch, support.new_path(), output, done, i)
    end
    local neighbour = "until grep -q ^TracerPid:.[1-9] /proc/self/status; do :; done; /bin/true neighbour"
    local script = table.concat(sensors, "\n") .. ([[

      for o in %s %s; do until grep -q process.exec $o 2>/dev/null; do :; done; done
      unshare -m --propagation private sh -c %s
      exec 3<>%s; echo >&3; echo >&3; wait $p1; wait $p2]]):format(outputs[1], outputs[2], quote(neighbour), done)
    local result = run(NAMESPACE .. "timeout -s KILL 60 bash -c " .. quote(script))
    assert.are.equal(0, result.code, result.err)
    local count = 0
    for _, output in ipairs(outputs) do
      count = count + #execs_of(support.json_lines(output), "neighbour")
    end
    assert.are.equal(1, count)
  end)
end)

describe("double wrapping", function()
  it("runs the inner command as it is, seen by the outer sensor", function()
    local result, events = watch(("%s run --state_dir=%s -- sh -c 'exit 9'"):format(support.moonwatch, support.new_path()))
    assert.are.equal(9, result.code)
    assert.matches("watched by another moonwatch already", result.err, 1, true)
    assert.are.equal(1, #filter(events, function(event)
      return event.kind == "process.exit" and event.process.exit_code == 9
    end))
  end)
end)
