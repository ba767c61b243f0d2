-- `moonwatch sql` as a program.
local program = dofile("tests/spec/program.lua")

--- Run with `text` as standard input.
local function pipe(text, ...)
  local input = program.write(text, "input")
  local words = { "sh", "-c", 'exec "$0" "$@" <"$INPUT"', program.path, "sql", ... }
  local result = program.execute(words, { INPUT = input })
  program.remove(input)
  return result
end

local function expect(result, status, out, err)
  assert.are.equal(err or "", result.err)
  assert.are.equal(out, result.out)
  assert.are.equal(status, result.status)
end

local ONE = "+---+\n| 1 |\n+---+\n| 1 |\n+---+\n"

describe("moonwatch sql", function()
  it("answers a query", function()
    expect(program.run("sql", "select 1"), 0, ONE)
    expect(program.run("sql", "--table", "select 1;"), 0, ONE)
    expect(program.run("sql", "-- a comment\nselect 1"), 0, ONE)
    expect(program.run("sql", "--", "select 1"), 0, ONE)
  end)

  it("answers several", function()
    expect(program.run("sql", "--list", "--header=false", "select 1; select 2;;"), 0, "1\n2\n")
  end)

  it("writes every format", function()
    local query = "select 1 as a, 'x|y' as b, null as c, 1.0 as d"
    expect(program.run("sql", "--json", query), 0,
      '[\n  {"a":"1","b":"x|y","c":"","d":"1.0"}\n]\n')
    expect(program.run("sql", "--jsonl", query), 0, '{"a":"1","b":"x|y","c":"","d":"1.0"}\n')
    expect(program.run("sql", "--csv", query), 0, 'a|b|c|d\n1|"x|y"||1.0\n')
    expect(program.run("sql", "--csv", "--separator", ",", "--header=false", query), 0,
      "1,x|y,,1.0\n")
    expect(program.run("sql", query, "--list"), 0, "a|b|c|d\n1|x|y||1.0\n")
    expect(program.run("sql", "--line", query), 0, "a = 1\nb = x|y\nc = \nd = 1.0\n")
    expect(program.run("sql", "--line", "--nullvalue=NULL", query), 0, "a = 1\nb = x|y\nc = NULL\nd = 1.0\n")
    expect(program.run("sql", "--json_pretty", "select 1 as a"), 0, '[\n  {\n    "a": "1"\n  }\n]\n')
    expect(program.run("sql", "--column", "select 1 as a"), 0, "a\n-\n1\n")
    expect(program.run("sql", "--pretty", "select 1"), 0, ONE)
  end)

  it("reads statements from standard input", function()
    expect(pipe("select 1;\n\nselect\n ';' as a;select 3 as b", "--list"), 0, "1\n1\na\n;\nb\n3\n")
    expect(pipe("", "--list"), 0, "")
    expect(pipe("\n \n", "--list"), 0, "")
  end)

  it("goes on after a failure in standard input, and says so in the end", function()
    expect(pipe("selec 1;\nselect 2;\n", "--list", "--header=false"), 1, "2\n",
      'moonwatch: sql: near "selec": syntax error\n')
  end)

  it("fails with 1, and no rows of its own making", function()
    expect(program.run("sql", "select * from processs"), 1, "",
      "moonwatch: sql: no such table: processs\n")
    expect(program.run("sql", "--json", "select x"), 1, "",
      "moonwatch: sql: no such column: x\n")
    local result = program.run("sql", "create table t(a)")
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("only reading is possible", 1, true))
  end)

  it("refuses wrong arguments with 2", function()
    local wrong = {
      ["--jsn"] = "did you mean --json?",
      ["--state_dri=x"] = "did you mean --state_dir?",
      ["--json=1"] = "unknown option --json",
      ["--header=maybe"] = "must be true or false",
      ["--row_limit=-1"] = "must be a number above 0",
      ["-j"] = "unknown option",
      ["--separator"] = "needs a value",
    }
    for word, message in pairs(wrong) do
      local result = program.run("sql", "select 1", word)
      assert.are.equal(2, result.status, word)
      assert.are.equal("", result.out)
      assert.is_truthy(result.err:find(message, 1, true), result.err)
    end
    assert.are.equal(2, program.run("sql", "select", "1").status)
  end)

  it("stops at its limits", function()
    local endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select x from c"
    local result = program.run("sql", "--list", "--header=false", "--row_limit=3", endless)
    assert.are.equal(1, result.status)
    assert.are.equal("1\n2\n3\n", result.out)
    assert.is_truthy(result.err:find("stopped after 3 rows", 1, true))
    local sum = endless:gsub("select x from", "select sum(x) from")
    result = program.run("sql", "--time_limit=50", sum)
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("stopped after 50 ms", 1, true))
  end)

  it("does not take the machine's memory", function()
    local result = program.run("sql", [[with recursive c(x) as (select randomblob(1000000) union all
      select randomblob(1000000) from c) select count(*) from (select x from c order by x)]])
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("out of memory", 1, true), result.err)
  end)

  it("says where it looked when nothing was recorded", function()
    local result = program.execute({ program.path, "sql", "--json", "select * from process_events" },
      { MOONWATCH_STATE_DIR = "/nowhere/state", TMPDIR = "/nowhere/tmp" })
    assert.are.equal("[\n]\n", result.out)
    assert.are.equal(0, result.status)
    assert.is_truthy(result.err:find("warning: process_events: no spool found: looked in /nowhere/state",
      1, true), result.err)
    result = program.run("sql", "--state_dir=/elsewhere", "select * from moonwatch_alerts")
    assert.is_truthy(result.err:find("looked in /elsewhere", 1, true), result.err)
  end)

  it("fails when nobody takes its output", function()
    local result = program.execute { "sh", "-c", program.path .. " sql 'select 1' >/dev/full" }
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("cannot write", 1, true), result.err)
  end)

  it("has commands", function()
    local result = program.run("sql", ".tables")
    assert.is_truthy(result.out:find("  => processes\n", 1, true))
    assert.are.equal("  => moonwatch_alerts\n", program.run("sql", ".tables moonwatch_al").out)
    assert.is_truthy(program.run("sql", ".schema time").out:find("^CREATE TABLE time%(`weekday` TEXT"))
    assert.is_truthy(program.run("sql", ".describe time").out:find("iso_8601", 1, true))
    assert.is_truthy(program.run("sql", ".help").out:find(".mode", 1, true))
    expect(pipe(".mode csv\n.separator ,\nselect 1 as a, 2 as b;\n.headers off\nselect 3;\n"), 0,
      "a,b\n1,2\n3\n")
    expect(pipe("select 1;\n.exit\nselect 2;\n"), 0, ONE)
    result = program.run("sql", ".schema tme")
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("did you mean time?", 1, true))
    expect(program.run("sql", ".nothing"), 1, "",
      "moonwatch: sql: unknown command .nothing; .help lists them\n")
    expect(program.run("sql", ".tabels"), 1, "",
      "moonwatch: sql: unknown command .tabels; did you mean .tables?\n")
  end)

  it("has osqueryi's commands", function()
    expect(pipe(".mode list\n.nullvalue -\nselect null as a;\n"), 0, "a\n-\n")
    expect(pipe(".mode pretty\nselect 1;\n.mode column\nselect 1;\n"), 0, ONE .. "1\n-\n1\n")
    assert.is_truthy(pipe(".mode fancy\n").err:find("takes one of table, column, line", 1, true))
    expect(pipe(".print  a b;\n.print\n"), 0, "a b;\n\n")
    expect(pipe(".echo on\n.headers off\nselect 1;\n", "--list"), 0, ".headers off\nselect 1;\n1\n")
    expect(pipe(".headers maybe\n"), 1, "", "moonwatch: sql: .headers takes on or off\n")
    expect(pipe(".types select pid, name, pid + 1 as next from processes\n"), 0,
      "  pid                  BIGINT\n  name                 TEXT\n  next                 (of the value)\n")
    assert.is_truthy(pipe(".timer on\nselect 1;\n").out:find("\nRun Time: real %d+%.%d+ user %d+%.%d+ sys %d+%.%d+\n$"))
    assert.is_truthy(pipe(".all time\n", "--line").out:find("iso_8601 = ", 1, true))
    assert.is_truthy(pipe(".all tmie\n").err:find("did you mean time?", 1, true))
    assert.is_truthy(program.run("sql", ".schema process").out:find("CREATE TABLE process_events.*CREATE TABLE processes"))
    assert.is_truthy(program.run("sql", ".functions").out:find("regex_split(TEXT, PATTERN, INDEX)", 1, true))
    assert.is_truthy(program.run("sql", ".features").out:find("SQLite +3%.%d+.*PCRE2 10%.%d+"))
    assert.are.equal(program.run("sql", ".functions").out, program.run("sql", ".help functions").out)
    assert.is_truthy(program.run("sql", ".help split").out:find("split(TEXT, SEPARATORS, INDEX)", 1, true))
    assert.are.equal(program.run("sql", ".describe time").out, program.run("sql", ".help time").out)
    assert.is_truthy(program.run("sql", ".help .mode").out:find("json_pretty", 1, true))
    assert.is_truthy(program.run("sql", ".help no").err:find("nothing is called no", 1, true))
    for _, command in ipairs { ".show", ".summary" } do
      local out = pipe(".bail on\n.mode csv\n" .. command .. "\n").out
      assert.is_truthy(out:find("bail: on\n", 1, true))
      assert.is_truthy(out:find("mode: csv\n", 1, true))
    end
    assert.is_truthy(pipe(".connect /x\n").err:find("there are no extensions", 1, true))
  end)

  it("may end at the first failure", function()
    expect(pipe(".bail on\nselec;\nselect 2;\n"), 1, "", 'moonwatch: sql: near "selec": syntax error\n')
    expect(pipe(".bail on\n.nothing\nselect 2;\n"), 1, "",
      "moonwatch: sql: unknown command .nothing; .help lists them\n")
  end)

  it("reads and writes files", function()
    local script = program.write("select 1 as a;\n.mode csv\nselect\n2 as b", "script.sql")
    expect(pipe((".mode list\n.read %s\nselect 3 as c;\n"):format(script)), 0, "a\n1\nb\n2\nc\n3\n")
    local out = script .. ".out"
    expect(pipe((".mode csv\n.output %s\nselect 1 as a;\n.output\nselect 2 as b;\n"):format(out)), 0, "b\n2\n")
    local file <close> = assert(io.open(out))
    assert.are.equal("a\n1\n", file:read("a"))
    assert.is_truthy(pipe(".read /nowhere\n").err:find("/nowhere: No such file", 1, true))
    assert.is_truthy(pipe(".output /nowhere/x\n").err:find("/nowhere/x: No such file", 1, true))
    local circle = program.write("", "circle.sql")
    local handle <close> = assert(io.open(circle, "w"))
    handle:write(".read " .. circle .. "\n")
    handle:close()
    local result = program.run("sql", ".read " .. circle)
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("read each other", 1, true))
    program.remove(script)
    program.remove(circle)
  end)

  it("prompts where it is asked to", function()
    expect(pipe("select\n1;\nselec;\n.exit\n", "--interactive=true"), 0,
      "moonwatch>       ...> " .. ONE .. "moonwatch> moonwatch> ",
      'moonwatch: sql: near "selec": syntax error\n')
  end)
end)
