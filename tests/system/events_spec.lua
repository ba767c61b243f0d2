-- What the sensor says of processes, against what they really did.
local support = require "tests.system.support"

local watch, filter, quote, program = support.watch, support.filter, support.quote, support.program

local function of_kind(events, kind)
  return filter(events, function(event)
    return event.kind == kind
  end)
end

local function with_name(events, name)
  return filter(events, function(event)
    return event.process.name == name
  end)
end

describe("process events", function()
  it("carry every field of a small tree", function()
    local result, events = watch("sh -c " .. quote [[
      cut -d' ' -f5,6 /proc/self/stat; cd /usr; /bin/cat /dev/null; (exit 3); /bin/true 'a b' "$(printf 'c\nd')"]])
    assert.are.equal(0, result.code)
    local execs = of_kind(events, "process.exec")
    local root = execs[1]
    assert.are.equal("sh", root.process.name)

    local cat = with_name(execs, "cat")[1]
    local process = cat.process
    assert.are.same({ "/bin/cat", "/dev/null" }, process.argv)
    assert.are.equal("/bin/cat /dev/null", process.cmdline)
    assert.are.equal(support.run("realpath /bin/cat").out, process.exe .. "\n")
    assert.are.equal(tonumber(support.run("stat -L -c %i /bin/cat").out), process.inode)
    assert.are.equal("/usr", process.cwd)
    assert.are.equal(tonumber(support.run("id -u").out), process.uid)
    assert.are.equal(process.uid, process.euid)
    assert.are.equal(support.run("id -un").out, process.user .. "\n")
    assert.are.equal(support.run("id -gn").out, process.group .. "\n")
    assert.are.equal(root.process.pid, process.ppid)
    assert.are.equal(root.process.pid, process.parent.pid)
    assert.are.equal("sh", process.parent.name)
    assert.are.equal(root.process.pid, process.ancestors[1].pid)
    -- 0 for a group or session of another PID namespace, which is no id.
    local pgid, sid = result.out:match "(%d+) (%d+)"
    assert.are.same({ tonumber(pgid), tonumber(sid) }, { process.pgid or 0, process.sid or 0 })
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d+Z$", cat.time)
    assert.is_true(process.start <= cat.time)
    assert.is_nil(process.argv_truncated)

    assert.are.same({ "/bin/true", "a b", "c\nd" }, with_name(execs, "true")[1].process.argv)

    local exits = of_kind(events, "process.exit")
    local codes = {}
    for _, event in ipairs(exits) do
      codes[#codes + 1] = event.process.exit_code
      assert.is_true(event.process.duration_ms >= 0)
    end
    table.sort(codes)
    assert.are.same({ 0, 0, 0, 0, 0, 3 }, codes) -- sh, cut, cat, true, the substitution and the subshell
    assert.are.equal(root.process.pid, exits[#exits].process.pid)
    assert.are.equal(#exits, #of_kind(events, "process.fork") + 1)
  end)

  it("have ids that are unique and increase", function()
    local _, events = watch("sh -c 'for i in 1 2 3 4 5; do /bin/true; done'")
    assert.is_true(#events >= 16)
    for i = 2, #events do
      assert.is_true(events[i - 1].id < events[i].id)
    end
  end)

  it("say by which signal a process ended", function()
    local result, events = watch("sh -c " .. quote [[sh -c 'kill -SEGV $$'; sh -c 'kill -TERM $$'; exit 5]])
    assert.are.equal(5, result.code)
    local signals = {}
    for _, event in ipairs(of_kind(events, "process.exit")) do
      signals[#signals + 1] = event.process.exit_signal
    end
    assert.are.same({ 11, 15 }, signals)
  end)

  it("name the terminal, and nothing without one", function()
    local _, events = watch("script -qec " .. quote "/bin/true on" .. " /dev/null")
    local on = filter(events, function(event)
      return event.kind == "process.exec" and event.process.argv[2] == "on"
    end)[1]
    assert.matches("^pts/%d+$", on.process.tty)
    assert.is_nil(events[1].process.tty)
  end)

  it("have the program's file as it was", function()
    local _, _, _, state = watch("/bin/true")
    local rows = support.sql(state, "SELECT e.mode, e.owner_uid, e.owner_gid, e.mtime, e.ctime, e.atime, e.suid, e.euid,"
      .. " f.mode AS file_mode, f.uid, f.gid, f.mtime AS file_mtime, f.ctime AS file_ctime, f.atime AS file_atime"
      .. " FROM process_events e CROSS JOIN file f ON f.path = e.path WHERE e.syscall = 'execve' AND e.path LIKE '%/true'")
    local row = assert(rows[1])
    assert.are.equal("010" .. row.file_mode, row.mode)
    assert.are.same({ row.uid, row.gid, row.file_mtime, row.file_ctime, row.euid },
      { row.owner_uid, row.owner_gid, row.mtime, row.ctime, row.suid })
    assert.is_true(tonumber(row.atime) <= tonumber(row.file_atime))
  end)

  it("bound long argument lists and say so", function()
    local _, events = watch("sh -c " .. quote [[/bin/true $(seq 1 20000)]])
    local process = with_name(of_kind(events, "process.exec"), "true")[1].process
    assert.is_true(process.argv_truncated)
    assert.are.equal(#"/bin/true" + 1 + 108894, process.argv_total_bytes) -- seq 1 20000 | wc -c
    assert.are.equal("/bin/true", process.argv[1])
    assert.are.equal("500", process.argv[501])
    assert.is_true(#process.cmdline <= 4096)
  end)

  it("survive names that are no text", function()
    local dir = support.new_path()
    local name = dir .. "/evil\n\27[31m\255"
    assert.are.equal(0, support.run(("mkdir %s && cp /bin/true %s"):format(dir, quote(name))).code)
    local _, events = watch(quote(name) .. " " .. quote "\254\1")
    local process = of_kind(events, "process.exec")[1].process
    assert.are.equal(dir .. "/evil\n\27[31m\u{FFFD}", process.exe)
    assert.are.equal("\u{FFFD}\1", process.argv[2])
  end)

  it("tell of all 20,000 programs of a storm", function()
    local n = 20000
    local result, events, _, state = watch(("%s %d"):format(program "storm", n))
    assert.are.equal(0, result.code, result.err)
    local numbers, execs = {}, 0
    for _, event in ipairs(of_kind(events, "process.exec")) do
      if event.process.name == "true" then
        numbers[tonumber(event.process.argv[2])] = true
        execs = execs + 1
      end
    end
    assert.are.equal(n, execs)
    for i = 0, n - 1 do
      assert.is_true(numbers[i], "number " .. i)
    end
    assert.are.equal(n + 1, #of_kind(events, "process.exit"))
    assert.are.equal(n, #of_kind(events, "process.fork"))
    assert.are.equal(tostring(n), support.sql(state,
      "select count(distinct cmdline) as n from process_events where path like '%/true'")[1].n)
  end)

  it("follow programs that go on when the first has ended", function()
    local done = support.new_path()
    local events_path, state = support.new_path(), support.new_path()
    support.run(("mkfifo %s"):format(done))
    -- The daemon is released only after the application has ended.
    local command = ("%s run --state_dir=%s --outputs=events/json:file=%s -- sh -c %s"):format(support.moonwatch, state,
      events_path, quote(("setsid sh -c 'read x <%s; /bin/true late' >/dev/null 2>&1 & exit 9"):format(done)))
    assert.are.equal(9, support.run(command).code)
    support.write(done, "go\n")
    -- The sensor ends with the last process it follows, and with it the lock on nothing but time: wait for the event.
    local late
    repeat
      late = filter(support.json_lines(events_path), function(event)
        return event.kind == "process.exec" and event.process.argv[2] == "late"
      end)[1]
    until late
    assert.are.equal("sh", late.process.parent.name)
  end)

  it("are not traced for when audit_allow_process_events is off", function()
    -- Nothing holds the application at its end, so the sensor may still be starting.
    local result = support.run(("%s run --state_dir=%s --audit_allow_process_events=false -- %s"):format(support.moonwatch,
      support.new_path(), "grep TracerPid /proc/self/status"))
    assert.are.equal("TracerPid:\t0\n", result.out)
    local traced = watch("grep TracerPid /proc/self/status")
    assert.matches("^TracerPid:\t[1-9]", traced.out)
  end)
end)

describe("threads", function()
  it("are not processes", function()
    local _, events = watch(program "threads" .. " many")
    assert.are.equal(1, #of_kind(events, "process.exec"))
    assert.are.equal(0, #of_kind(events, "process.fork"))
    assert.are.equal(1, #of_kind(events, "process.exit"))
  end)

  it("that execute are told under the id of their process", function()
    local _, events = watch(program "threads" .. " exec")
    local execs = of_kind(events, "process.exec")
    assert.are.equal(2, #execs)
    assert.are.equal(execs[1].process.pid, execs[2].process.pid)
    assert.are.same({ "echo", "from a thread" }, execs[2].process.argv)
    assert.are.equal(1, #of_kind(events, "process.exit"))
  end)

  it("that end a process end it once, with its code", function()
    for what, code in pairs { exit = 7, leader = 0 } do
      local _, events = watch(program "threads" .. " " .. what)
      local exits = of_kind(events, "process.exit")
      assert.are.equal(1, #exits, what)
      assert.are.equal(code, exits[1].process.exit_code)
    end
  end)
end)
