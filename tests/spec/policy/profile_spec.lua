-- The shipped profiles, and what is refused in others.
local program = dofile("tests/spec/program.lua")

local function dump(profile)
  local result = program.run("config", "dump", "--profile=" .. profile)
  assert.are.equal("", result.err)
  assert.are.equal(0, result.status)
  local values = {}
  for name, value in result.out:gmatch("([^=\n]*)=([^\n]*)\n") do
    values[name] = value
  end
  values.profile = nil
  return values
end

describe("the shipped profiles", function()
  local shipped = { "default", "minimal", "audit", "strict" }

  it("are these", function()
    local listed = program.run("config", "dump", "--profile=nosuch")
    assert.are.equal(78, listed.status)
    for _, name in ipairs(shipped) do
      assert.is_truthy(listed.err:find(name, 1, true), listed.err)
    end
  end)

  it("differ from each other", function()
    local lines = {}
    for _, name in ipairs(shipped) do
      local text = program.run("config", "dump", "--profile=" .. name).out
      text = text:gsub("profile=[^\n]*\n", "", 1)
      assert.is_nil(lines[text], name)
      lines[text] = true
    end
  end)

  it("begin with the flags' own defaults", function()
    local default = dump("default")
    local help = program.run("config", "--help").out
    for name, value in help:gmatch("\n  %-%-([%w_]+)=([^\n]*)") do
      if name ~= "profile" then
        assert.are.equal(value, default[name], name)
      end
    end
  end)

  it("keep what their names say", function()
    local default, minimal = dump("default"), dump("minimal")
    local audit, strict = dump("audit"), dump("strict")
    local sizes = { "spool_limit_mib", "ring_size_mib", "rule_memory_mib", "shutdown_flush_ms" }
    for _, name in ipairs(sizes) do
      assert.is_true(tonumber(minimal[name]) < tonumber(default[name]), name)
      assert.is_true(tonumber(strict[name]) > tonumber(default[name]), name)
    end
    for _, what in ipairs({ "fork", "exit" }) do
      local name = "audit_allow_" .. what .. "_process_events"
      assert.are.equal("true", audit[name])
      assert.are.equal("true", strict[name]) -- by extension
    end
  end)
end)

describe("a profile", function()
  local function verdict(text)
    local path = program.write(text, "mine.lua")
    local result = program.run("config", "dump", "--profile=" .. path)
    program.remove(path)
    return result, path
  end

  it("is refused when it is wrong, with file and reason", function()
    local cases = {
      { "return {", ":1: " },
      { "\nreturn { flags = { ring_size_mib = 2 } } }", ":2: " },
      { "return nil", "returns a nil" },
      { "", "returns a nil" },
      { "return { extend = 'default' }", 'did you mean "extends"?' },
      { "return { ring_size_mib = 2 }", "flags = { ring_size_mib = … }" },
      { "return { 'default' }", "a key of type number" },
      { "return { flags = 1 }", "flags is a number" },
      { "return { flags = { 'x' } }", "no name (a number)" },
      { "return { flags = { stat_dir = '/x' } }", 'did you mean "state_dir"?' },
      { "return { flags = { ring_size_mib = '2' } }", "takes a whole number (here: string)" },
      { "return { flags = { ring_size_mib = 2.5 } }", "takes a whole number (here: number)" },
      { "return { flags = { ring_size_mib = 1000 } }", "from 1 to 256" },
      { "return { flags = { outputs = true } }", "takes a string (here: boolean)" },
      { "return { flags = { outputs = 'a\\0b' } }", "NUL" },
      { "return { flags = { audit_allow_process_events = 1 } }", "true or false (here: number)" },
      { "return { flags = { profile = 'strict' } }", "use `extends`" },
      { "return { flags = { flagfile = '/x' } }", "cannot set" },
      { "return { extends = 'nosuch' }", "no profile \"nosuch\"" },
      { "return { extends = '../policies/default' }", "absolute path" },
      { "return { extends = 7 }", "extends takes" },
      { "return { extends = '/nonexistent.lua' }", "/nonexistent.lua: no such file" },
      { "while true do end", "instructions" },
      { "local t = {} for i = 1, 1e9 do t[i] = {} end", "memory" },
      { "return { flags = { state_dir = os.getenv('HOME') } }", "os" },
      { "return require 'moonwatch.lists'", "require" },
      { "x = 1 return {}", "x" },
      { "\27Lua", "mine.lua" },
    }
    for _, case in ipairs(cases) do
      local result, path = verdict(case[1])
      assert.are.equal(78, result.status, case[1])
      assert.are.equal("", result.out)
      assert.are.equal(1, select(2, result.err:gsub("\n", "")), result.err)
      assert.is_truthy(result.err:find(case[2], 1, true), case[1] .. "\n" .. result.err)
      if not case[2]:find("absolute path", 1, true) and not case[2]:find("such file", 1, true) then
        assert.is_truthy(result.err:find(path, 1, true), result.err)
      end
    end
  end)

  it("may be empty of flags, and is trusted only when others cannot write it", function()
    assert.are.equal(0, verdict("return {}").status)
    local path = program.write("return {}", "mine.lua")
    assert(os.execute("chmod 666 " .. path))
    local result = program.run("config", "dump", "--profile=" .. path)
    program.remove(path)
    assert.are.equal(78, result.status)
    assert.is_truthy(result.err:find("chmod", 1, true), result.err)
  end)

  it("may extend a path, but not in a circle", function()
    local base =
      program.write("return { flags = { ring_size_mib = 3, spool_limit_mib = 9 } }", "base.lua")
    local result =
      verdict(("return { extends = '%s', flags = { spool_limit_mib = 10 } }"):format(base))
    assert.are.equal(0, result.status)
    assert.is_truthy(result.out:find("ring_size_mib=3\n", 1, true))
    assert.is_truthy(result.out:find("spool_limit_mib=10\n", 1, true))
    local file <close> = assert(io.open(base, "w"))
    file:write(("return { extends = '%s' }"):format(base))
    file:flush()
    result = program.run("config", "dump", "--profile=" .. base)
    program.remove(base)
    assert.are.equal(78, result.status)
    assert.is_truthy(result.err:find("extends itself", 1, true))
  end)
end)
