-- Rules that mean harm, and events that do.  What a rule may do at its load is in tests/system/sandbox_spec.lua; here it behaves
-- while its examples are judged, and begins with a recording.
local cjson = require "cjson"
local program = require "tests.spec.program"
local support = require "tests.spec.rule.support"

local EXAMPLES = [[ examples = { { expect = true, event = { process = { name = "a" } } },
  { expect = false, event = { process = { name = "b" } } } },]]

--- A rule that behaves for its examples, and does `evil` for a process called "evil".
local function rule(evil, head)
  return ([[on = { "process.exec" },
  match = (function()
    %s
    return function(event)
      local name = event.process.name
      if name == "evil" then
        %s
      end
      return name == "a"
    end
  end)(),
  %s]]):format(head or "", evil, EXAMPLES)
end

local GOOD = [[on = { "process.exec" }, where = { names = { "a", "evil" } },
  examples = { { expect = true, event = { process = { name = "a" } } }, { expect = false, event = { process = { name = "b" } } } },]]

local evils = {
  loops = rule "while true do end",
  loops_in_pcall = rule "while true do pcall(function() while true do end end) end",
  recurses = rule "local function f() return 1 + f() end return f()",
  recurses_in_pcall = rule "local function f() return pcall(f), f() end return f()",
  allocates = rule "local t = {} for i = 1, 1e9 do t[i] = { i } end",
  allocates_in_pcall = rule "local t = {} while true do pcall(function() for i = 1, 1e7 do t[#t + 1] = { i } end end) end",
  doubles = rule "local s = 'x' while true do s = s .. s end",
  throws = rule "error('no')",
  throws_a_table = rule "error({})",
  throws_nothing = rule "error()",
  throws_in_tostring = rule "error(event)",
  nonsense_field = rule "return event.process.nmae",
  indexes_nothing = rule "return event.file.path.x",
  keeps_events = rule("if kept then return kept.kind end kept = event", "local kept"),
  writes_events = rule "event.process.name = 'a'",
  reaches_for_os = rule "return os.execute('true')",
  reaches_for_io = rule "return io.open('/etc/passwd')",
  reaches_for_debug = rule "return debug.sethook()",
  reaches_for_load = rule "return load('return 1')()",
  reaches_for_coroutines = rule "return coroutine.wrap(function() while true do end end)()",
  reaches_for_metatables = rule "return setmetatable({}, { __gc = function() while true do end end })",
  closes = rule "local x <close> = setmetatable({}, { __close = error })",
  repeats = rule "return ('x'):rep(1 << 40)",
  sorts = rule "local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function() return true end)",
  patterns = rule "return ('a'):find(('a?'):rep(30))",
  sets_globals = rule "x = 1",
  changes_strings = rule "string.lower = nil",
  changes_lists = rule "lists.shells.sh = nil",
  changes_the_string_metatable = rule "return (''):rep(3)",
  unpacks = rule "return select('#', table.unpack({}, 1, 1e8))",
  searches_long = rule([[while true do match.contains(long, "b") end]], "local long = 'a' for _ = 1, 11 do long = long .. long end"),
  backtracks = rule("while true do regex(long) end",
    [[local regex, long = match.regex "^(a+)+$", 'a' for _ = 1, 11 do long = long .. long end long = long .. "!"]]),
  many_regexes = rule "for i = 1, 1e6 do match.regex('a') end",
  returns_a_table = rule "return {}",
  returns_much = rule "return event, event, event",
}

--- What counts for a match, though it is nonsense.
local ALSO_TRUE = { returns_a_table = true, returns_much = true }

local function events(count)
  local lines = {}
  for i = 1, count do
    lines[i] = cjson.encode { kind = "process.exec", id = ("0-%012d"):format(i), time = "2026-01-02T03:04:05Z",
      process = { pid = i, name = "evil", cmdline = "evil x" } }
  end
  return table.concat(lines, "\n") .. "\n"
end

describe("a rule that", function()
  for id, body in pairs(evils) do
    it(id .. " ends within its limits; others go on, and it is switched off", function()
      local check, dir = support.check { [id] = body, good = GOOD }
      assert.are.equal("2 rules are good, 0 refused\n", check.out)
      local path = dir .. "/events.jsonl"
      support.write(path, events(7))
      local result = program.execute { "timeout", "-s", "KILL", "20", program.path, "rules", "replay", "--json", "--rules=" .. dir,
        path }
      assert.are.equal(0, result.status, result.err)
      local found = { good = 0 }
      for line in result.out:gmatch "[^\n]+" do
        local name = cjson.decode(line).rule.id
        found[name] = (found[name] or 0) + 1
      end
      assert.are.equal(7, found.good)
      assert.are.equal(ALSO_TRUE[id] and 7 or nil, found[id])
      if not ALSO_TRUE[id] then
        assert.is_truthy(result.err:find("rule " .. id .. " switched off", 1, true), result.err)
      end
    end)
  end
end)

describe("events", function()
  it("that are hostile, or hold nothing, hurt no rule and no matcher", function()
    local path = support.folder() .. "/events.jsonl"
    local long = ("x"):rep(4000)
    local names = {}
    for _, kind in ipairs(require "moonwatch.event".kinds()) do
      names[#names + 1] = kind.name
    end
    local lines = {}
    for _, kind in ipairs(names) do
      for _, process in ipairs { {}, { pid = 1 }, { name = "" }, { name = long, exe = long, cmdline = long, cwd = long },
        { name = "sh\0x", exe = "\xff\xfe", argv = { "", "", "" }, tty = "../../x" }, { name = "]", argv = cjson.empty_array },
        { name = "%s%n", exe = "/dev/shm/" .. long, argv = { "[kworker]", long, "-c" }, parent = { name = "nginx", argv = { "-" } } },
        { ancestors = { {}, { name = "nginx" }, {} }, lineage = { web_server = true, x = 1 }, stdin = {} } } do
        for _, file in ipairs { {}, { path = "" }, { path = "/etc/" .. long, closed = true }, { path = "\n\27[2J", mode = -1 } } do
          lines[#lines + 1] = cjson.encode { kind = kind, process = process, file = file, socket = { remote_port = -1 },
            call = { error = "ENOENT", target = {} }, gap = {}, container = { id = 5 }, x = { { { {} } } } }
        end
      end
      lines[#lines + 1] = ('{"kind":"%s"}'):format(kind)
    end
    local nothing = { "", "{", "[]", "null", "1", '{"kind":"x"}', '{"kind":5}', ("["):rep(100), '{"kind":"process.exec","process":[]}',
      '{"kind":"process.exec","process":{"parent":' .. ('{"parent":'):rep(40) .. "{}" .. ("}"):rep(41) .. "}}" }
    table.move(nothing, 1, #nothing, #lines + 1, lines)
    support.write(path, table.concat(lines, "\n"))
    local result = program.run("rules", "replay", "--json", path)
    assert.are.equal(0, result.status, result.err)
    assert.is_nil(result.err:find "switched off", result.err)
    local count, left_out = result.err:match "(%d+) events, %d+ alerts, (%d+) lines left out"
    assert.is_true(tonumber(count) >= #names * 33, result.err)
    assert.is_true(tonumber(left_out) >= 6, result.err)
    for line in result.out:gmatch "[^\n]+" do
      assert.is_not_nil(cjson.decode(line).rule)
    end
  end)
end)

describe("10,000 rules", function()
  it("are loaded, and cost next to nothing where they do not match", function()
    local dir = support.folder()
    for i = 1, 10000 do
      support.write(("%s/r%d.lua"):format(dir, i), ([[return { id = "r%d", summary = "s", why = "w", on = { "process.exec" },
        severity = "low", attack = {}, where = { names = "program%d" },
        examples = { { expect = true, event = { process = { name = "program%d" } } },
          { expect = false, event = { process = { name = "x" } } } } }]]):format(i, i, i))
    end
    local path = dir .. "/events.jsonl"
    local lines = {}
    for i = 1, 500 do
      lines[i] = ('{"kind":"process.exec","process":{"pid":%d,"name":"%s","exe":"/usr/bin/x","cmdline":"x -l /tmp"}}'):format(i,
        i == 77 and "program9999" or "ls")
    end
    support.write(path, table.concat(lines, "\n"))
    local result = program.run("rules", "bench", "--rules=" .. dir, "--times=20", path)
    assert.are.equal(0, result.status, result.err)
    assert.is_truthy(result.out:find("10000 rules, 500 events (499 that no rule wants), 1 alerts a round", 1, true), result.out)
    -- A generous bound: the machine may be busy.
    local us = tonumber(result.out:match "([%d.]+) us an event that no rule wants")
    assert.is_true(us < 20, result.out)
  end)
end)
