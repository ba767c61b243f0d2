-- Rules on real processes.
local cjson = require "cjson"
local support = require "tests.system.support"

local run, watch, quote, moonwatch = support.run, support.watch, support.quote, support.moonwatch

local function rule(id, match, more)
  return ([[
return {
  id = %q,
  summary = "A program of the test",
  why = "The test asks for it.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1059.004" },
  %s
  match = function(event)
    %s
  end,
  examples = {
    { expect = true, event = { process = { name = "marked" } } },
    { expect = false, event = { process = { name = "other" } } },
  },
}
]]):format(id, more or "", match)
end

local function rules_dir(files)
  local dir = support.new_path()
  assert.are.equal(0, run("mkdir -m 755 " .. dir).code)
  for name, text in pairs(files) do
    support.write(dir .. "/" .. name .. ".lua", text)
  end
  return dir
end

local marked = "local p = event.process return p.name == 'marked' or p.argv and p.argv[2] == 'marked'"

describe("a rule of --rules_dir", function()
  it("makes an alert with rule, event, ancestors and a sentence", function()
    local dir = rules_dir { of_test = rule("of_test", marked, "message = '{process.parent.name} ran {process.cmdline}',") }
    local result, events, alerts, state = watch("sh -c '/bin/true marked; exit 3'", "--rules_dir=" .. dir)
    assert.are.equal(3, result.code)
    assert.are.equal("", result.err)
    local found = support.filter(alerts, function(alert)
      return alert.rule.id == "of_test"
    end)
    assert.are.equal(1, #found)
    local alert = found[1]
    assert.are.same({ id = "of_test", severity = "medium", attack = { "T1059.004" }, attack_version = "19",
      summary = "A program of the test" }, alert.rule)
    assert.are.equal("sh ran /bin/true marked", alert.message)
    assert.are.equal("process.exec", alert.kind)
    assert.are.equal("sh", alert.process.ancestors[1].name)
    local same = support.filter(events, function(event)
      return event.id == alert.id
    end)
    assert.are.same(same[1].process, alert.process)

    local row = support.sql(state, "select *, event from moonwatch_alerts where rule = 'of_test'")[1]
    assert.are.equal("sh ran /bin/true marked", row.message)
    assert.are.equal("medium", row.severity)
    assert.are.same(alert, cjson.decode(row.event))
  end)

  it("is written to standard error as a line for people", function()
    local dir = rules_dir { of_test = rule("of_test", marked, "message = '{process.parent.name} ran {process.cmdline}',") }
    local result = run(("%s run --state_dir=%s --rules_dir=%s -- sh -c '/bin/true marked; exit 3'"):format(moonwatch,
      support.new_path(), dir))
    assert.are.equal(3, result.code)
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT[^\n]* MEDIUM of_test: sh ran /bin/true marked[^\n]*T1059%.004[^\n]*\n$",
      result.err)
  end)

  local bad = {
    ["has a syntax error"] = { text = "return {\n  id = = 1\n}\n", line = 2, says = "near '='" },
    ["has an unknown key"] = { text = rule("bad", marked, "sevirity = 'low',"), line = 8, says = "sevirity" },
    ["has no examples"] = { text = rule("bad", marked):gsub("  examples = .*", "}\n"), says = "examples" },
    ["loops for ever"] = { text = rule("bad", "while true do end"), says = "bad.lua:10: ran longer" },
    ["loops for ever as it is loaded"] = { text = "while true do end", line = 1, says = "ran longer" },
  }
  for what, case in pairs(bad) do
    it("that " .. what .. " is refused with file and line; the others load, the application starts", function()
      local dir = rules_dir { bad = case.text, of_test = rule("of_test", marked) }
      local result, _, alerts = watch("sh -c '/bin/true marked; exit 3'", "--rules_dir=" .. dir)
      assert.are.equal(3, result.code)
      assert.matches("^moonwatch: [^\n]*/bad%.lua:" .. (case.line or "%d+") .. ":[^\n]*\n$", result.err)
      assert.matches(case.says, result.err, 1, true)
      assert.are.equal(1, #support.filter(alerts, function(alert)
        return alert.rule.id == "of_test"
      end))
      local check = run(("%s rules check %s"):format(moonwatch, dir))
      assert.are.equal(1, check.code)
      assert.matches("/bad.lua:", check.out, 1, true)
    end)
  end

  it("that others may write to is refused when running as root", function()
    local dir = rules_dir { of_test = rule("of_test", marked) }
    assert.are.equal(0, run(("chmod 666 %s/of_test.lua"):format(dir)).code)
    local result, _, alerts = watch("/bin/true marked", "--rules_dir=" .. dir)
    assert.are.equal(0, result.code)
    assert.matches("of_test.lua: mode 0666", result.err, 1, true)
    assert.are.equal(0, #alerts)
  end)
end)

describe("the shipped rules", function()
  it("see a shell that a web server starts", function()
    -- nginx is only a name here; the demonstration has the real one.
    local dir = support.new_path()
    assert.are.equal(0, run(("mkdir %s && cp /bin/bash %s/nginx"):format(dir, dir)).code)
    local result, _, alerts = watch(dir .. "/nginx -c " .. quote "sh -c 'echo hi; exit 6'; exit $?")
    assert.are.equal(6, result.code)
    local alert = support.filter(alerts, function(item)
      return item.rule.id == "shell_from_web_server"
    end)[1]
    assert.are.equal("high", alert.rule.severity)
    assert.matches("nginx", alert.message)
    assert.are.equal("nginx", alert.process.ancestors[1].name)
  end)

  it("are quiet on an ordinary start script", function()
    local script = [[set -e; mkdir -p "$TMPDIR/d"; sed s/a/b/ /etc/passwd >"$TMPDIR/d/hosts"; chmod 600 "$TMPDIR/d/hosts";
      for i in 1 2 3; do sh -c 'test -r /etc/passwd || exit 1'; done; exec sh -c 'id -u >/dev/null; true']]
    local result, _, alerts = watch("sh -c " .. quote(script))
    assert.are.equal(0, result.code, result.err)
    for _, alert in ipairs(alerts) do
      assert.is_true(alert.rule.severity == "info" or alert.rule.severity == "low", alert.message)
    end
  end)
end)
