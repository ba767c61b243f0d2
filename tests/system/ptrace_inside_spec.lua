-- Programs below the sensor that trace others.  A process has one tracer, and it is ours.
--
-- With `--debuggers=report`, the default, whoever wants to trace is refused with EPERM, tells it in its own words, and the
-- application goes on.  With `--debuggers=yield` the known debuggers get what they ask for.
local support = require "tests.system.support"

local run, same, quote, program = support.run, support.same, support.quote, support.program

local ptraces = program "ptraces"

--- A command of the shell under the sensor.
local function wrapped(policy, command)
  return run(("%s run --debuggers=%s --state_dir=%s --outputs=alerts/json:file=%s -- sh -c %s"):format(support.moonwatch, policy,
    support.new_path(), support.new_path(), quote(command)))
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
    assert.are.equal("traceme EPERM\nexecuted\nstatus 600\n", seen.out)
    assert.are.equal(1, #support.of_kind(seen.events, "process.exec", "exec"))
  end)

  it("by attaching is refused, and the other goes on", function()
    local alone = support.alone(ptraces .. " attach")
    assert.are.equal("attach works\nstatus 9\nseize works\nstatus 9\n", alone.out)
    local seen = support.beside(ptraces .. " attach")
    assert.are.equal("exit 0 stops 0", seen.how, seen.err)
    assert.are.equal("attach EPERM\nstatus 9\nseize EPERM\nstatus 9\n", seen.out)
  end)

  it("or only reads the memory of its child, may do so", function()
    local seen = same(ptraces .. " read")
    assert.are.equal("process_vm_readv works 1234\nmem works 1234\n", seen.out)
  end)
end)

for policy, yields in pairs { report = false, yield = true } do
  describe("with --debuggers=" .. policy .. ", strace", function()
    it("of a command " .. (yields and "works" or "is refused; the shell goes on"), function()
      local trace = support.new_path()
      local result = wrapped(policy, ("strace -f -e trace=exit_group -o %s sh -c 'exit 3' 2>&1; echo was $?; exit 4"):format(trace))
      assert.are.equal(4, result.code, result.out .. result.err)
      if yields then
        assert.matches("exit_group(3)", support.read(trace), 1, true)
        assert.are.equal("was 3\n", result.out)
      else
        assert.matches("Operation not permitted", result.out, 1, true)
        assert.matches("\nwas 1\n$", result.out)
      end
    end)

    it("of a process that runs " .. (yields and "works" or "is refused; the process goes on"), function()
      local dir = support.new_path()
      local result = wrapped(policy, ([[mkdir %s; cd %s; mkfifo go
        sh -c 'read x <go; exit 5' & app=$!
        strace -e trace=exit_group -o trace -p $app 2>said & strace=$!
        until grep -q -e attached -e attach: said; do :; done
        echo >go; wait $app; echo app $?; wait $strace; echo strace $?; cat said trace]]):format(dir, dir))
      assert.are.equal(0, result.code, result.err)
      assert.matches("^app 5\n", result.out)
      if yields then
        assert.matches("exit_group(5)", result.out, 1, true)
        assert.matches("\nstrace 0\n", result.out)
      else
        assert.matches("attach: ptrace%(PTRACE_%u+, %d+%): Operation not permitted", result.out)
        assert.matches("\nstrace 1\n", result.out)
      end
    end)
  end)

  describe("with --debuggers=" .. policy .. ", gdb", function()
    it("that runs a command " .. (yields and "works" or "is refused; the shell goes on"), function()
      if missing "gdb" then
        pending "gdb is not installed: ./setup test"
      end
      local gdb = "gdb -nx -batch -ex 'set startup-with-shell off' -ex run -ex 'echo ended\\n' --args /bin/true 2>&1 </dev/null"
      assert.matches("exited normally%].*ended", run(gdb).out)
      local result = wrapped(policy, gdb .. "; exec true")
      assert.are.equal(0, result.code)
      if yields then
        assert.matches("exited normally%].*ended", result.out)
      else
        assert.matches("Operation not permitted", result.out, 1, true)
        assert.is_nil(result.out:find("exited normally", 1, true))
      end
    end)

    it("that attaches to a process " .. (yields and "works" or "is refused; the process goes on"), function()
      if missing "gdb" then
        pending "gdb is not installed: ./setup test"
      end
      local fifo = support.new_path()
      local result = wrapped(policy, ("mkfifo %s; sh -c 'read x <%s; exit 5' & gdb -nx -batch -p $! 2>&1; echo >%s; wait $!; echo then $?")
        :format(fifo, fifo, fifo))
      assert.are.equal(0, result.code)
      assert.matches("\nthen 5\n$", result.out)
      assert.are.equal(not yields, result.out:find("Operation not permitted", 1, true) ~= nil, result.out)
    end)
  end)
end
