-- `moonwatch run` with bad input, and in worlds that refuse it something.
local support = require "tests.system.support"

local run, watch, quote, moonwatch = support.run, support.watch, support.quote, support.moonwatch

local function lines(text)
  local n = 0
  for _ in text:gmatch "\n" do
    n = n + 1
  end
  return n
end

describe("moonwatch run refuses", function()
  it("an unknown flag, naming the nearest", function()
    local result = run(moonwatch .. " run --state_dri=/tmp -- true")
    assert.are.equal(2, result.code)
    assert.matches("state_dri", result.err, 1, true)
    assert.matches("state_dir", result.err, 1, true)
    assert.are.equal("", result.out)
  end)

  it("an unknown subcommand, naming the nearest", function()
    local result = run(moonwatch .. " rnu -- true")
    assert.are.equal(2, result.code)
    assert.matches("moonwatch run", result.err, 1, true)
  end)

  it("to run nothing", function()
    for _, arguments in ipairs { "run", "run --", "run --state_dir=/tmp --" } do
      local result = run(moonwatch .. " " .. arguments)
      assert.are.equal(2, result.code)
      assert.matches("usage: moonwatch run", result.err)
    end
  end)

  it("a bad outputs value before the application starts", function()
    local result = run(moonwatch .. " run --outputs=alerts/tekst:stderr -- echo started")
    assert.are.equal(78, result.code)
    assert.matches("tekst", result.err)
    assert.matches("text", result.err)
    assert.are.equal("", result.out)
  end)

  it("a bad value in the environment", function()
    local result = run("MOONWATCH_RING_SIZE_MIB=many " .. moonwatch .. " run -- echo started")
    assert.are.equal(78, result.code)
    assert.matches("ring_size_mib", result.err:lower())
  end)
end)

describe("a command", function()
  it("that is not found ends with 127", function()
    local result = watch("no-such-command-here")
    assert.are.equal(127, result.code)
    assert.are.equal("moonwatch: no-such-command-here: not found\n", result.err)
    assert.are.equal(127, (watch("/no/such/file")).code)
  end)

  it("that cannot be executed ends with 126", function()
    local path = support.new_path()
    support.write(path, "#!/bin/sh\n")
    local result = watch(path)
    assert.are.equal(126, result.code)
    assert.matches("^moonwatch: .*cannot be executed: Permission denied\n$", result.err)
    assert.are.equal(126, (watch(support.tmp)).code)
  end)
end)

describe("without permission to trace", function()
  it("the application starts all the same, and one line says so", function()
    local result = run(("%s %s run --state_dir=%s -- sh -c %s"):format(support.program "noptrace", moonwatch,
      support.new_path(), quote "grep TracerPid /proc/self/status; exit 7"))
    assert.are.equal(7, result.code)
    assert.are.equal("TracerPid:\t0\n", result.out)
    assert.are.equal(1, lines(result.err), result.err)
    assert.matches("^moonwatch: .*ptrace.*SYS_PTRACE", result.err)
  end)

  it("under another tracer, likewise", function()
    local result = run(("strace -f -o /dev/null %s run --state_dir=%s -- sh -c 'exit 8'"):format(moonwatch,
      support.new_path()))
    assert.are.equal(8, result.code)
    assert.are.equal(1, lines(result.err), result.err)
  end)
end)

describe("the state folder", function()
  it("that cannot be made is replaced by a private one", function()
    local tmp = support.new_path()
    assert.are.equal(0, run("mkdir " .. tmp).code)
    local result = run(("TMPDIR=%s %s run --state_dir=/proc/nowhere -- /bin/true"):format(tmp, moonwatch))
    assert.are.equal(0, result.code)
    assert.are.equal(1, lines(result.err), result.err)
    assert.matches("/proc/nowhere", result.err, 1, true)
    local mode = run(("stat -c '%%a %%n' %s/*"):format(tmp)).out
    assert.matches("^700 " .. tmp:gsub("%p", "%%%0") .. "/moonwatch%-%d+\n$", mode)
    local rows = support.sql(tmp .. "/" .. run("ls " .. tmp).out:match "%S+", "select path from process_events")
    assert.are.equal(1, #rows)
  end)

  it("survives damage: the bad file is set aside", function()
    local state = support.new_path()
    assert.are.equal(0, run(("mkdir -m 700 %s && head -c 20000 /dev/urandom >%s/spool.db"):format(state, state)).code)
    local result = run(("%s run --state_dir=%s -- /bin/true"):format(moonwatch, state))
    assert.are.equal(0, result.code)
    assert.matches("spool.db.bad", result.err, 1, true)
    assert.are.equal(1, #support.sql(state, "select path from process_events"))
  end)
end)

describe("output", function()
  it("of events goes to standard output when asked", function()
    local result = run(("%s run --state_dir=%s --outputs=events/text:stdout -- /bin/true marked"):format(moonwatch,
      support.new_path()))
    assert.are.equal(0, result.code)
    assert.matches("true marked", result.out, 1, true)
    assert.are.equal("", result.err)
  end)

  it("for people never drives their terminal, nor begins a line of its own", function()
    local result = run(("%s run --state_dir=%s --outputs=events/text:stdout -- /bin/true %s"):format(moonwatch,
      support.new_path(), quote "a\27[31m\nb\r\255"))
    assert.are.equal(0, result.code)
    assert.is_nil(result.out:find "[%z\1-\9\11-\31\127]")
    for line in result.out:gmatch "[^\n]+" do
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%S+ %a+%.%a+ ", line)
    end
    assert.is_truthy(utf8.len(result.out))
  end)

  it("to a file is appended in whole lines, and kept from others", function()
    local path = support.new_path()
    for _ = 1, 2 do
      assert.are.equal(0, run(("%s run --state_dir=%s --outputs=events/json:file=%s %s -- /bin/true"):format(moonwatch,
        support.new_path(), path, "--audit_allow_sockets=false")).code)
    end
    assert.are.equal(4, #support.json_lines(path))
    assert.are.equal("600\n", run("stat -c %a " .. path).out)
  end)

  it("to a file that cannot be opened is said, and the application starts", function()
    local result = run(("%s run --state_dir=%s --outputs=events/json:file=/no/such/folder/x -- sh -c 'exit 4'"):format(
      moonwatch, support.new_path()))
    assert.are.equal(4, result.code)
    assert.are.equal(1, lines(result.err), result.err)
    assert.matches("/no/such/folder/x", result.err, 1, true)
  end)
end)
