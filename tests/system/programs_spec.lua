-- Programs in languages whose run time is full of threads and signals: each runs alone and under the sensor, must end and print
-- alike, and the sensor must have told of every process it started.  Servers are in servers_spec.lua.
local real = require "tests.system.real"
local support = require "tests.system.support"

local quote, run = support.quote, support.run

--- Build something once, in a folder of the build tree that lasts.
local function build(command)
  local result = run(command)
  assert.are.equal(0, result.code, result.err)
end

--- Were `/bin/true FIRST` to `/bin/true LAST` executed, but for those whose number 10 divides?
local function assert_started(events, first, last)
  local started, count = real.executed(events, "true")
  for i = first, last do
    assert.are.equal(i % 10 ~= 0, started[tostring(i)] or false, i)
  end
  assert.are.equal((last - first + 1) * 9 // 10, count)
end

--- The body of a test that is skipped, with the reason, where `command` is not installed.
local function needing(command, body)
  return function()
    if not real.has(command) then
      pending(command .. " is not installed: ./setup programs")
    end
    body()
  end
end

describe("a program in", function()
  it("Go: goroutines, its collector's signals, 200 programs, exec by a thread", needing("go", function()
    local cache, program = support.build .. "/tests/go", support.new_path()
    build(("GOCACHE=%s GOPATH=%s GO111MODULE=off GOTOOLCHAIN=local CGO_ENABLED=0 go build -o %s %sspawn.go"):format(
      quote(cache), quote(cache), program, real.sources))
    local alone, beside = real.compare(program)
    assert.are.equal("failed 20 collected true\nfrom a goroutine\n", alone.out)
    assert.are.equal(0, alone.code)
    assert_started(beside.events, 1, 200)
    local echoes = real.executed(beside.events, "echo")
    assert.is_true(echoes["from a goroutine"])
  end))

  it("Java: threads, collector, null checks, processes, thread dump", needing("java", function()
    local dir = support.new_path()
    local compiler = real.has "javac" and "javac" or "ecj -proc:none"
    build(("mkdir %s && %s -source 11 -target 11 -d %s %sMachine.java"):format(dir, compiler, dir, real.sources))
    local out = support.new_path()
    local alone, beside = real.compare(("java -Xmx64m -cp %s Machine %s >%s; code=$?; cat %s; exit $code"):format(dir, out, out, out),
      function(text)
        return table.concat({ text:match "(result nulls .-\n)", text:match "(result starts .-\n)", text:match "(result garbage .-\n)",
          text:match "(result dump .-\n)" })
      end)
    assert.are.equal(9, alone.code)
    assert.matches("result nulls 99\nresult starts 4\nresult garbage %d+\n.*Full thread dump.*\nresult dump true\n", beside.out)
    assert_started(beside.events, 0, 39)
  end))

  it("JavaScript: worker threads, spawnSync", needing("node", function()
    local alone, beside = real.compare("node " .. real.sources .. "workers.js")
    assert.matches("^%[.*\"failed\":2,.*%]\nSIGTERM\n$", alone.out)
    assert.are.equal(3, alone.code)
    assert_started(beside.events, 0, 79)
  end))

  it("Python: a thread for each connection, a program for each request", needing("python3", function()
    local alone, beside = real.compare("python3 " .. real.sources .. "serve.py")
    assert.are.equal("80 of 80 right\n", alone.out)
    assert.are.equal(0, alone.code)
    local echoes, count = real.executed(beside.events, "echo")
    assert.are.equal(80, count)
    for i = 0, 79 do
      assert.is_true(echoes["/" .. i])
    end
  end))

  it("Python: multiprocessing and subprocess", needing("python3", function()
    local alone, beside = real.compare("python3 " .. real.sources .. "processes.py")
    assert.are.equal([[
fork 2646700
spawn 2646700
forkserver 2646700
codes 115
echoes 10000
ended by 15
ended by 9
ended by 6
stopped True
took too long 9
]], alone.out)
    assert.are.equal(11, alone.code)
    local _, shells = real.executed(beside.events, "sh")
    assert.are.equal(40 + 1, shells)
  end))
end)
