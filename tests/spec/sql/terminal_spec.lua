-- `moonwatch sql` on a real terminal: what is typed, and what is seen.
local program = dofile("tests/spec/program.lua")

local PTY = program.build .. "/tests/programs/pty"

--- A query that never ends.
local ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select sum(x) from c;"

--- A folder that is a home.
local function new_home()
  local mark = program.write("", "mark")
  return mark:match("^(.*)/"), mark
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read("a")
end

local function mode_of(path)
  local pipe <close> = io.popen("stat -c %a '" .. path .. "'")
  return pipe:read("l")
end

--- Type `script` (see tests/system/programs/pty.c) to these words, which end with `status`; returns what was shown.
local function type_to(words, script, environment, status)
  local path = program.write(script, "script")
  environment = environment or {}
  environment.SCRIPT = path
  environment.TERM = environment.TERM or "xterm"
  local result = program.execute({ "sh", "-c", 'exec "$0" "$@" <"$SCRIPT"', PTY, table.unpack(words) }, environment)
  program.remove(path)
  assert.are.equal("", result.err, result.out)
  assert.are.equal(status or 0, result.status, result.out)
  return result.out
end

local function typed(script, environment)
  return type_to({ program.path, "sql" }, script, environment)
end

describe("moonwatch sql on a terminal", function()
  it("answers, goes on after a mistake, and ends with Ctrl-D", function()
    local out = typed [[
expect moonwatch>
send select 6 * 7 as answer;\r
expect | 42
expect moonwatch>
send selec;\r
expect syntax error
expect moonwatch>
send select\r
expect ...>
send 'a' || 'bc';\r
expect | abc
expect moonwatch>
send ^D
]]
    assert.is_truthy(out:find("moonwatch> select 6 * 7 as answer;", 1, true))
    assert.is_truthy(out:find("\27[?2004l\27?[%[?%d%a]*$")) -- pasting is no longer marked
  end)

  it("ends with .exit", function()
    typed "expect moonwatch>\nsend .exit\\r\n"
  end)

  it("edits and completes", function()
    typed [[
expect moonwatch>
send .sch^Iprocess_e^I^I
expect process_envs
expect process_events
send ^U.sch^Iprocesse^I\r
expect CREATE TABLE processes(
expect moonwatch>
send select 'bc;^A^F^F^F^F^F^F^F^Fa^[[F^H';\r
expect | abc
expect moonwatch>
send select hex('\s^[[Dé^[[F^H');\r
expect | C3A9\s
expect moonwatch>
send select count(*) > 0 as yes from process_e^I^I
expect process_events
send ^H^Hes^I where cmdl^I\slike '%sql%';\r
expect | 1
expect moonwatch>
send ^D
]]
  end)

  it("ends the query alone at Ctrl-C, and says how long it runs", function()
    local script = [[
expect moonwatch>
send ENDLESS\r
expect running, Ctrl-C ends it (1 s)
send ^C
expect moonwatch: sql: interrupted
expect moonwatch>
send sele^C
expect moonwatch>
send select 1 + 1 as two;\r
expect | 2
expect moonwatch>
send ^D
]]
    typed((script:gsub("ENDLESS", (ENDLESS:gsub("%%", "%%%%")), 1)))
  end)

  it("ends rows that are being shown at Ctrl-C", function()
    typed [[
expect moonwatch>
send .mode list\r
expect moonwatch>
send with recursive c(x) as (select 1 union all select x + 1 from c) select x from c;\r
expect \n1000\r
send ^C
expect interrupted
expect moonwatch>
send ^D
]]
  end)

  it("takes what is pasted as one text, and runs it when it is told to", function()
    local out = typed [[
expect moonwatch>
send ^[[200~select 1 as one;^Mselect 'two^Ilines' as two;^[[201~
expect lines' as two;
send \r
expect | one
expect | two
expect moonwatch>
send ^D
]]
    assert.is_truthy(out:find("      ...> select 'two", 1, true))
  end)

  it("follows the size of the terminal", function()
    typed [[
expect moonwatch>
send select '0123456789012345678901234567890123456789'
resize 30
expect moonwatch> select '01234567890\r
send ^Asel^H^H^H^E;\r
expect | 0123456789012345678901234567890123456789
expect moonwatch>
send ^D
]]
  end)

  it("remembers for the next time, for nobody else to read", function()
    local home, mark = new_home()
    typed("expect moonwatch>\nsend select\\r\nexpect ...>\nsend 41 + 1;\\r\nexpect | 42\nexpect moonwatch>\nsend ^D\n",
      { HOME = home })
    assert.are.equal("select\\n41 + 1;\n", read(home .. "/.moonwatch_history"))
    assert.are.equal("600", mode_of(home .. "/.moonwatch_history"))
    local out = typed("expect moonwatch>\nsend ^[[A\nexpect 41 + 1;\nsend ^Mselect 2;\\r\nexpect | 2\n"
      .. "expect moonwatch>\nsend ^R41\nexpect (search)'41'\nsend ^M\nexpect | 42\nexpect moonwatch>\nsend ^D\n",
      { HOME = home })
    assert.is_truthy(out:find("| 42", 1, true))
    assert.are.equal("select\\n41 + 1;\nselect\\n41 + 1;\nselect 2;\nselect\\n41 + 1;\n",
      (read(home .. "/.moonwatch_history"):gsub("^(select\\n41 %+ 1;\n)select 2", "%1%1select 2")))
    program.remove(mark)
  end)

  it("needs no home, and none that can be written", function()
    local one = "expect moonwatch>\nsend select 1 as one;\\r\nexpect | 1\nexpect moonwatch>\nsend ^P\nexpect one;\n"
      .. "send ^U^D\n"
    typed(one)
    typed(one, { HOME = "/proc" })
    typed(one, { HOME = "/nowhere/at/all" })
    local home, mark = new_home()
    typed(one, { HOME = home, MOONWATCH_HISTORY = "" })
    assert.is_nil(read(home .. "/.moonwatch_history"))
    -- What is there is no file of ours.
    os.execute("ln -s /etc/passwd '" .. home .. "/.moonwatch_history'")
    local before = read("/etc/passwd")
    typed(one, { HOME = home })
    assert.are.equal(before, read("/etc/passwd"))
    program.remove(mark)
  end)

  for _, term in ipairs { "dumb", "" } do
    it(("works without control sequences: TERM=%s"):format(term), function()
      local out = typed([[
expect moonwatch>
send select\n
expect ...>
send 1 as one;\n
expect | 1
expect moonwatch>
send ^D
]], { TERM = term })
      assert.is_nil(out:find("\27", 1, true))
    end)
  end

  it("ends a query at Ctrl-C there, too", function()
    typed(("expect moonwatch>\nsend select 'be' || 'gun'; %s\\n\nexpect begun\nsend ^C\nexpect interrupted\n"
      .. "expect moonwatch>\nsend ^D\n"):format(ENDLESS), { TERM = "dumb" })
  end)

  it("leaves the terminal as it was, however it ends", function()
    local script = [[
same() { [ "$(stty -g)" = "$before" ] || { echo "changed by $1"; exit 1; }; }
before=$(stty -g)
"$0" sql; same .exit
"$0" sql </dev/tty & pid=$!
while [ "$(stty -g)" = "$before" ]; do kill -0 $pid || exit 1; done
kill -TERM $pid; wait $pid; [ $? = 143 ] || exit 2
same SIGTERM; echo all the same]]
    local out = type_to({ "sh", "-c", script, program.path },
      "expect moonwatch>\nsend .exit\\r\nexpect moonwatch>\nexpect all the same\n")
    assert.is_truthy(out:find("all the same", 1, true))
  end)

  it("ends when the terminal goes", function()
    local path = program.write("expect moonwatch>\nhangup now\n", "script")
    local result = program.execute({ "sh", "-c", 'exec "$0" "$@" <"$SCRIPT"', PTY, program.path, "sql" },
      { SCRIPT = path, TERM = "xterm" })
    program.remove(path)
    assert.is_truthy(result.status == 0 or result.status == 129, tostring(result.status))
  end)

  it("answers a query of its arguments, and shows there, too, how long it runs", function()
    local out = type_to({ program.path, "sql", "--time_limit=1500", "select 1; " .. ENDLESS },
      "expect | 1 |\nexpect running, Ctrl-C ends it (1 s)\nexpect stopped after 1500 ms\n", nil, 1)
    assert.is_truthy(out:find("\r\27[K", 1, true)) -- taken away again
  end)
end)
