-- The frame of the command line: help, usage, unknown words, the names that make it an entrypoint.
local program = dofile("tests/spec/program.lua")

local commands = { "run", "sql", "rules", "config", "install", "lua", "version" }

describe("moonwatch", function()
  it("shows its commands", function()
    local result = program.run("--help")
    assert.are.equal(0, result.status)
    assert.are.equal("", result.err)
    for _, name in ipairs(commands) do
      assert.is_truthy(result.out:find("\n  " .. name .. " ", 1, true), name)
    end
  end)

  it("wants a command", function()
    local result = program.run()
    assert.are.equal(2, result.status)
    assert.are.equal("", result.out)
    assert.is_truthy(result.err:find("Usage: moonwatch COMMAND", 1, true))
  end)

  it("says the nearest name of an unknown command", function()
    local slips = { rnu = "run", confg = "config", rule = "rules", ["--verison"] = "version" }
    for typed, nearest in pairs(slips) do
      local result = program.run(typed)
      assert.are.equal(2, result.status)
      assert.are.equal("", result.out)
      assert.is_truthy(result.err:find(typed, 1, true))
      local says = "did you mean `moonwatch " .. nearest .. "`?"
      assert.is_truthy(result.err:find(says, 1, true), result.err)
    end
    local result = program.run("frobnicate")
    assert.are.equal(2, result.status)
    assert.is_truthy(result.err:find("moonwatch --help", 1, true))
  end)

  it("complains in one line, whatever it is given", function()
    local result = program.run("a\nmoonwatch: forged\27[2J")
    assert.are.equal(2, result.status)
    assert.are.equal(1, select(2, result.err:gsub("\n", "")))
    assert.is_nil(result.err:find("\27", 1, true))
    assert.are.equal(1, select(2, program.run(("x"):rep(100000)).err:gsub("\n", "")))
  end)

  it("fails when its output cannot be written", function()
    local line = '"$1" config dump >/dev/full'
    local result = program.execute({ "sh", "-c", line, "sh", program.path })
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("cannot write to standard output", 1, true))
  end)

  it("finds its tree through links and without /proc", function()
    local link = program.write("", "x"):gsub("x$", "moonwatch")
    local path = program.execute({ "realpath", program.path }).out:gsub("\n", "")
    assert(os.execute(("ln -s %s %s"):format(path, link)))
    assert.are.equal(0, program.execute({ link, "config", "dump" }).status)
    program.remove(link)

    local result = program.execute({ "unshare", "-m", "--propagation", "unchanged", "sh", "-c",
      -- The sanitizers' search for leaks needs /proc.
      'mount --make-rprivate /proc && mount -t tmpfs none /proc && ASAN_OPTIONS=detect_leaks=0 exec "$1" config dump',
      "sh", program.path })
    if result.status == 1 and result.err:find("unshare") then
      pending("no mount namespaces here")
      return
    end
    assert.are.equal("", result.err)
    assert.are.equal(0, result.status)
  end)
end)

describe("every command", function()
  for _, name in ipairs(commands) do
    it(name .. " has --help", function()
      for _, word in ipairs({ "--help", "-h" }) do
        local result = program.run(name, word)
        assert.are.equal(0, result.status)
        assert.are.equal("", result.err)
        assert.is_truthy(result.out:find("^Usage: moonwatch " .. name .. " "))
        local takes_flags = result.out:match("^[^\n]*"):find("[flags]", 1, true) ~= nil
        local lists_flags = result.out:find("--state_dir=/var/lib", 1, true) ~= nil
        assert.are.equal(takes_flags, lists_flags)
      end
    end)
  end

  it("takes --help after other flags, too", function()
    assert.are.equal(0, program.run("run", "--state_dir=/x", "--help").status)
    assert.are.equal(0, program.run("config", "dump", "--help").status)
  end)
end)

describe("moonwatch version", function()
  it("is one line", function()
    local result = program.run("version")
    assert.are.equal(0, result.status)
    assert.is_truthy(result.out:find("^moonwatch %d+%.%d+%.%d+ %([^\n]*%)\n$"), result.out)
    assert.are.equal(result.out, program.run("--version").out)
  end)

  it("is JSON on demand", function()
    local result = program.run("version", "--json")
    assert.are.equal(0, result.status)
    local object = require("cjson").decode(result.out)
    assert.is_truthy(program.run("version").out:find(object.version, 1, true))
    assert.is_string(object.kernel)
    assert.is_string(object.machine)
  end)

  it("takes nothing else", function()
    local result = program.run("version", "--jsn")
    assert.are.equal(2, result.status)
    assert.is_truthy(result.err:find("--jsn", 1, true))
  end)
end)

describe("as an entrypoint", function()
  it("behaves as moonwatch run", function()
    for _, name in ipairs({ "entrypoint", "entrypoint.sh", "moonwatch-run" }) do
      local line = 'exec -a "$1" "$0" --help'
      local result = program.execute({ "bash", "-c", line, program.path, "/opt/x/" .. name })
      assert.are.equal(0, result.status, result.err)
      assert.is_truthy(result.out:find("^Usage: moonwatch run "), result.out)
    end
  end)

  it("wants a known flag, as moonwatch run", function()
    local line = 'exec -a entrypoint "$0" --state-dir=/x true'
    local result = program.execute({ "bash", "-c", line, program.path })
    assert.are.equal(2, result.status)
    assert.is_truthy(result.err:find("did you mean --state_dir?", 1, true), result.err)
  end)
end)
