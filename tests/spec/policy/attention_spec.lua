-- The policy of attention: what a profile may say, how profiles add up, what is refused.  What the
-- shipped one decides is judged by unit.attention.
local program = dofile("tests/spec/program.lua")
local lists = dofile("lua/moonwatch/lists.lua")

--- Lines of `config dump` that are the policy, as Lua.
local function policy(result)
  assert.are.equal("", result.err)
  assert.are.equal(0, result.status)
  local lines = {}
  for line in result.out:gmatch("# ([^\n]*)\n") do
    lines[#lines + 1] = line
    if line == "}" then
      break -- what follows is of files
    end
  end
  return table.concat(lines, "\n")
end

local function run(command, text)
  local path = program.write(text, "mine.lua")
  local result = program.run("config", command, "--profile=" .. path)
  program.remove(path)
  return result, path
end

--- The policy of a profile as a table, by its own dump.
local function dump(text)
  local said = policy(run("dump", text))
  return assert(load(said:gsub("^attention = ", "return ")))(), said
end

describe("attention", function()
  it("is for nobody unless a profile says so", function()
    assert.are.same({ default = "events" }, dump("return {}"))
    assert.are.same({ default = "events" }, dump("return { attention = {} }"))
    assert.are.same({ default = "events" }, dump("return { extends = 'minimal' }"))
  end)

  it("is dumped as it may be written", function()
    local text = [[
return { attention = {
  default = "off",
  { is = { "dropped", "late" }, unless = "tty", marked = { "b" }, names = { "sh", "bash" },
    programs = "x-1", paths = { "/tmp/", "/dev/shm/" }, arguments = { "-c", "a*", "q\"\\" }, options = "-e*",
    mark = { "a", "b" }, level = "calls" },
  { mark = "c" },
} }]]
    local read, said = dump(text)
    assert.are.same({
      default = "off",
      { is = { "dropped", "late" }, unless = { "tty" }, marked = { "b" }, names = { "sh", "bash" },
        programs = { "x-1" }, paths = { "/tmp/", "/dev/shm/" }, arguments = { "-c", "a*", 'q"\\' },
        options = { "-e*" }, mark = { "a", "b" }, level = "calls" },
      { mark = { "c" } },
    }, { default = read.default, (function()
      table.sort(read[1].mark)
      return read[1]
    end)(), read[2] })
    assert.are.equal(said, select(2, dump("return { " .. said .. " }")))
  end)

  it("of a profile replaces the extended one's", function()
    local read = dump [[return { extends = "default", attention = { { names = "x", level = "off" } } }]]
    assert.are.same({ default = "events", { names = { "x" }, level = "off" } }, read)
  end)

  it("of a profile stands before the extended one's when it says so", function()
    local default = dump "return { extends = 'default' }"
    local read = dump [[
return { extends = "default", attention = { extends = true, default = "calls",
  { names = { "nginx", "new" }, marked = "session", level = "off" }, { mark = { "new", "database" } } } }]]
    assert.are.equal("calls", read.default)
    local own = { table.remove(read, 1), table.remove(read, 1) }
    assert.are.same({ names = { "nginx", "new" }, marked = { "session" }, level = "off" }, own[1])
    table.sort(own[2].mark)
    assert.are.same({ mark = { "database", "new" } }, own[2])
    local function sorted(entries)
      for _, entry in ipairs(entries) do
        for _, list in pairs(entry) do
          if type(list) == "table" then
            table.sort(list)
          end
        end
      end
      return entries
    end
    read.default = "events"
    assert.are.same(sorted(default), sorted(read))
  end)

  it("is inherited by a profile without one", function()
    assert.are.same((dump "return { extends = 'default' }"),
      (dump "return { extends = 'default', flags = { ring_size_mib = 2 } }"))
  end)

  it("is refused when it is wrong, with file, entry and reason", function()
    local cases = {
      { "1", 'attention: is a number' },
      { "{ defualt = 'calls' }", 'attention: unknown key "defualt"; did you mean "default"?' },
      { "{ names = 'sh' }", 'attention: "names" belongs into an entry' },
      { "{ default = 'call' }", 'attention: unknown level "call"; did you mean "calls"?' },
      { "{ default = 1 }", "attention: default is a number" },
      { "{ extends = 'default' }", "attention: extends takes true or false" },
      { "{ [1.5] = {} }", "attention: a key of type number" },
      { "{ 'sh' }", "attention entry 1: is a string" },
      { "{ { mark = 'a' }, { levl = 'calls' } }", 'attention entry 2: unknown key "levl"; did you mean "level"?' },
      { "{ { zzz = 1 } }", "known are names, programs, paths" },
      { "{ { 'sh', level = 'calls' } }", "attention entry 1: a value without a name" },
      { "{ { names = 'sh' } }", "attention entry 1: does nothing" },
      { "{ { names = {}, level = 'calls' } }", "attention entry 1: names is empty" },
      { "{ { names = { a = 'b' }, level = 'calls' } }", "attention entry 1: names is a table with names or holes" },
      { "{ { names = { 'a', nil, 'b' }, level = 'calls' } }", "names or holes" },
      { "{ { names = 3, level = 'calls' } }", "attention entry 1: names has a number in it" },
      { "{ { names = '', level = 'calls' } }", "names has a text that is empty" },
      { "{ { names = 'a\\0b', level = 'calls' } }", "NUL" },
      { "{ { names = '/bin/sh', level = 'calls' } }", 'names: "/bin/sh" is a path' },
      { "{ { programs = 'python*', level = 'calls' } }", "names take no *" },
      { "{ { paths = 'tmp/', level = 'calls' } }", "does not begin with /" },
      { "{ { paths = '/tmp/*', level = 'calls' } }", "no * here" },
      { "{ { arguments = '*', level = 'calls' } }", "a * may stand at the end alone" },
      { "{ { options = 'c', level = 'calls' } }", "does not begin with -; use `arguments`" },
      { "{ { is = 'droped', level = 'calls' } }", 'is: unknown fact "droped"; did you mean "dropped"?' },
      { "{ { is = 'tty', unless = 'tty', level = 'calls' } }", "never holds" },
      { "{ { level = 'loud' } }", 'unknown level "loud"; known are off, events, calls' },
      { "{ { mark = 'web' }, { marked = 'wep', level = 'calls' } }",
        'attention entry 2: marked: unknown mark "wep"; did you mean "web"?' },
      { "{ { marked = 'web', level = 'calls' } }", 'attention entry 1: marked: no entry gives the mark "web"' },
      { "{ [1] = { mark = 'a' }, [3] = { mark = 'a' } }", "attention entry 2: is missing" },
    }
    for _, case in ipairs(cases) do
      local result, path = run("check", "return { attention = " .. case[1] .. " }")
      assert.are.equal(78, result.status, case[1])
      assert.are.equal(1, select(2, result.err:gsub("\n", "")), result.err)
      assert.is_truthy(result.err:find(path .. ": attention", 1, true), result.err)
      assert.is_truthy(result.err:find(case[2], 1, true), case[1] .. "\n" .. result.err)
    end
  end)

  it("has limits, which are errors", function()
    local cases = {
      { "for i = 1, 65 do t[i] = { mark = 'a' } end", "attention: more than 64 entries" },
      { "for i = 1, 33 do t[i] = { mark = 'm' .. i } end", "attention entry 33: more than 32 different marks" },
      { "local n = {} for i = 1, 600 do n[i] = 'n' .. i end t[1] = { names = n, level = 'calls' }",
        "attention entry 1: more than 512 different names" },
      { "local n = {} for i = 1, 65 do n[i] = '/n' .. i end t[1] = { paths = n, level = 'calls' }",
        "attention entry 1: more than 64 different paths" },
      { "t.extends = true for i = 1, 60 do t[i] = { mark = 'a' } end",
        "attention: with those of the profile it extends, more than 64 entries" },
    }
    for _, case in ipairs(cases) do
      local result = run("dump", "local t = {} " .. case[1] .. " return { extends = 'default', attention = t }")
      assert.are.equal(78, result.status, case[1])
      assert.is_truthy(result.err:find(case[2], 1, true), result.err)
    end
  end)
end)

describe("the default policy", function()
  local entries = dump "return { extends = 'default' }"

  it("knows the programs that rules know", function()
    local named = {}
    for _, entry in ipairs(entries) do
      for _, name in ipairs(entry.names or {}) do
        named[name:sub(1, 15)] = true
      end
    end
    local missing = {}
    -- What these start is looked at, not they themselves.
    local others = { crons = true, session_agents = true }
    for list, names in pairs(lists) do
      for name in pairs(type(names) == "table" and not others[list] and names or {}) do
        if not named[name] then
          missing[#missing + 1] = list .. ": " .. name
        end
      end
    end
    assert.are.same({}, missing)
  end)

  it("is explained: every key and fact stands in its comment", function()
    local file <close> = assert(io.open("policies/default.lua"))
    local comment = file:read("a"):match("^(.-)\nlocal")
    local meta <close> = assert(io.open("lua/meta/moonwatch.profile.lua"))
    local count = 0
    for name in meta:read("a"):gmatch('| "(%l+)"  ?') do
      count = count + 1
      assert.is_truthy(comment:find(name, 1, true), name)
    end
    assert.are.equal(8, count)
    for _, key in ipairs { "names", "programs", "paths", "options", "arguments", "is", "unless", "marked" } do
      assert.is_truthy(comment:find("\n%-%-   " .. key .. " "), key)
    end
  end)
end)
