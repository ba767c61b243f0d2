-- The demonstration of a task on ECS: it tells a story whose every step it checks, so here is only seen to that it says what came of it.
local support = require "tests.system.support"

local run = support.run

-- What `make dist` makes, else the program that is tested, in images with its libraries.
local function tree()
  local dist = ("dist/%s/opt/moonwatch"):format(run("uname -m").out:match "%S+")
  if os.execute(("test -x %s/bin/moonwatch"):format(dist)) then
    return dist
  end
  if run("ldd " .. support.moonwatch).out:find("san.so", 1, true) then
    return nil, "a sensor with a sanitizer's libraries does not run in its images"
  end
  return support.build
end

local function command(more)
  local where, why = tree()
  return where and ("container/demo-ecs/run %s %s %s"):format(support.build, where, more or ""), why
end

local function left()
  return run("ls -d $TMPDIR/moonwatch-ecs.*; find /sys/fs/cgroup -maxdepth 2 -name 'moonwatch-ecs-*'").out
end

describe("the demonstration of ECS", function()
  it("goes through all its steps, and leaves nothing behind", function()
    local line, why = command()
    if not line then
      pending(why)
      return
    end
    local result = run(line)
    if result.code == 77 then
      pending(result.err:match "[^\n]+\n?$")
      return
    end
    assert.are.equal(0, result.code, result.err .. result.out)
    assert.are.equal("", result.err)
    local _, count = result.out:gsub("\n   ok  ", "")
    assert.are.equal(19, count, result.out)
    assert.are.equal("", left())
  end)

  it("fails with the step that did not happen", function()
    local line, why = command "--without-attack"
    if not line then
      pending(why)
      return
    end
    local result = run(line)
    if result.code == 77 then
      pending(result.err:match "[^\n]+\n?$")
      return
    end
    assert.are.equal(1, result.code, result.err .. result.out)
    assert.matches("demonstration failed: step 6, An attack", result.err)
    assert.matches("this is not so: the attack succeeded", result.err)
    assert.is_nil(result.out:find("ok  ", 1, true))
    assert.are.equal("", left())
  end)

  it("leaves nothing behind when it is ended in the middle", function()
    local line, why = command()
    if not line then
      pending(why)
      return
    end
    local out, over = support.new_path(), support.new_path()
    assert(os.execute(("( %s >%s 2>&1 & echo $! >%s.pid; wait $!; echo $? >%s.new; mv %s.new %s ) &"):format(line, out, out, over, over,
      over)))
    local deadline = os.time() + 120
    local text
    repeat
      os.execute "sleep 0.1"
      text = support.read(out)
    until text:find("\n2. ", 1, true) or os.execute("test -e " .. over) or os.time() > deadline
    if os.execute("test -e " .. over) and support.read(over) == "77\n" then
      pending(text:match "[^\n]+\n?$")
      return
    end
    assert.is_truthy(text:find("\n2. ", 1, true), text)
    assert(os.execute(("kill -TERM $(cat %s.pid)"):format(out)))
    support.await(over)
    assert.are.equal("143\n", support.read(over))
    assert.are.equal("", left())
  end)
end)
