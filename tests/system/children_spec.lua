-- Children in all the ways the kernel knows, their ends, and who is told of them: as without the sensor, and the sensor sees them.
local support = require "tests.system.support"

local same, beside, of_kind, program = support.same, support.beside, support.of_kind, support.program

local children = program "children"

--- Every birth and every end must be told once, but for the root's birth, which was before the sensor.
local function assert_books_balance(events)
  local alive, born, ended = { [events[1].process.pid] = true }, 1, 0
  for _, event in ipairs(events) do
    local pid = event.process and event.process.pid
    if event.kind == "process.fork" then
      assert.is_nil(alive[pid], "born twice: " .. pid)
      alive[pid], born = true, born + 1
    elseif event.kind == "process.exit" then
      assert.is_true(alive[pid], "ended without a birth, or twice: " .. pid)
      alive[pid], ended = nil, ended + 1
    end
  end
  assert.are.equal(born, ended)
end

describe("children", function()
  it("by vfork", function()
    local seen = same(children .. " vfork")
    assert.are.equal("memory is shared\nby vfork: leads a session 0, USR2 blocked 0, has 9 0\n"
      .. "executed: status 900\nexecuted: status 7f00\nkilled: status 9\n", seen.out)
    assert.are.equal(1, #of_kind(seen.events, "process.exec", "exec"))
    assert.are.equal(304, #of_kind(seen.events, "process.fork"))
    assert_books_balance(seen.events)
  end)

  it("by posix_spawn, system and popen", function()
    local seen = same(children .. " spawn")
    assert.matches("^spawned: leads a session 1, USR2 blocked 1, has 9 1\nspawned: status 900\nfifty failures: ENOENT\n"
      .. "nobody: %-1 ECHILD\nsystem: 600\npopen: through a pipe\npclose: 700\n$", seen.out)
    assert.are.equal(1, #of_kind(seen.events, "process.exec", "exec"))
    assert_books_balance(seen.events)
  end)

  it("by clone, told to whom its flags say", function()
    local seen = same(children .. " clone")
    assert.are.equal("unseen by wait: -1 ECHILD\nno signal: status 100\nanother signal: -1 ECHILD\nanother signal: status 200\n"
      .. "pidfd: code 1 status 3 own 1\nsiblings: 9\nshares: status 800\ncwd /usr\nnobody: -1 ECHILD\n", seen.out)
    assert.are.equal(6, #of_kind(seen.events, "process.fork"))
    assert_books_balance(seen.events)
  end)

  it("are waited for as each kind of wait says", function()
    local seen = same(children .. " wait")
    assert.matches("\n200 of 200\n$", seen.out)
    assert_books_balance(seen.events)
  end)

  it("go to a reaper, and end with their parents when they asked for it", function()
    assert.are.equal("child: status 400\norphan: status 500\nchild: status 400\norphan: status f\n",
      same(children .. " reaper").out)
  end)

  -- The guard is a child of the application's first process, cloned so that an ordinary wait does not see it.  A program that asks
  -- for every kind of child, by __WALL or __WCLONE, is told that there is one more.
  it("of every kind, by __WALL, are one more: the guard", function()
    assert.are.equal("any child: -1 ECHILD\n", support.alone(children .. " wall").out)
    assert.are.equal("any child: 0 not ended\n", beside(children .. " wall").out)
  end)
end)

-- CLONE_UNTRACED: the kernel tells a tracer nothing of such a child.
describe("a child that hides from tracers", function()
  it("is found soon, and followed from then on", function()
    assert.matches("^found 0 ms 0\nuntraced: leads a session 0", support.alone(children .. " untraced").out)
    local seen = beside(children .. " untraced")
    assert.are.equal("exit 0 stops 0", seen.how, seen.err)
    assert.matches("^found 1 ms %d+\nuntraced: leads a session 0.*\nuntraced: status 900\n$", seen.out)
    -- 100 ms on a quiet machine.
    assert.is_true(tonumber(seen.out:match "ms (%d+)") < 1500, seen.out)
    local late = support.filter(seen.events, function(event)
      return event.process and event.process.observed_late
    end)
    assert.is_true(#late > 0)
    assert.are.equal(tonumber(seen.pid), late[1].process.parent.pid)
    local exec = support.filter(of_kind(seen.events, "process.exec", "exec"), function(event)
      return event.process.argv[3] == "untraced"
    end)
    assert.are.equal(1, #exec)
    assert.are.equal(late[1].process.pid, exec[1].process.pid)
    assert.are.equal(9, support.filter(of_kind(seen.events, "process.exit"), function(event)
      return event.process.pid == late[1].process.pid
    end)[1].process.exit_code)
  end)
end)

describe("a daemon", function()
  it("leaves its first process to end at once, and is followed", function()
    local function run(how)
      local path = support.new_path()
      local seen = how(("%s daemon %s"):format(children, path))
      assert.are.equal("exit 0 stops 0", seen.how, seen.err)
      support.await(path)
      return support.read(path), seen
    end
    local alone = run(support.alone)
    assert.are.equal("own session 1, leader 0\nits child: 900\n", alone)
    local text, seen = run(beside)
    assert.are.equal(alone, text)
    support.await_event(seen, function(event)
      return event.kind == "process.exec" and event.process.argv[3] == "daemon"
    end)
  end)
end)

describe("core dumps", function()
  it("are left by who may, and told to the parent and as events", function()
    local function run(how)
      local dir = support.new_path()
      assert.are.equal(0, support.run("mkdir " .. dir).code)
      return how(("%s core %s"):format(children, dir)), support.run(("ls %s | wc -l"):format(dir)).out
    end
    local alone, files = run(support.alone)
    if not alone.out:find "dumpable: status 8b" then
      pending "no core dumps here (ulimit -c, or kernel.core_pattern)"
    end
    local seen, files_beside = run(beside)
    assert.are.equal("dumpable: status 8b\nnot dumpable: status b\n", seen.out)
    assert.are.equal(alone.out, seen.out)
    assert.are.equal(files, files_beside)
    local dumped = {}
    for _, event in ipairs(of_kind(seen.events, "process.exit")) do
      if event.process.exit_signal == 11 then
        dumped[#dumped + 1] = event.process.core_dumped or false
      end
    end
    assert.are.same({ true, false }, dumped)
  end)
end)

describe("SIGKILL", function()
  it("at birth: nobody stays behind, and no event is owed", function()
    local seen = same(children .. " birth")
    assert.are.equal("killed 500\n", seen.out)
    local exits = of_kind(seen.events, "process.exit")
    assert.are.equal(0, exits[#exits].process.exit_code)
    assert_books_balance(seen.events)
  end)

  it("to parents that fork: no child stays behind", function()
    assert.are.equal("nobody stays behind\n", same(children .. " orphans").out)
  end)

  -- A tracer is known that gave up all its processes when one request failed.
  it("during stops: who comes afterwards is seen as before", function()
    local seen = same(children .. " storm")
    assert.matches("^killed 480\nafterwards: leads a session 0", seen.out)
    assert.are.equal(1, #support.filter(seen.events, function(event)
      return event.kind == "process.exec" and event.process.argv[3] == "afterwards"
    end))
  end)
end)
