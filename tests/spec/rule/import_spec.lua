-- Rules of others, converted, and what is said of each.
local foreign = require "tests.spec.rule.foreign"
local program = require "tests.spec.program"
local support = require "tests.spec.rule.support"

local function import(format, text)
  local dir, out = support.folder(), support.folder()
  local path = dir .. "/rules.yaml"
  support.write(path, text)
  local result = program.run("rules", "import", "--" .. format, path, "-o", out)
  return result, out
end

local function count_of(result)
  local a, b, c = result.out:match "(%d+) converted, (%d+) partly, (%d+) refused\n$"
  return { converted = tonumber(a), partly = tonumber(b), refused = tonumber(c) }
end

describe("rules import", function()
  -- Pinned: a change of these numbers is a change of what is understood.
  local pinned = {
    falco = { converted = 188, partly = 29, refused = 58 },
    sigma = { converted = 83, partly = 16, refused = 37 },
  }

  for format, numbers in pairs(pinned) do
    it("converts what it can of " .. format .. "'s, and the rest of it says why", function()
      local text, expected = foreign[format]()
      local result, dir = import(format, text)
      assert.are.equal(0, result.status, result.err)
      assert.are.same(expected, count_of(result), result.out)
      assert.are.same(numbers, expected)
      -- A reason for each that is not whole.
      for line in result.out:gmatch "[^\n]+" do
        local verdict, reason = line:match "^(%l+) +%S+:%d+: [^:]+: (.+)$"
        assert.is_true(verdict ~= nil or line:find "^converted" ~= nil or line:find "^%d" ~= nil, line)
        assert.is_true(verdict == nil or #reason > 8, line)
      end
      -- All that was written loads, and agrees with the examples that were found for it.
      local check = program.run("rules", "check", dir)
      assert.are.equal(("%d rules are good, 0 refused\n"):format(numbers.converted + numbers.partly), check.out)
    end)
  end

  it("refuses a bomb and what is no YAML", function()
    for _, text in ipairs {
      "a: &a [x,x,x,x]\nb: &b [*a,*a,*a]\n", "- rule: [", ("["):rep(1000), "a: 1\n\tb: 2\n",
    } do
      local result = import("falco", text)
      assert.are.equal(1, result.status)
      assert.is_truthy(result.err:find("line %d+[:,]"), result.err)
    end
  end)

  it("does not write over what is there, nor anywhere else", function()
    local text = "- rule: ../../../tmp/evil\n  desc: x\n  condition: evt.type = execve and proc.name = a\n  priority: ERROR\n"
    local result, dir = import("falco", text .. text)
    assert.is_truthy(result.out:find("-> tmp_evil.lua", 1, true), result.out)
    assert.is_truthy(result.out:find("-> tmp_evil_2.lua", 1, true), result.out)
    local path = dir .. "/rules.yaml"
    support.write(path, text)
    result = program.run("rules", "import", "--falco=" .. path, "--output=" .. dir)
    assert.is_truthy(result.out:find("is there already", 1, true), result.out)
  end)

  it("keeps code out of what it writes", function()
    local result, dir = import("falco", [[
- rule: "x\" .. os.exit() .. \""
  desc: "]] .. "]]" .. [[ os.exit()"
  condition: evt.type = execve and proc.name = "a\" or os.exit()--"
  priority: ERROR
- rule: second
  desc: "line\nline"
  condition: evt.type = execve and proc.cmdline contains "\"] = os.exit()"
  priority: ERROR
]])
    assert.are.equal(0, result.status, result.err)
    local check = program.run("rules", "check", dir)
    assert.are.equal(0, check.status, result.out .. check.out)
  end)
end)
