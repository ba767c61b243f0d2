-- Programs with many threads, and threads that end, execute and fork at once.
local support = require "tests.system.support"

local same, beside, of_kind, program = support.same, support.beside, support.of_kind, support.program

local threads = program "threads"

describe("threads", function()
  it("may be 2,000 at once", function()
    local seen = same(threads .. " alive")
    assert.are.equal("Threads:\t2001\n", seen.out)
    assert.are.equal(0, #of_kind(seen.events, "process.fork"))
    assert.are.equal(1, #of_kind(seen.events, "process.exit"))
  end)

  it("may execute while others fork", function()
    for _ = 1, 5 do
      local seen = same(threads .. " forkexec")
      assert.are.equal("exit 0 stops 0", seen.how)
      assert.are.equal("from a thread\n", seen.out)
      local root = seen.events[1].process.pid
      local echo = of_kind(seen.events, "process.exec", "from a thread")
      assert.are.equal(1, #echo)
      assert.are.equal(root, echo[1].process.pid)
      local ends = support.filter(of_kind(seen.events, "process.exit"), function(event)
        return event.process.pid == root
      end)
      assert.are.equal(1, #ends)
      assert.are.equal("echo", ends[1].process.name)
    end
  end)

  for what, how in pairs { busyexit = "exit 7 stops 0", kill = "signal 9 stops 0" } do
    it("may be busy when their process ends: " .. what, function()
      for _ = 1, 5 do
        local seen = beside(threads .. " " .. what)
        assert.are.equal(how, seen.how)
        assert.are.equal("", seen.err)
        local root = tonumber(seen.pid)
        local function is_end(event)
          return event.kind == "process.exit" and event.process.pid == root
        end
        -- Nothing holds the first process until all is written: SIGKILL passes its exit stop by, and so may the end of a
        -- group whose leader is just being restarted (ptrace(2), BUGS).
        local ending = support.await_event(seen, is_end)
        assert.are.equal(what == "kill" and 9 or nil, ending.process.exit_signal)
        assert.are.equal(what == "busyexit" and 7 or nil, ending.process.exit_code)
        assert.are.equal(1, #support.filter(support.json_lines(seen.events_path), is_end))
      end
    end)
  end

  -- A tracer that restarts whoever it finds first lets an older thread wait for seconds: 8 s were measured.
  it("that send signals without end do not starve another one", function()
    local seen = beside(program "spam" .. " 32 50")
    assert.are.equal("exit 0 stops 0", seen.how, seen.err)
    local longest = tonumber(seen.out)
    assert.is_true(longest < 2000, ("one round took %s ms"):format(seen.out))
  end)
end)
