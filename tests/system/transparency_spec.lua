-- The application must not feel the sensor: each case runs alone and under `moonwatch run`, and what its parent and it
-- itself can see is compared.
local support = require "tests.system.support"

local run, quote, program = support.run, support.quote, support.program

--- Run `command` as a child of program `child`; what it, its parent and its files say.
local function seen(command)
  local out, err = support.tmp .. "/out", support.tmp .. "/err"
  local parent = run(("%s %s %s %s"):format(program "child", out, err, command))
  assert.are.equal(0, parent.code, parent.err)
  local pid, ppid, how = parent.out:match "^pid (%d+) ppid (%d+) (.-)\n$"
  return { pid = pid, ppid = ppid, how = how, out = support.read(out), err = support.read(err) }
end

--- The same under the sensor.  Alerts go to the spool alone, so that standard error is the application's.
local function wrapped(command, flags)
  return seen(("%s run --state_dir=%s --outputs=alerts/json:file=%s %s -- %s"):format(support.moonwatch,
    support.new_path(), support.new_path(), flags or "", command))
end

local probe = program "probe"

describe("moonwatch run", function()
  for _, code in ipairs { 0, 1, 42, 255 } do
    it("passes on exit code " .. code, function()
      local command = ("%s exit %d"):format(probe, code)
      assert.are.equal("exit " .. code .. " stops 0", seen(command).how)
      assert.are.equal("exit " .. code .. " stops 0", wrapped(command).how)
    end)
  end

  for name, number in pairs { SIGTERM = 15, SIGKILL = 9, SIGSEGV = 11, SIGRTMIN = 34 } do
    it("passes on death by " .. name, function()
      local command = ("%s signal %d"):format(probe, number)
      local alone = seen(command)
      assert.matches("^signal " .. number, alone.how)
      local beside = wrapped(command)
      assert.are.equal(alone.how, beside.how)
      assert.are.equal(alone.out, beside.out)
    end)
  end

  it("lets the parent see that the application stops", function()
    local command = probe .. " stop"
    assert.are.equal("exit 0 stops 1", seen(command).how)
    assert.are.equal("exit 0 stops 1", wrapped(command).how)
  end)

  it("passes standard output and error byte for byte", function()
    local command = "sh -c " .. quote [[printf 'a\0b\377\n'; printf 'e\001\n' >&2; head -c 300000 /dev/zero; cat]]
    local alone, beside = seen(command), wrapped(command)
    assert.are.equal(300005, #alone.out)
    assert.is_true(alone.out == beside.out)
    assert.are.equal("e\1\n", beside.err)
    assert.are.equal(alone.err, beside.err)
  end)

  it("leaves no trace in what a process can learn of itself", function()
    local setting = "umask 027; ulimit -n 333; trap '' HUP; cd /usr; exec 7</etc/passwd; exec env -u _ A=1 nice -n 3 "
    local alone = seen("sh -c " .. quote(setting .. probe))
    local beside = seen("sh -c " .. quote(setting .. ("%s run --state_dir=%s --outputs=alerts/json:file=%s -- %s")
      :format(support.moonwatch, support.new_path(), support.new_path(), probe)))
    assert.matches("\npgrp ", alone.out)
    assert.matches("\nfd 7 /etc/passwd\n", alone.out)
    assert.matches("\nwait %-1 ECHILD\n", alone.out)
    assert.matches("\nenv A=1\n", alone.out)
    -- Each has its own ids, and they are those its parent knows.
    for _, result in ipairs { alone, beside } do
      assert.are.equal(result.pid, result.out:match "^pid (%d+)\n")
      assert.are.equal(result.ppid, result.out:match "\nppid (%d+)\n")
    end
    local bounding = "\nCapBnd:%s*(%x+)\n"
    local before = tonumber(alone.out:match(bounding), 16)
    local after = tonumber(beside.out:match(bounding), 16)
    assert.are.equal(before & ~(1 << 19), after, "all capabilities but SYS_PTRACE (19) stay in the bounding set")
    local function without_ids(text)
      return (text:gsub("^pid %d+\nppid %d+\n", ""):gsub(bounding, "\n"))
    end
    assert.are.equal(without_ids(alone.out), without_ids(beside.out))
  end)

  it("keeps PID 1 as PID 1, with PID 1's wait", function()
    if not support.has_namespaces then
      pending "no PID namespaces here"
    end
    local namespace = "unshare -pf --mount-proc --propagation unchanged "
    local facts = "sh -c " .. quote("echo $$; exec " .. probe)
    local alone = run(namespace .. facts)
    local beside = run(namespace .. ("%s run --state_dir=%s -- %s"):format(support.moonwatch, support.new_path(),
      facts))
    assert.matches("^1\npid 1\nppid 0\n", alone.out)
    assert.matches("^1\npid 1\nppid 0\n", beside.out)
    assert.matches("\nwait %-1 ECHILD\n", beside.out)
  end)

  it("does not hold a pipe open that the application has closed by ending", function()
    local result = run(support.moonwatch .. " run --state_dir=" .. support.new_path() .. " -- sh -c 'echo x' | cat")
    assert.are.equal("x\n", result.out)
  end)

  it("delivers many signals in order", function()
    local command = "sh -c " .. quote [[n=0; trap 'n=$((n+1))' USR1; i=0
      while [ $i -lt 200 ]; do kill -USR1 $$; i=$((i+1)); done; echo $n]]
    assert.are.equal("200\n", seen(command).out)
    assert.are.equal("200\n", wrapped(command).out)
  end)

  it("lets setuid programs keep their privilege", function()
    local copy = support.new_path()
    assert.are.equal(0, run(("cp %s %s && chmod 4755 %s && chmod 755 %s"):format(probe, copy, copy, support.tmp)).code)
    local command = "sh -c " .. quote("setpriv --reuid 65534 --clear-groups " .. copy .. " | grep ^Uid")
    local alone, beside = seen(command), wrapped(command)
    assert.matches("^Uid:%s+65534%s+0%s+0%s+0\n", alone.out)
    assert.are.equal(alone.out, beside.out)
  end)

  for what, how in pairs { many = "exit 0", exec = "exit 0", leader = "exit 0", exit = "exit 7" } do
    it("lets a program with threads end as it would: " .. what, function()
      local command = program "threads" .. " " .. what
      assert.are.equal(how .. " stops 0", seen(command).how)
      local beside = wrapped(command)
      assert.are.equal(how .. " stops 0", beside.how)
      assert.are.equal(what == "exec" and "from a thread\n" or "", beside.out)
    end)
  end
end)
