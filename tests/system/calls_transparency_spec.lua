-- Under attention `calls` every system call of a program stops it twice.  The programs that are hard for a tracer must not feel it.
-- What each of them shows is checked where it is run without, in the other specs.  `threads alive` is not among them: with 2,000
-- threads to look through, each wait of the tracer takes so long that a busy machine needs half a minute.
local support = require "tests.system.support"

describe("under attention `calls`", function()
  local flags

  setup(function()
    local profile = support.new_path() .. ".lua"
    support.write(profile, 'return { extends = "default", attention = { default = "calls" } }\n')
    -- 0: whatever it costs.
    flags = ("--profile=%s --attention_stops_per_s=0 --attention_cpu_percent=0"):format(profile)
  end)

  for _, case in ipairs {
    { "signals", "queue", "wait", "handled", "actions", "inherit", "faults", "timers", "children", "unwaited" },
    { "stops", "each", "rounds", "threads", "group", "handler", "kill", "orphan" },
    { "filtered", "errno", "kill", "killthread", "trap", "trace", "notify", "strict" },
    { "children", "vfork", "spawn", "clone", "wait", "birth", "orphans", "storm", "reaper" },
    { "execs", "again 100", "failures", "memfd /bin/echo x", "deleted /bin/echo x" },
    { "threads", "exec", "leader", "exit", "forkexec", "busyexit", "kill" },
    { "ptraces", "read" },
  } do
    local name = case[1]
    it("all is the same to " .. name, function()
      for i = 2, #case do
        local seen = support.same(support.program(name) .. " " .. case[i], nil, flags)
        local first = support.await_event(seen, function(event)
          return event.kind == "process.exec"
        end)
        assert.are.equal("calls", first.process.attention)
      end
    end)
  end
end)
