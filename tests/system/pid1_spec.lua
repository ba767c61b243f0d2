-- The application as the first process of a PID namespace, as in a container.
local support = require "tests.system.support"

local run, quote, program = support.run, support.quote, support.program

local namespace = "timeout -s KILL 20 unshare -pf --mount-proc --propagation unchanged --kill-child "
local init = program "init"

local function wrapped(command)
  local events = support.new_path()
  return ("%s run --state_dir=%s --outputs=alerts/json:file=%s,events/json:file=%s -- %s"):format(support.moonwatch,
    support.new_path(), support.new_path(), events, command), events
end

--- Alone and under the sensor, in a namespace each.
local function same(command)
  if not support.has_namespaces then
    pending "no PID namespaces here"
  end
  local beside, events = wrapped(command)
  local result = run(namespace .. command)
  assert.are.same(result, run(namespace .. beside))
  return result, support.json_lines(events)
end

describe("the first process", function()
  it("is immune to signals from within that it has no handler for", function()
    local result = same(init .. " immune")
    assert.are.equal(0, result.code)
    assert.matches("^survived 1\n.*survived 15\n.*survived 9\nsurvived 40\n$", result.out)
  end)

  -- The kernel drops it for such a process, but not for one that is traced.  Whoever traces must: the sender is within when
  -- siginfo's si_pid is not 0.
  it("is immune to SIGSTOP from within", function()
    assert.are.equal("not stopped\n", same(init .. " stop").out)
  end)

  it("gets those that it has a handler for", function()
    assert.are.equal("handled 15\nhandled 1\nhandled 10\nhandled 40\n", same(init .. " handles").out)
  end)

  it("becomes the parent of orphans", function()
    local result, events = same(init .. " orphans")
    assert.are.equal("6 ended, sum 63, then ECHILD\n", result.out)
    assert.are.equal(7, #support.of_kind(events, "process.exit"))
  end)

  it("takes all others along, and its exit code is kept; its end is told", function()
    local result, events = same(init .. " ends")
    assert.are.equal(6, result.code)
    assert.are.equal(3, #support.of_kind(events, "process.fork"))
    -- What the sampling of sockets finds comes when it comes.
    local told = support.filter(events, function(event)
      return not event.sampled
    end)
    local last = told[#told]
    assert.are.equal("process.exit", last.kind)
    assert.are.equal(1, last.process.pid)
    assert.are.equal(6, last.process.exit_code)
  end)

  it("gets signals from outside as ever: none that it does not handle, each that it does", function()
    if not support.has_namespaces then
      pending "no PID namespaces here"
    end
    -- unshare passes nothing on: the namespace's first process is its child.
    local function ended(command)
      return run(([[exec 3>&1; out=%s; mkfifo $out; %s %s >$out & exec 4<$out; read -r line <&4; echo $line
        top=$(pgrep -P $(pgrep -P $!)); kill -HUP $top; kill -USR1 $top; kill -40 $top; kill -TERM $top; wait $!; echo $?]]):format(
        support.new_path(), namespace, command))
    end
    local alone = ended(init .. " waits")
    assert.are.equal("ready\n8\n", alone.out, alone.err)
    assert.are.same(alone, ended((wrapped(init .. " waits"))))
  end)

  it("may insist on being it", function()
    local result = same("sh -c " .. quote [[[ $$ = 1 ] || exit 100; sh -c 'exit 4' & wait $!; exit $?]])
    assert.are.equal(4, result.code)
  end)
end)
