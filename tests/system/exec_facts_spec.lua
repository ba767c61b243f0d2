-- What is told of a new program besides its name: what it really runs, from where, and what it is tied to.
local support = require "tests.system.support"

local filter, quote = support.filter, support.quote
local vehicle = support.program "vehicle"

--- As support.watch, but however busy the machine is, the first program is seen at its start.
local function watch(command, flags)
  return support.watch(command, "--attach_timeout_ms=10000 " .. (flags or ""))
end

--- The process of the last exec that fits.
local function exec(events, wanted)
  local found = filter(events, function(event)
    return event.kind == "process.exec" and wanted(event.process)
  end)
  return assert(found[#found], "no such exec").process
end

local function with_argument(argument)
  return function(process)
    for _, given in ipairs(process.argv or {}) do
      if given == argument then
        return true
      end
    end
  end
end

--- An executable file of that text in a new folder; its path and its folder.
local function script(text, name)
  local folder = support.new_path()
  assert(support.run("mkdir " .. folder).code == 0)
  local path = folder .. "/" .. name
  support.write(path, text)
  assert(support.run("chmod 755 " .. path).code == 0)
  return path, folder
end

describe("a script", function()
  it("is told beside its interpreter, by a path that stands alone", function()
    local path, folder = script("#!/bin/sh -e\nexit 7\n", "x.sh")
    local result, events = watch(("sh -c %s"):format(quote(("cd %s && ./x.sh marked"):format(folder))))
    assert.are.equal(7, result.code)
    local process = exec(events, with_argument "marked")
    assert.are.equal(path, process.script)
    assert.are.equal("./x.sh", process.execfn)
    assert.are.equal(support.run("realpath /bin/sh").out, process.exe .. "\n")
    assert.is_nil(process.program)
  end)

  it("is dropped when it was made after the start, and not before", function()
    local old = script("#!/bin/sh\n", "old.sh")
    local folder = support.new_path()
    local make = ("mkdir %s; printf '#!/bin/sh\\n' >%s/new.sh; chmod 755 %s/new.sh; %s/new.sh new; %s old"):format(folder,
      folder, folder, folder, old)
    local _, events = watch("sh -c " .. quote(make))
    local process = exec(events, with_argument "new")
    assert.are.equal(folder .. "/new.sh", process.script)
    assert.is_true(process.dropped)
    process = exec(events, with_argument "old")
    assert.are.equal(old, process.script)
    assert.is_nil(process.dropped)
  end)

  it("is none when a program is given itself", function()
    local _, events = watch("/bin/cat /bin/cat")
    local process = exec(events, with_argument "/bin/cat")
    assert.is_nil(process.script)
    assert.is_nil(process.dropped)
    assert.is_nil(process.fileless)
  end)

  it("without a name is fileless", function()
    local path = script("#!/bin/sh\nexit 3\n", "x.sh")
    local result, events = watch(("%s script %s marked"):format(vehicle, path))
    assert.are.equal(3, result.code)
    local process = exec(events, with_argument "marked")
    assert.matches("^/dev/fd/%d+$", process.script)
    assert.is_true(process.fileless)
    assert.is_nil(process.memfd)
    assert.is_nil(process.deleted) -- the interpreter is not
  end)
end)

describe("a dynamic loader", function()
  it("is told with the program it is to load", function()
    local loader = support.run("ldd /bin/true").out:match "(/%S*/ld%S*) %("
    if not loader then
      return pending "/bin/true has no dynamic loader here"
    end
    local _, events = watch(("sh -c %s"):format(quote(
      ("cd /bin; %s --library-path /lib ./true marked; exit 0"):format(loader))))
    local process = exec(events, with_argument "marked")
    assert.are.equal(support.run("realpath /bin").out:match "[^\n]+" .. "/true", process.program)
    assert.matches("/ld", process.exe)
    assert.is_nil(process.script)
    assert.is_nil(exec(events, with_argument "-c").program)
  end)
end)

describe("a program", function()
  it("from memory is fileless, and a memfd", function()
    local result, events = watch(("%s memfd /bin/true marked"):format(vehicle))
    assert.are.equal(0, result.code)
    local process = exec(events, with_argument "marked")
    assert.are.equal("/memfd:vehicle (deleted)", process.exe)
    assert.is_true(process.memfd)
    assert.is_true(process.deleted)
    assert.is_true(process.fileless)
  end)

  it("without a name is fileless, and deleted", function()
    local result, events = watch(("%s deleted /bin/true marked"):format(vehicle))
    assert.are.equal(0, result.code)
    local process = exec(events, with_argument "marked")
    assert.is_true(process.deleted)
    assert.is_true(process.fileless)
    assert.is_nil(process.memfd)
  end)

  it("in /dev/shm is fileless", function()
    local result, events = watch(("%s shm /bin/true marked"):format(vehicle))
    if result.code ~= 0 then
      return pending "/dev/shm cannot be written or holds no programs"
    end
    local process = exec(events, function(process)
      return process.exe:find "^/dev/shm/"
    end)
    assert.is_true(process.fileless)
    assert.is_nil(process.deleted)
  end)

  it("that was copied is dropped, the one it was copied from is not", function()
    local path = support.new_path()
    local _, events = watch("sh -c " .. quote(("cp /bin/true %s; %s copied; /bin/true plain"):format(path, path)))
    assert.is_true(exec(events, with_argument "copied").dropped)
    local plain = exec(events, with_argument "plain")
    assert.is_nil(plain.dropped)
    assert.is_nil(plain.fileless)
  end)
end)

-- They are read of processes under attention `calls`: of shells, after the start-up phase.
describe("standard streams", function()
  local at_once = "--attention_startup_ms=0"

  it("are told by kind: pipe, file, null, closed, terminal", function()
    local file = support.new_path()
    local _, events = watch("sh -c " .. quote(
      ("sh -c : a </dev/null >%s | sh -c 'read x' b; sh -c : c <&- 2>&1 | :"):format(file)), at_once)
    local a = exec(events, with_argument "a")
    assert.are.equal("null", a.stdin.type)
    assert.are.equal("file", a.stdout.type)
    assert.are.equal(file, a.stdout.target)
    local b = exec(events, with_argument "b")
    assert.are.equal("pipe", b.stdin.type)
    assert.matches("^pipe:%[%d+%]$", b.stdin.target)
    local c = exec(events, with_argument "c")
    assert.are.equal("closed", c.stdin.type)
    assert.are.equal("pipe", c.stdout.type)
    assert.are.equal("pipe", c.stderr.type)

    local _, on_terminal = watch("script -qec " .. quote "sh -c : on; exit 0" .. " /dev/null", at_once)
    local on = exec(on_terminal, with_argument "on")
    for _, name in ipairs { "stdin", "stdout", "stderr" } do
      assert.are.equal("tty", on[name].type)
    end
  end)

  it("have the other end of a connection", function()
    local result, events, alerts = watch(("%s socket /bin/sh -c : marked"):format(vehicle), at_once)
    assert.are.equal(0, result.code)
    local process = exec(events, function(one)
      return one.name == "sh"
    end)
    local port = tonumber(result.err:match "^%d+")
    for _, name in ipairs { "stdin", "stdout" } do
      assert.are.equal("socket", process[name].type)
      assert.are.equal("127.0.0.1", process[name].remote_address)
      assert.are.equal(port, process[name].remote_port)
    end
    assert.are_not.equal("socket", process.stderr.type)
    local alert = filter(alerts, function(one)
      return one.rule.id == "reverse_shell_stdio"
    end)[1]
    assert.matches("127.0.0.1:" .. port, alert.message, 1, true)

    local _, others, no_alerts = watch(("%s unix /bin/sh -c : marked"):format(vehicle), at_once)
    process = exec(others, function(one)
      return one.name == "sh"
    end)
    assert.are.equal("socket", process.stdin.type)
    assert.is_nil(process.stdin.remote_address)
    assert.are.same({}, filter(no_alerts, function(one)
      return one.rule.id == "reverse_shell_stdio"
    end))
  end)
end)

describe("the environment", function()
  it("has no secrets, where all of it is told", function()
    local result, events = watch("env DB_PASSWORD=hunter2 PLAIN=visible U=http://a:hunter2@b /bin/true marked",
      "--exec_environment=all")
    assert.are.equal(0, result.code)
    local process = exec(events, function(one)
      return one.name == "true"
    end)
    local found = {}
    for _, variable in ipairs(process.env or {}) do
      found[variable:gsub("%x%x%x%x%x%x%x%x", "DIGITS")] = true
      assert.is_nil(variable:find("hunter2", 1, true), variable)
    end
    assert.is_true(found["DB_PASSWORD=[redacted:DIGITS]"])
    assert.is_true(found["PLAIN=visible"])
    assert.is_true(found["U=[redacted:DIGITS]"])
    for _, event in ipairs(events) do
      local cmdline = event.process and event.process.cmdline or ""
      assert.is_nil(cmdline:find("hunter2", 1, true), cmdline)
    end
  end)
end)

describe("the hash", function()
  local expected = support.run("sha256sum </bin/true").out:match "%x+"

  it("is there when it is asked for, of programs that have ended, too", function()
    local _, events = watch("sh -c '/bin/true; /bin/true; /bin/true marked'", "--exec_sha256=true")
    local hashed = filter(events, function(event)
      return event.kind == "process.exec" and event.process.name == "true"
    end)
    assert.are.equal(3, #hashed)
    for _, event in ipairs(hashed) do
      assert.are.equal(expected, event.process.sha256)
    end
    local _, plain = watch("/bin/true marked")
    assert.is_nil(exec(plain, with_argument "marked").sha256)
  end)

  it("is read when a rule asks, and then is told", function()
    local dir = support.new_path()
    assert.are.equal(0, support.run("mkdir " .. dir).code)
    support.write(dir .. "/known_bad.lua", ([[
      return {
        id = "known_bad", summary = "s", why = "w", on = { "process.exec" }, severity = "high", attack = { "T1204" },
        match = function(event)
          return event.process.name == "true" and event.process.sha256 == "%s"
        end,
        examples = {
          { expect = true, event = { process = { name = "true", sha256 = "%s" } } },
          { expect = false, event = { process = { name = "true", sha256 = "00" } } },
        },
      }]]):format(expected, expected))
    local _, _, alerts = watch("sh -c '/bin/true; /bin/echo x'", "--rules_dir=" .. dir)
    local found = filter(alerts, function(alert)
      return alert.rule.id == "known_bad"
    end)
    assert.are.equal(1, #found)
    assert.are.equal(expected, found[1].process.sha256)
  end)
end)
