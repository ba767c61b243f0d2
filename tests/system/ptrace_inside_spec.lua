-- Programs below the sensor that trace others.  A process has one tracer, and it is ours.
--
-- What is expected here is what is so today: whoever wants to trace is refused with EPERM, tells it in its own words, and the
-- application goes on.  `yields` says where that changes when the sensor learns to step aside.
local support = require "tests.system.support"

local run, same, quote, program = support.run, support.same, support.quote, support.program

local yields = false

local ptraces = program "ptraces"

--- A command of the shell under the sensor.
local function wrapped(command)
  return run(("%s run --state_dir=%s --outputs=alerts/json:file=%s -- sh -c %s"):format(support.moonwatch, support.new_path(),
    support.new_path(), quote(command)))
end

local function missing(name)
  return run("command -v " .. name).code ~= 0
end

describe("a program that traces", function()
  it("by PTRACE_TRACEME is refused, and its child executes all the same", function()
    local alone = support.alone(ptraces .. " traceme")
    assert.are.equal("traceme works\nstop 57f\nexecuted\nstatus 600\n", alone.out)
    local seen = support.beside(ptraces .. " traceme")
    assert.are.equal("exit 0 stops 0", seen.how, seen.err)
    assert.are.equal(yields and alone.out or "traceme EPERM\nexecuted\nstatus 600\n", seen.out)
    assert.are.equal(1, #support.of_kind(seen.events, "process.exec", "exec"))
  end)

  it("by attaching is refused, and the other goes on", function()
    local alone = support.alone(ptraces .. " attach")
    assert.are.equal("attach works\nstatus 9\nseize works\nstatus 9\n", alone.out)
    local seen = support.beside(ptraces .. " attach")
    assert.are.equal("exit 0 stops 0", seen.how, seen.err)
    assert.are.equal(yields and alone.out or "attach EPERM\nstatus 9\nseize EPERM\nstatus 9\n", seen.out)
  end)

  it("or only reads the memory of its child, may do so", function()
    local seen = same(ptraces .. " read")
    assert.are.equal("process_vm_readv works 1234\nmem works 1234\n", seen.out)
  end)
end)

describe("strace", function()
  it("of a command is refused and ends with an error; the shell goes on", function()
    local result = wrapped "strace -o /dev/null true 2>&1; echo was $?; exec true"
    assert.are.equal(0, result.code, result.err)
    if yields then
      assert.are.equal("was 0\n", result.out)
    else
      assert.matches("Operation not permitted", result.out, 1, true)
      assert.matches("\nwas 1\n$", result.out)
    end
  end)

  it("of a process that runs is refused; the process goes on", function()
    local fifo = support.new_path()
    local script = "mkfifo %s; sh -c 'read x <%s; exit 5' & strace -o /dev/null -p $! 2>&1; echo was $?; "
      .. "echo >%s; wait $!; echo then $?"
    local result = wrapped(script:format(fifo, fifo, fifo))
    if yields then
      pending "a strace that attaches does not end by itself"
    end
    assert.are.equal(0, result.code, result.err)
    assert.matches("attach: ptrace%(PTRACE_%u+, %d+%): Operation not permitted\nwas 1\nthen 5\n$", result.out)
  end)
end)

describe("gdb", function()
  it("that runs a command is refused and ends; the shell goes on", function()
    if missing "gdb" then
      pending "gdb is not installed: ./setup test"
    end
    local gdb = "gdb -nx -batch -ex 'set startup-with-shell off' -ex run -ex 'echo ended\\n' --args /bin/true 2>&1"
    assert.matches("exited normally%].*ended", run(gdb .. " </dev/null").out)
    local result = wrapped(gdb .. " </dev/null; echo was $?; exec true")
    assert.are.equal(0, result.code)
    if yields then
      assert.matches("exited normally%].*ended", result.out)
    else
      assert.matches("Operation not permitted", result.out, 1, true)
      assert.matches("was %d+\n$", result.out)
      assert.is_nil(result.out:find("exited normally", 1, true))
    end
  end)

  it("that attaches to a process is refused; the process goes on", function()
    if missing "gdb" then
      pending "gdb is not installed: ./setup test"
    end
    local fifo = support.new_path()
    local result = wrapped(("mkfifo %s; sh -c 'read x <%s; exit 5' & gdb -nx -batch -p $! 2>&1; echo >%s; wait $!; echo then $?"):format(
      fifo, fifo, fifo))
    assert.are.equal(0, result.code)
    assert.matches("\nthen 5\n$", result.out)
    assert.are.equal(not yields, result.out:find("Operation not permitted", 1, true) ~= nil, result.out)
  end)
end)
