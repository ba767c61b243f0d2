-- Signals: none is lost, none is added, and each carries what it carries without the sensor.
local support = require "tests.system.support"

local run, same, program = support.run, support.same, support.program

local signals = program "signals"

describe("signals", function()
  it("that are real-time arrive in order, with their values", function()
    for _, how in ipairs { "queue", "wait" } do
      local beside = same(signals .. " " .. how)
      assert.are.equal("exit 0 stops 0", beside.how)
      assert.matches("^min%+0 value 0 code %-1 from child 1 uid %d+\nmin%+0 value 4 code", beside.out)
      assert.matches("\nmin%+3 value %d+ code %-1 from child 1 uid %d+\n$", beside.out)
    end
  end)

  it("reach their handlers, every one of them", function()
    local beside = same(signals .. " handled")
    local _, lines = beside.out:gsub("signal %d+: 2, code %-6 own 1, code %-1 own 1\n", "")
    assert.are.equal(60, lines, beside.out)
  end)

  it("without a handler do what they do", function()
    local beside = same(signals .. " actions")
    assert.matches("signal 15: killed by 15\n", beside.out, 1, true)
    assert.matches("signal 17: exit 0\n", beside.out, 1, true)
    assert.matches("signal 20: stopped by 20, exit 0\n", beside.out, 1, true)
    assert.matches("signal 64: killed by 64\n", beside.out, 1, true)
  end)

  it("stay ignored, blocked and pending across execve", function()
    local beside = same(signals .. " inherit")
    assert.matches("pending 10 value -1\npending 35 value 10\npending 35 value 11\npending 35 value 12\n", beside.out, 1, true)
  end)

  it("of faults reach their handlers, each with the address", function()
    assert.are.equal("closed page 1000 code 2\nbeyond the file 1000 code 2\n", same(signals .. " faults").out)
  end)

  it("of timers arrive", function()
    assert.are.equal("interval timer: code 128\ntimer: code -2 value 77\n", same(signals .. " timers").out)
  end)

  it("of children say what became of the child", function()
    local beside = same(signals .. " children")
    assert.matches("^stops: signal 17 code 5 status 19 own 1\ngoes on: signal 17 code 6 status 18 own 1\n"
      .. "ends: signal 17 code 1 status 3 own 1\nstatus 300\n", beside.out)
  end)

  it("of children may be ignored, and then nobody is waited for", function()
    assert.are.equal("wait -1 ECHILD status -1\n", same(signals .. " unwaited").out)
  end)

  -- A wrapper that stays the parent has to pass signals on; ones are known that passed on the first only, or a few kinds only.
  it("from outside reach the application: every kind, each time, from the sender", function()
    local alone = run(("%s send %s receive"):format(signals, signals))
    local beside = run(("%s send %s run --state_dir=%s -- %s receive"):format(signals, support.moonwatch,
      support.new_path(), signals))
    assert.are.equal(0, alone.code, alone.err)
    assert.matches("\n10u\n10u\n10u\n", alone.out)
    assert.matches("\n64u\n64u\n64u\n15u\n15u\nstatus 0\n$", alone.out)
    assert.are.same(alone, beside)
  end)
end)

-- A signal that is ignored by default (SIGCHLD, SIGCONT, SIGURG, SIGWINCH) is dropped by the kernel when it is sent, but not to a
-- process that is traced: then it is delivered, does nothing, and the call that it interrupted begins again or, where the
-- kernel cannot do that, fails with EINTR.  A tracer cannot change this; so this is a list of what is known, to see it change.
-- Without the sensor, none of these is interrupted.
describe("a signal that is ignored by default", function()
  local interrupts = {
    accept = false,
    ["accept-timeout"] = true, -- by SO_RCVTIMEO
    clock_nanosleep = false,
    epoll_wait = true,
    ["fcntl-setlkw"] = false,
    flock = false,
    futex = false,
    io_getevents = true,
    msgrcv = false,
    nanosleep = false,
    pause = false,
    poll = false,
    ppoll = false,
    ["read-eventfd"] = false,
    ["read-inotify"] = false,
    ["read-pipe"] = false,
    ["read-timerfd"] = false,
    recv = false,
    ["recv-timeout"] = true, -- by SO_RCVTIMEO
    select = false,
    sem_wait = false,
    semop = true,
    semtimedop = true,
    send = false,
    ["send-timeout"] = true, -- by SO_SNDTIMEO
    sigsuspend = false,
    sigtimedwait = true,
    wait4 = false,
  }

  local function results(seen)
    assert.are.equal("exit 0 stops 0", seen.how, seen.err)
    local found = {}
    for call, signal, result in seen.out:gmatch "(%S+) (%S+) ([^\n]+)\n" do
      found[call .. " " .. signal] = result
    end
    return found
  end

  it("interrupts the calls that it is known to interrupt, and only those", function()
    local alone, beside = {}, {}
    for call, is_interrupted in pairs(interrupts) do
      for _, signal in ipairs { "CHLD", "CONT", "URG", "WINCH" } do
        alone[call .. " " .. signal] = "goes on"
        beside[call .. " " .. signal] = is_interrupted and "eintr" or "goes on"
      end
    end
    assert.are.same(alone, results(support.alone(program "eintr")))
    assert.are.same(beside, results(support.beside(program "eintr")))
  end)
end)
