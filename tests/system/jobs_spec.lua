-- Stopping and continuing: parents, shells and terminals see it as without the sensor.
local support = require "tests.system.support"

local run, same, program = support.run, support.same, support.program

describe("a parent that waits", function()
  for _, case in ipairs {
    { "each", "^19: status 137f\nthen: code 6 status 18\nthen: code 1 status 19\n20: status 147f\n" },
    { "rounds", "^stops 500, then status 900\n$" },
    { "threads", "^stopped: code 5 status 19\nstands still: 1\ncontinued: code 6 status 18\n" },
    { "group", "ended: code 2 status 15\nended: code 2 status 15\n$" },
    { "handler", "handled 0\n.*handled 1\n.*handled 2\n.*handled 3\n$" },
    { "kill", "^status 9\nstatus f\n$" },
    { "orphan", "^told hc\n$" },
  } do
    local what, pattern = table.unpack(case)
    it("sees its children stop and go on: " .. what, function()
      local beside = same(program "stops" .. " " .. what)
      assert.are.equal("exit 0 stops 0", beside.how, beside.err)
      assert.matches(pattern, beside.out)
    end)
  end

  -- Nothing a tracer can do about it: "t" is "T" of a traced process.
  it("finds t instead of T in /proc", function()
    local command = program "stops" .. " peek"
    assert.matches("\nstate T\n", support.alone(command).out)
    assert.matches("\nstate t\n", support.beside(command).out)
  end)
end)

describe("a shell with job control", function()
  --- Type `script` to bash on a terminal, alone and under the sensor: what it expects must be shown both times.
  --- What else is shown differs: bash tells of a job when it happens to notice.
  local function typed(script)
    local path = support.new_path()
    support.write(path, "expect $\\s\n" .. script)
    local bash = "env PS1='$ ' TERM=dumb bash --norc --noprofile --noediting -i"
    local function code(command)
      local result = run(("%s %s <%s"):format(program "pty", command, path))
      assert.are.equal("", result.err, result.out)
      return result.code
    end
    local alone = code(bash)
    assert.are.equal(alone, code(("%s run --state_dir=%s --outputs=alerts/json:file=%s -- %s"):format(support.moonwatch,
      support.new_path(), support.new_path(), bash)))
    return alone
  end

  -- A key is pressed only when the job has shown that it is in the foreground: before, it would be for the shell.
  it("stops, continues and interrupts a job by the keyboard", function()
    assert.are.equal(7, typed [[
send cat\n
send once\n
expect once\r\n
send ^Z
expect Stopped
expect $\s
send jobs\n
expect Stopped
expect $\s
send fg\n
send twice\n
expect twice\r\n
send ^Z
expect Stopped
expect $\s
send fg\n
send thrice\n
expect thrice\r\n
send ^C
expect $\s
send echo was $?\n
expect was 130\r\n
expect $\s
send exit 7\n
]])
  end)

  it("continues a job in the background, and sees it end there", function()
    assert.are.equal(143, typed [[
send sh -c 'echo up; exec sleep 1000'\n
expect up\r\n
send ^Z
expect Stopped
expect $\s
send bg\n
expect &\r\n
expect $\s
send jobs\n
expect Running
expect $\s
send kill %1; wait %1; exit $?\n
]])
  end)

  it("stops a job in the background that reads the terminal", function()
    assert.are.equal(0, typed [[
send cat &\n
expect [1]
expect $\s
send wait %1; echo was $?\n
expect was 149\r\n
expect $\s
send fg\n
expect cat\r\n
send typed\n
expect typed\r\n
send ^D
expect $\s
send exit 0\n
]])
  end)

  it("stops one that writes to it, when the terminal says so", function()
    assert.are.equal(3, typed [[
send stty tostop\n
expect $\s
send echo out &\n
expect $\s
send wait %1; echo was $?\n
expect was 150\r\n
expect $\s
send fg\n
expect \r\nout\r\n
expect $\s
send exit 3\n
]])
  end)

  it("stops and quits a pipeline as one", function()
    assert.are.equal(0, typed [[
send sh -c 'echo up; exec cat' | sh -c 'read x; echo $x two; exec cat'\n
expect up two\r\n
send ^Z
expect Stopped
expect $\s
send fg\n
send through\n
expect through\r\n
send ^\
expect $\s
send echo was $?\n
expect was 131\r\n
expect $\s
send exit 0\n
]])
  end)
end)

describe("a terminal", function()
  it("is the application's as without the sensor", function()
    local script = support.new_path()
    support.write(script, "expect size\nsend \\s\\n\nexpect end\n")
    -- Its name, its size and settings; who leads the session and is in the foreground; and the descriptors.
    local facts = "sh -c " .. support.quote [[tty; stty -a; set -- $(cut -d' ' -f5-8 /proc/$$/stat)
      [ $1 = $$ ] && echo leads a group; [ $2 = $$ ] && echo leads the session; [ $4 = $1 ] && echo in the foreground
      readlink /proc/$$/fd/*; echo size; read x; echo end; exit 6]]
    local alone = run(("%s %s <%s"):format(program "pty", facts, script))
    local beside = run(("%s %s run --state_dir=%s -- %s <%s"):format(program "pty", support.moonwatch, support.new_path(), facts,
      script))
    assert.are.equal(6, alone.code, alone.out .. alone.err)
    assert.matches("leads the session", alone.out, 1, true)
    assert.matches("in the foreground", alone.out, 1, true)
    local function without_number(result)
      result.out = result.out:gsub("/dev/pts/%d+", "/dev/pts/N")
      return result
    end
    assert.are.same(without_number(alone), without_number(beside))
  end)

  it("that goes hangs its programs up", function()
    local function told(prefix)
      local path = support.new_path()
      local script = support.new_path()
      support.write(script, "expect ready\nhangup now\n")
      local result = run(("%s %s sh -c %s <%s"):format(program "pty", prefix,
        support.quote(("trap 'echo gone >%s.new; mv %s.new %s; exit 3' HUP; echo ready; while :; do read x || :; done"):format(path,
          path, path)), script))
      support.await(path)
      return support.read(path), result.code
    end
    local text, code = told ""
    assert.are.equal("gone\n", text)
    assert.are.same({ text, code }, { told(("%s run --state_dir=%s --"):format(support.moonwatch, support.new_path())) })
  end)
end)

describe("the first process", function()
  it("may be killed while it is stopped, and its end is told", function()
    local killer = program "stops" .. " killer"
    local stopping = program "probe" .. " stop"
    for _ = 1, 5 do
      local alone = run(killer .. " " .. stopping)
      assert.are.equal("status 137f\nstatus 9\n", alone.out)
      local events = support.new_path()
      assert.are.same(alone, run(("%s %s run --state_dir=%s --outputs=events/json:file=%s -- %s"):format(killer,
        support.moonwatch, support.new_path(), events, stopping)))
      support.await(events)
      support.await_event({ events_path = events }, function(event)
        return event.kind == "process.exit" and event.process.exit_signal == 9
      end)
    end
  end)
end)
