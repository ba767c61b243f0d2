-- The engines besides ptrace: the application must not feel them either, and what they see is what they say they see.
local support = require "tests.system.support"

local run, quote, program = support.run, support.quote, support.program
local probe, noptrace = program "probe", program "noptrace"

-- What is tested here is not how fast a busy machine is.
local patient = "--attach_timeout_ms=10000"

--- Run `script` (of the shell) under the sensor.  In it, `await PATTERN` waits until an event's line matches, and `find NAME`
--- sets $pid to the process of the sensor of that name.
---@param flags string
---@param script string
---@param prefix? string  a command to run all of it with
local function watch(flags, script, prefix)
  local events, state = support.new_path(), support.new_path()
  local prelude = ("events=%s\n"):format(events) .. [[
    await() { local end=$((SECONDS + 10)); until grep -q -e "$1" $events; do [ $SECONDS -lt $end ] || exit 99; done; }
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
  ]]
  support.write(events, "")
  run("chmod 666 " .. events)
  local result = run(("%s %s run --state_dir=%s --outputs=events/json:file=%s %s %s -- bash -c %s"):format(prefix or "",
    support.moonwatch, state, events, patient, flags, quote(prelude .. script)))
  return result, support.json_lines(events)
end

--- The events of a kind whose process has this as one of its arguments.
local function of(events, kind, argument)
  return support.filter(events, function(event)
    local process = event.process
    for _, word in ipairs(event.kind == kind and process and process.argv or {}) do
      if word == argument then
        return true
      end
    end
  end)
end

--- What the application, its parent and its files say; see transparency_spec.lua.
local function seen(command)
  local out, err = support.tmp .. "/out", support.tmp .. "/err"
  local parent = run(("%s %s %s %s"):format(program "child", out, err, command))
  assert.are.equal(0, parent.code, parent.err)
  return { how = parent.out:match "^pid %d+ ppid %d+ (.-)\n$", pid = parent.out:match "^pid (%d+)",
    out = support.read(out), err = support.read(err) }
end

local function wrapped(command, flags)
  return seen(("%s run --state_dir=%s --outputs=alerts/json:file=%s %s %s -- %s"):format(support.moonwatch,
    support.new_path(), support.new_path(), patient, flags, command))
end

--- What every engine owes the application.
local function is_transparent(flags)
  it("passes on how the application ends", function()
    for _, code in ipairs { 0, 42, 255 } do
      assert.are.equal(("exit %d stops 0"):format(code), wrapped(("%s exit %d"):format(probe, code), flags).how)
    end
    for _, signal in ipairs { 15, 9, 34 } do
      local command = ("%s signal %d"):format(probe, signal)
      assert.are.equal(seen(command).how, wrapped(command, flags).how)
    end
    assert.are.equal("exit 0 stops 1", wrapped(probe .. " stop", flags).how)
  end)

  it("passes standard output and error byte for byte", function()
    local command = "sh -c " .. quote [[printf 'a\0b\377\n'; printf 'e\001\n' >&2; head -c 300000 /dev/zero; cat]]
    local alone, beside = seen(command), wrapped(command, flags)
    assert.are.equal(300005, #alone.out)
    assert.is_true(alone.out == beside.out)
    assert.matches("e\1\n$", beside.err)
  end)

  it("keeps pid, descriptors and children as they are", function()
    local beside = wrapped(probe, flags)
    local alone = seen(probe)
    assert.are.equal(beside.pid, beside.out:match "^pid (%d+)\n")
    assert.matches("\nwait %-1 ECHILD\n", beside.out)
    local function descriptors(text)
      local list = {}
      for line in text:gmatch "\n(fd %d+)" do
        list[#list + 1] = line
      end
      return list
    end
    assert.are.same(descriptors(alone.out), descriptors(beside.out))
  end)

  it("delivers many signals in order", function()
    local command = "sh -c " .. quote [[n=0; trap 'n=$((n+1))' USR1; i=0
      while [ $i -lt 200 ]; do kill -USR1 $$; i=$((i+1)); done; echo $n]]
    assert.are.equal("200\n", wrapped(command, flags).out)
  end)
end

describe("--engine=poll", function()
  local flags = "--engine=poll --processes_interval_ms=20"
  is_transparent(flags)

  it("sees programs that live long enough, and their ends, and says that it sampled", function()
    local result, events = watch(flags, [[sleep 987 & await '"987"'; kill $!; wait; await 'process.exit.*"987"'; exit 3]])
    assert.are.equal(3, result.code)
    local execs = of(events, "process.exec", "987")
    assert.are.equal(1, #execs)
    local process = execs[1].process
    assert.is_true(execs[1].sampled)
    assert.matches("/sleep$", process.exe)
    assert.are.equal("sleep 987", process.cmdline)
    assert.are.equal("bash", process.parent.name)
    local exits = of(events, "process.exit", "987")
    assert.are.equal(1, #exits)
    -- How it ended is known from Linux 6.15 on; a wrong answer is not to be had.
    assert.is_nil(exits[1].process.exit_code)
    assert.is_true(exits[1].process.exit_signal == 15 or exits[1].process.exit_signal == nil)
  end)

  it("sees another program in the same process", function()
    local _, events = watch(flags, [[sh -c 'until grep -q "before mark\"\]" $0; do :; done; exec sleep 986' $events 'before mark' &
      await '"986"'; kill $!; wait]])
    local execs = of(events, "process.exec", "986")
    assert.are.equal(1, #execs)
    assert.are.equal("sh", of(events, "process.exec", "before mark")[1].process.name)
    assert.are.equal(of(events, "process.exec", "before mark")[1].process.pid, execs[1].process.pid)
  end)

  it("does not take a fork for a new program", function()
    local _, events = watch(flags, [[(until grep -q "process.fork.*\"pid\":$BASHPID," $events; do :; done); :]])
    assert.are.equal(1, #support.filter(events, function(event)
      return event.kind == "process.exec" and event.process.name == "bash"
    end))
  end)

  it("sees who comes into the container from elsewhere, and never moonwatch", function()
    if not support.has_namespaces then
      pending "no PID namespaces here"
    end
    -- The shell before it is older, and so is one sleep; the other is born when the application runs.
    local go = support.new_path()
    local elsewhere = ("rm -f %s; mkfifo %s; sleep 985 & ( read -r _ <%s; sleep 984; : ) &"):format(go, go, go)
    local script = ([[echo >%s; await '"984"'; %%s exit 3]]):format(go)
    local result, events = watch(flags, script:format "", elsewhere)
    assert.are.equal(3, result.code)
    assert.are.equal(0, #of(events, "process.exec", "985"))
    assert.are.equal(0, #support.filter(events, function(event)
      return event.process and event.process.name and event.process.name:match "^moonwatch"
    end))
    result = watch(flags .. " --attach", script:format [[await '"985"';]], elsewhere)
    assert.are.equal(3, result.code)
  end)

  it("needs no privilege at all", function()
    local nobody = ("%s setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all"):format(
      noptrace)
    run(("chmod 755 %s"):format(support.tmp))
    local result, events = watch(flags, [[sleep 983 & await '"983"'; kill $!; wait; await 'process.exit.*"983"'; exit 4]],
      "cd / && " .. nobody)
    assert.are.equal(4, result.code, result.err)
    local process = of(events, "process.exec", "983")[1].process
    assert.are.equal(65534, process.uid)
    assert.are.equal("sleep 983", process.cmdline)
    assert.are.equal(1, #of(events, "process.exit", "983"))
  end)

  it("loses only itself when its tracer is killed", function()
    local result = watch(flags, [[find moonwatch-trace; kill -KILL $pid; while [ -d /proc/$pid ]; do :; done; echo on; exit 5]])
    assert.are.equal(5, result.code)
    assert.are.equal("on\n", result.out)
  end)
end)

describe("--engine=notify", function()
  local flags = "--engine=notify"
  is_transparent(flags)

  it("sees programs and their ends as they happen, with their exit codes", function()
    local result, events = watch(flags, [[for i in 1 2 3 4 5; do sh -c 'exit $1' mark $i; done; /nonexistent; exit 7]])
    assert.are.equal(7, result.code)
    local codes = {}
    for _, event in ipairs(of(events, "process.exec", "mark")) do
      assert.is_nil(event.sampled)
      assert.matches("/[a-z]*sh$", event.process.exe)
      assert.are.equal("bash", event.process.parent.name)
    end
    for _, event in ipairs(of(events, "process.exit", "mark")) do
      codes[#codes + 1] = event.process.exit_code
    end
    assert.are.same({ 1, 2, 3, 4, 5 }, codes)
    assert.are.equal(7, support.filter(events, function(event)
      return event.kind == "process.exit" and event.process.name == "bash" and event.process.exit_code == 7
    end)[1].process.exit_code)
  end)

  it("sees every program of a storm, once", function()
    local result, events = watch(flags, program "storm" .. " 500")
    assert.are.equal(0, result.code)
    local seen_numbers = {}
    for _, event in ipairs(events) do
      local argv = event.kind == "process.exec" and event.process.argv
      if argv and argv[1] == "/bin/true" then
        assert.is_nil(seen_numbers[argv[2]], "twice: " .. argv[2])
        seen_numbers[argv[2]] = true
      end
    end
    for i = 0, 499 do
      assert.is_true(seen_numbers[tostring(i)], "not seen: " .. i)
    end
  end)

  it("sees what is written to and reached, by everybody, as attempts", function()
    local file = support.new_path()
    local _, events = watch(flags, ([[: <%s 2>/dev/null; echo x >%s; cat <%s >/dev/null; rm %s; : 2>/dev/null >/dev/tcp/127.0.0.1/9]])
      :format(file, file, file, file))
    local function attempts(kind, wanted)
      return support.filter(events, function(event)
        return event.kind == kind and event.call and wanted(event)
      end)
    end
    local function is_file(event)
      return event.file.path == file
    end
    local created = attempts("file.create", is_file)
    assert.are.equal(1, #created)
    assert.is_true(created[1].call.attempt)
    assert.is_true(created[1].file.write)
    assert.is_nil(created[1].call.result)
    assert.are.equal("bash", created[1].process.name)
    assert.are.equal(0, #attempts("file.open", is_file), "reading is not asked about")
    assert.are.equal("rm", attempts("file.delete", is_file)[1].process.name)
    assert.are.equal(1, #attempts("socket.connect", function(event)
      return event.socket.remote_address == "127.0.0.1" and event.socket.remote_port == 9
    end))
  end)

  it("lets nobody be traced or stopped for long, also when execve fails", function()
    local result = watch(flags, [[for i in 1 2 3; do env no-such-program 2>/dev/null; done
      shopt -s execfail; exec /nonexistent 2>/dev/null
      while grep -q '^TracerPid:.[1-9]' /proc/$$/status; do :; done; echo free]])
    assert.are.equal("free\n", result.out)
  end)

  it("tells of programs that could not be executed, once each, and not of the entrypoint's own search", function()
    local _, events = watch(flags, [[env PATH=/nope:/nada no-such-program 2>/dev/null
      shopt -s execfail; exec /nonexistent 2>/dev/null; exit 3]])
    local paths = {}
    for _, event in ipairs(events) do
      if event.kind == "process.exec-failed" then
        assert.is_true(event.call.attempt)
        paths[#paths + 1] = event.file.path
      end
    end
    table.sort(paths)
    assert.are.same({ "/nada/no-such-program", "/nonexistent", "/nope/no-such-program" }, paths)
  end)

  it("lets a program with threads execute, and end", function()
    for what, how in pairs { many = "exit 0", exec = "exit 0", leader = "exit 0", exit = "exit 7" } do
      local beside = wrapped(program "threads" .. " " .. what, flags)
      assert.are.equal(how .. " stops 0", beside.how)
      assert.are.equal(what == "exec" and "from a thread\n" or "", beside.out)
    end
  end)

  it("leaves tracing to the application", function()
    for _, how in ipairs { "traceme", "attach", "read" } do
      local command = program "ptraces" .. " " .. how
      local alone = seen(command)
      local beside = wrapped(command, flags)
      assert.matches("works", beside.out)
      assert.are.same({ alone.how, alone.out }, { beside.how, beside.out })
    end
  end)

  it("holds PID 1 at its end until all is saved", function()
    if not support.has_namespaces then
      pending "no PID namespaces here"
    end
    local _, events = watch(flags, "/bin/true last; exit 8", "unshare -pf --mount-proc --propagation unchanged")
    assert.are.equal(1, #of(events, "process.exec", "last"))
    assert.are.equal(1, #support.filter(events, function(event)
      return event.kind == "process.exit" and event.process.pid == 1 and event.process.exit_code == 8
    end))
  end)

  it("goes on when the tracer is killed: calls are answered by the guard", function()
    local file = support.new_path()
    local result = watch(flags, ([[find moonwatch-trace; kill -KILL $pid; while [ -d /proc/$pid ]; do :; done
      for i in $(seq 50); do echo $i >%s; /bin/true || exit 9; done; cat %s; exit 5]]):format(file, file))
    assert.are.equal(5, result.code)
    assert.are.equal("50\n", result.out)
  end)

  it("goes on when the tracer is killed again and again in the middle of calls", function()
    local result = watch(flags, program "storm" .. [[ 300 & storm=$!; find moonwatch-trace; kill -KILL $pid; wait $storm; echo $?]])
    assert.are.equal("0\n", result.out)
  end)

  it("goes on when the tracer is stopped: the guard ends it, and answers", function()
    local result = watch(flags, [[find moonwatch-trace; kill -STOP $pid; /bin/true || exit 9; echo on >&2; exit 5]])
    assert.are.equal(5, result.code)
    assert.matches("on\n$", result.err)
  end)

  it("goes on when the guard is killed: the tracer answers", function()
    local result = watch(flags, [[find moonwatch-guard; kill -KILL $pid; while [ -d /proc/$pid ]; do
      grep -q '^State:.Z' /proc/$pid/status && break; done; for i in $(seq 20); do /bin/true || exit 9; done; exit 5]])
    assert.are.equal(5, result.code)
  end)

  it("leaves the application no descriptor of the filter", function()
    local result = watch(flags, [[ls -l /proc/$$/fd | grep -c seccomp; exit 0]])
    assert.are.equal("0\n", result.out)
  end)

  it("says what it costs without CAP_SYS_ADMIN, and works", function()
    local result, events = watch(flags, [[grep NoNewPrivs /proc/self/status; /bin/true mark; exit 4]],
      "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin")
    assert.are.equal(4, result.code)
    assert.matches("^NoNewPrivs:%s1\n", result.out)
    assert.matches("^moonwatch: %-%-engine=notify takes no_new_privs here: setuid programs [^\n]+\n$", result.err)
    assert.are.equal(1, #of(events, "process.exec", "mark"))
  end)

  it("keeps setuid programs with it", function()
    local result = watch(flags, [[grep NoNewPrivs /proc/self/status]])
    assert.matches("^NoNewPrivs:%s0\n", result.out)
    assert.are.equal("", result.err)
  end)

  it("finds by looking what ptrace must not tell", function()
    local result, events = watch(flags .. " --processes_interval_ms=20", [[sleep 981 & await '"981"'; kill $!; exit 6]], noptrace)
    assert.are.equal(6, result.code)
    assert.is_true(of(events, "process.exec", "981")[1].sampled)
  end)

  it("falls back, with a line that says why, below another one of its kind", function()
    local result, events = watch(flags, "/bin/true mark; exit 6", program "listener")
    assert.are.equal(6, result.code)
    assert.matches("^moonwatch: seccomp user notification is refused %(another program has it already%)[^\n]+ptrace[^\n]*\n$",
      result.err)
    assert.are.equal(1, #of(events, "process.exec", "mark"))
  end)
end)

describe("--engine=auto", function()
  it("is ptrace where that is allowed, without a word", function()
    local result, events = watch("--engine=auto", "/bin/true mark; exit 6")
    assert.are.equal(6, result.code)
    assert.are.equal("", result.err)
    assert.is_nil(of(events, "process.exec", "mark")[1].sampled)
  end)

  it("is poll where it is not, with one line that says why", function()
    local result, events = watch("--engine=auto --processes_interval_ms=20", [[sleep 982 & await '"982"'; kill $!; exit 6]],
      noptrace)
    assert.are.equal(6, result.code)
    assert.matches("^moonwatch: ptrace is refused %(Operation not permitted%); add the capability SYS_PTRACE[^\n]+/proc[^\n]+\n$",
      result.err)
    assert.is_true(of(events, "process.exec", "982")[1].sampled)
  end)

  it("is not what --engine=ptrace means: that is refused, and nothing is seen", function()
    local result, events = watch("--engine=ptrace", "exit 6", noptrace)
    assert.are.equal(6, result.code)
    assert.matches("^moonwatch: process events are off: ptrace is refused[^\n]+\n$", result.err)
    assert.are.equal(0, #events)
  end)
end)
