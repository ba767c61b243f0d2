-- Rules that mean harm: each is refused when it is loaded, with file and line, within its limits.
local support = require "tests.system.support"

local function rule(match, head)
  return (head or "") .. [[

return {
  id = "hostile",
  summary = "Hostile",
  why = "Test.",
  on = { "process.exec" },
  severity = "low",
  attack = {},
  match = function(event)
    ]] .. match .. [[

  end,
  examples = {
    { expect = true, event = { process = { name = "a" } } },
    { expect = false, event = { process = { name = "b" } } },
  },
}
]]
end

local a = "return event.process.name == 'a'"

local hostile = {
  ["loops inside pcall, again and again"] = rule "while true do pcall(function() while true do end end) end",
  ["allocates without end"] = rule "local t = {} for i = 1, 1e9 do t[i] = ('x'):upper() .. i end",
  ["recurses without end"] = rule "local function f() return 1 + f() end return f()",
  ["doubles a string without end"] = rule "local s = 'x' while true do s = s .. s end",
  ["writes a global"] = rule(a, "x = 1"),
  ["changes a library"] = rule(a, "string.upper = nil"),
  ["changes a list of ours"] = rule(a, "require 'moonwatch.lists'.shells.sh = nil"),
  ["changes the event"] = rule "event.process.name = 'a' return true",
  ["reads a field that there is not"] = rule "return event.process.nmae == 'a'",
  ["reaches for os"] = rule "return os.execute('id')",
  ["reaches for io"] = rule "return io.open('/etc/passwd')",
  ["reaches for debug"] = rule "return debug.getregistry()",
  ["compiles"] = rule "return load('return 1')()",
  ["uses patterns"] = rule "return ('a'):find('a')",
  ["requires what is not for rules"] = rule(a, "local x = require 'moonwatch.sql'"),
  ["requires a path"] = rule(a, "local x = require '../../etc/x'"),
  ["is bytecode"] = string.dump(function() return {} end),
  ["throws what is no text"] = rule "error({})",
  ["returns nothing"] = "",
  ["is for a newer interface"] = rule(a):gsub("id =", "api = 2, id ="),
  ["has another name than its file"] = rule(a):gsub('"hostile"', '"friendly"'),
  ["has a false example"] = rule "return false",
  ["names no technique"] = rule(a):gsub("attack = {}", "attack = { 'x' }"),
  ["names a field in its message that there is not"] = rule(a):gsub("attack = {}",
    "attack = {}, message = '{process.nmae}'"),
}

describe("rules check", function()
  for what, text in pairs(hostile) do
    it("refuses a rule that " .. what, function()
      local dir = support.new_path()
      assert.are.equal(0, support.run("mkdir -m 755 " .. dir).code)
      support.write(dir .. "/hostile.lua", text)
      local result = support.run(("timeout 20 %s rules check %s"):format(support.moonwatch, dir))
      assert.are.equal(1, result.code, result.out .. result.err)
      assert.matches("^" .. dir:gsub("%p", "%%%0") .. "/hostile%.lua:?[^\n]+\n0 rules are good, 1 refused\n$",
        result.out)
    end)
  end

  it("takes a rule that uses all it may", function()
    local dir = support.new_path()
    assert.are.equal(0, support.run("mkdir -m 755 " .. dir).code)
    support.write(dir .. "/hostile.lua", rule([[
      local p = event.process
      local t = { p.name, tostring(p.pid) }
      table.insert(t, "x")
      return lists.shells.sh and match.glob(p.name, "a*") and table.concat(t, ","):upper():sub(1, 1) == "A" ]],
      "local lists, match = require 'moonwatch.lists', require 'moonwatch.match'"))
    local result = support.run(("%s rules check %s"):format(support.moonwatch, dir))
    assert.are.equal("1 rules are good, 0 refused\n", result.out)
    assert.are.equal(0, result.code)
  end)

  it("is content with every shipped rule, and each survives an event with next to nothing in it", function()
    local result = support.run(support.moonwatch .. " rules test")
    assert.are.equal(0, result.code, result.out)
    local rules = tonumber(result.out:match "# (%d+) rules")
    assert.is_true(rules >= 8)

    -- The same rules, each with one more example: a process of which only the id is known.
    local dir = support.new_path()
    local copy = support.run(("cp -r --no-preserve=all %s/rules %s && find %s -name '*.lua'"):format(support.build, dir,
      dir))
    assert.are.equal(0, copy.code, copy.err)
    for path in copy.out:gmatch "[^\n]+" do
      local text, n = support.read(path):gsub("examples = {",
        "%0 { expect = false, event = { process = { pid = 1 } } },", 1)
      assert.are.equal(1, n, path)
      support.write(path, text)
    end
    result = support.run(("%s rules check %s"):format(support.moonwatch, dir))
    assert.are.equal(("%d rules are good, 0 refused\n"):format(rules), result.out)
  end)
end)

describe("a rule that fails at run time", function()
  it("is switched off after some faults, with a line that names it; the others go on", function()
    local dir = support.new_path()
    assert.are.equal(0, support.run("mkdir -m 755 " .. dir).code)
    support.write(dir .. "/hostile.lua", rule [[
      local p = event.process
      if p.name == "true" then
        while true do end
      end
      return p.name == "a" ]])
    local result, _, alerts = support.watch(
      "bash -c 'for i in 1 2 3 4 5 6 7 8; do /bin/true; done; (exec -a [kworker/1] /bin/true); exit 4'",
      "--rules_dir=" .. dir)
    assert.are.equal(4, result.code)
    local _, lines = result.err:gsub("[^\n]+/hostile%.lua[^\n]+switched off[^\n]*\n", "")
    assert.are.equal(1, lines, result.err)
    local found = {}
    for _, alert in ipairs(alerts) do
      found[alert.rule.id] = alert.message
    end
    assert.are.same({ masquerade_kthread = "/usr/bin/true calls itself [kworker/1]" }, found)
  end)
end)
