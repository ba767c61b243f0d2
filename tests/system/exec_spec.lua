-- Programs that are executed in unusual ways: what they get is what they get without the sensor, and the event says what it was.
local support = require "tests.system.support"

local run, same, of_kind, quote, program = support.run, support.same, support.of_kind, support.quote, support.program

local execs = program "execs"

--- The last program that was executed.
local function last_exec(seen)
  local list = of_kind(seen.events, "process.exec")
  return list[#list].process
end

describe("a program", function()
  it("may have 6 MB of arguments", function()
    local command = execs .. " big 60 100000"
    local alone = support.alone(command)
    if alone.how ~= "exit 0 stops 0" then
      pending("not here: " .. alone.out .. alone.err)
    end
    local seen = same(command)
    assert.matches("^arguments 62 bytes 60%d%d%d%d%d environment", seen.out)
    local process = last_exec(seen)
    assert.is_true(process.argv_truncated)
    assert.are.equal(tonumber(seen.out:match "bytes (%d+)"), process.argv_total_bytes)
    assert.are.equal("size", process.argv[2])
  end)

  it("may have 1 MB of environment, the wrapper included", function()
    local variables = {}
    for i = 1, 10 do
      variables[i] = ("A%d=$a"):format(i)
    end
    local prefix = ([[a=$(head -c 104858 /dev/zero | tr '\0' a) && env %s]]):format(table.concat(variables, " "))
    local script = support.new_path()
    support.write(script, ("#!/bin/sh\n%s \"$@\"\n"):format(prefix))
    assert.are.equal(0, run("chmod +x " .. script).code)
    local seen = same(execs .. " size", script)
    assert.is_true(tonumber(seen.out:match "environment (%d+)") > 1048576)
  end)

  it("may execute itself five hundred times, as the first process", function()
    local seen = same(execs .. " again 500")
    assert.are.equal("exit 5 stops 0", seen.how)
    local list = of_kind(seen.events, "process.exec")
    assert.are.equal(501, #list)
    for i, event in ipairs(list) do
      assert.are.equal(tostring(501 - i), event.process.argv[3])
      assert.are.equal(list[1].process.pid, event.process.pid)
    end
    assert.are.equal(1, #of_kind(seen.events, "process.exit"))
  end)

  it("may fail to execute and go on", function()
    local seen = same(execs .. " failures")
    assert.are.equal("exit 5 stops 0", seen.how)
    assert.matches("^/no/such/file: ENOENT\n/etc/passwd: EACCES\n/: EACCES\n/etc/passwd/below: ENOTDIR\n: ENOENT\n"
      .. "written to: ETXTBSY\nempty: ENOEXEC\nlong: ENAMETOOLONG\n$", seen.out)
    assert.are.equal(2, #of_kind(seen.events, "process.exec"))
  end)

  it("may come from memory, or from a file that has no name any more", function()
    local seen = same(execs .. " memfd /bin/echo from memory")
    assert.are.equal("from memory\n", seen.out)
    assert.are.equal("/memfd:loaded (deleted)", last_exec(seen).exe)
    assert.are.same({ "/bin/echo", "from", "memory" }, last_exec(seen).argv)
    seen = same(execs .. " deleted /bin/echo from nowhere")
    assert.are.equal("from nowhere\n", seen.out)
    assert.matches("/gone%.%w+ %(deleted%)$", last_exec(seen).exe)
  end)

  it("may be a script, a script of a script, or text without a first line", function()
    local dir = support.new_path()
    assert.are.equal(0, run("mkdir " .. dir).code)
    support.write(dir .. "/one", "#!/bin/sh -e\necho one \"$@\"\n")
    support.write(dir .. "/two", ("#!%s/one two\n"):format(dir))
    support.write(dir .. "/text", "echo text \"$@\"\n")
    assert.are.equal(0, run(("chmod 755 %s/*"):format(dir)).code)
    local seen = same(dir .. "/one 'a b'")
    assert.are.equal("one a b\n", seen.out)
    assert.are.same({ "/bin/sh", "-e", dir .. "/one", "a b" }, last_exec(seen).argv)
    assert.are.equal("one", last_exec(seen).name)
    seen = same(dir .. "/two x")
    assert.are.equal(("one two %s/two x\n"):format(dir), seen.out)
    assert.are.equal(1, #of_kind(seen.events, "process.exec"))
    seen = same(dir .. "/text x")
    assert.are.equal("text x\n", seen.out)
  end)

  it("may have a name and arguments of any bytes", function()
    local dir = support.new_path()
    local name = dir .. "/a\n\255\27 b"
    assert.are.equal(0, run(("mkdir %s && cp /bin/echo %s"):format(dir, quote(name))).code)
    local seen = same(quote(name) .. " " .. quote "\n\254x\n" .. " '' " .. quote " ")
    assert.are.equal("\n\254x\n   \n", seen.out)
    assert.are.same({ dir .. "/a\n\u{FFFD}\27 b", "\n\u{FFFD}x\n", "", " " }, last_exec(seen).argv)
  end)

  it("may run in a folder that is gone", function()
    local dir = support.new_path()
    local seen = same("sh -c " .. quote(("mkdir %s; cd %s; rmdir %s; /bin/pwd 2>/dev/null; echo $?; exec /bin/true here"):format(
      dir, dir, dir)))
    assert.are.equal("1\n", seen.out)
    assert.are.equal(dir .. " (deleted)", of_kind(seen.events, "process.exec", "here")[1].process.cwd)
  end)

  it("may run in a folder that is gone before the sensor starts", function()
    local dir = support.new_path()
    local script = support.new_path()
    support.write(script, ("#!/bin/sh\nmkdir %s; cd %s; rmdir %s; exec \"$@\"\n"):format(dir, dir, dir))
    assert.are.equal(0, run("chmod +x " .. script).code)
    local seen = same("/bin/true here", script)
    assert.are.equal("exit 0 stops 0", seen.how)
    assert.are.equal(1, #of_kind(seen.events, "process.exec", "here"))
  end)

  it("may run below another root", function()
    local command = "chroot /usr /bin/echo below"
    if run(command).code ~= 0 then
      pending "no chroot here, or no program in /usr that runs there"
    end
    local seen = same(command)
    assert.are.equal("below\n", seen.out)
    local process = last_exec(seen)
    assert.are.same({ "/bin/echo", "below" }, process.argv)
    -- As the sensor, which is outside, would name it.
    assert.are.equal("/usr/bin/echo", process.exe)
    assert.are.equal(tonumber(run("stat -c %i /usr/bin/echo").out), process.inode)
  end)

  it("may be of 32 bits", function()
    local hello = program "hello32"
    if run(hello).code ~= 7 then
      pending "no 32-bit programs here (built for x86 only, and the kernel has to run them)"
    end
    local seen = same(hello .. " hello")
    assert.are.equal("exit 7 stops 0", seen.how)
    assert.are.equal("32 bits: hello\n", seen.out)
    local process = last_exec(seen)
    assert.are.same({ hello, "hello" }, process.argv)
    assert.are.equal(tonumber(run("id -u").out), process.uid)
    assert.is_nil(process.incomplete)
    assert.are.equal(1, #of_kind(seen.events, "process.fork"))
  end)

  -- Wrappers are known that wait for their collector before they start, and for a second when the application has ended.
  it("starts and ends without waiting for anything", function()
    local quickest = math.huge
    for _ = 1, 5 do
      local result = run(("bash -c %s"):format(quote(("TIMEFORMAT=%%R; time %s run --state_dir=%s -- true"):format(support.moonwatch,
        support.new_path()))))
      quickest = math.min(quickest, tonumber(result.err:match "[%d.]+"))
    end
    assert.is_true(quickest < 0.9, quickest .. " s")
  end)
end)
