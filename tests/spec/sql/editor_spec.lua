-- The editor of the shell, with a terminal of our own: what keys do, and what the screen shows then.
local complete = require "moonwatch.shell.complete"
local editor = require "moonwatch.shell.editor"
local keys = require "moonwatch.shell.keys"
local render = require "moonwatch.shell.render"

--- A terminal that understands what the editor writes, and no more.
local Screen = {}
Screen.__index = Screen

local function new_screen(columns, rows)
  return setmetatable({ columns = columns, height = rows, rows = { {} }, row = 1, column = 0, rings = 0 }, Screen)
end

function Screen:put(character)
  local cells = render.width(character)
  assert(self.column + cells <= self.columns, "written beyond the edge")
  if cells == 0 then
    self.rows[self.row][self.column] = self.rows[self.row][self.column] .. character
    return
  end
  self.rows[self.row][self.column + 1] = character
  for i = 2, cells do
    self.rows[self.row][self.column + i] = ""
  end
  self.column = self.column + cells
end

function Screen:control(parameters, final)
  local count = tonumber(parameters) or 1
  if final == "A" then
    self.row = self.row - count
    assert(self.row >= 1, "moved above the start")
  elseif final == "C" then
    self.column = math.min(self.column + count, self.columns - 1)
  elseif final == "J" and parameters == "" then
    for row = self.row, #self.rows do
      for column = row == self.row and self.column + 1 or 1, self.columns do
        self.rows[row][column] = nil
      end
    end
  elseif final == "J" then
    self.rows = { {} }
  elseif final == "H" then
    self.row, self.column = 1, 0
  else
    assert(parameters == "?2004", "unknown control sequence")
  end
end

function Screen:write(text)
  local at = 1
  while at <= #text do
    local parameters, final, following = text:match("^\27%[([%d?]*)(%a)()", at)
    local character = text:match("^" .. utf8.charpattern, at)
    if parameters then
      self:control(parameters, final)
      at = following
    else
      if character == "\r" then
        self.column = 0
      elseif character == "\n" then
        self.row = self.row + 1
        self.rows[self.row] = self.rows[self.row] or {}
      elseif character == "\a" then
        self.rings = self.rings + 1
      else
        self:put(character)
      end
      at = at + #character
    end
  end
end

function Screen:text()
  local lines = {}
  for i, row in ipairs(self.rows) do
    local cells = {}
    for column = 1, self.columns do
      cells[column] = row[column] or " "
    end
    lines[i] = table.concat(cells):gsub(" +$", "")
  end
  return (table.concat(lines, "\n"):gsub("\n+$", ""))
end

--- An editor that gets these bytes, each string by a read of its own.  A function among them is called instead, with the
--- screen and the editor.
local function session(inputs, options)
  options = options or {}
  local screen = new_screen(options.columns or 40, options.rows or 24)
  local edited
  local at = 0
  local terminal = {
    raw = false,
    suspensions = 0,
    set_raw = function(self, is_raw) self.raw = is_raw end,
    size = function() return screen.columns, screen.height end,
    suspend = function(self) self.suspensions = self.suspensions + 1 end,
    read = function(self)
      assert(self.raw)
      while true do
        at = at + 1
        local input = inputs[at]
        if type(input) == "function" then
          local why = input(screen, edited)
          if why then
            return nil, why
          end
        elseif input then
          return input
        else
          return nil, "closed"
        end
      end
    end,
  }
  edited = editor.new {
    terminal = terminal,
    write = function(text) screen:write(text) end,
    history = { entries = options.history or {} },
    complete = options.complete or function() return "", {} end,
    accepts = options.accepts or function(text) return text:find(";%s*$") ~= nil end,
    prompt = "> ",
    continuation = ". ",
  }
  return edited, screen, terminal
end

--- What is read when these bytes are typed.
local function typed(...)
  local edited = session { ... }
  return edited:read()
end

local LEFT, RIGHT, UP, DOWN = "\27[D", "\27[C", "\27[A", "\27[B"
local PASTE, PASTED = "\27[200~", "\27[201~"

describe("keys", function()
  it("are known by what terminals send", function()
    for bytes, expected in pairs {
      [UP] = "up", ["\27OA"] = "up", ["\27[1;5C"] = "word_right", ["\27[1~"] = "home", ["\27OF"] = "end",
      ["\27[3~"] = "delete", ["\27[3;5~"] = "kill_word", ["\127"] = "backspace", ["\8"] = "backspace", ["\r"] = "enter",
      ["\n"] = "enter", ["\t"] = "tab", ["\1"] = "ctrl_a", ["\27b"] = "word_left", ["\27[200~"] = "paste",
      ["\27[99;99z"] = "unknown", ["\27OZ"] = "back_tab", ["\27%"] = "unknown", ["a"] = "text", ["é"] = "text",
      ["\u{1F600}"] = "text", ["\xff"] = "text", ["\0"] = "unknown", ["\27[?1;2c"] = "unknown",
    } do
      local key, _, following = keys.first(bytes)
      assert.are.equal(expected, key, ("%q"):format(bytes))
      assert.are.equal(#bytes + 1, following, ("%q"):format(bytes))
    end
  end)

  it("may come in pieces", function()
    for _, bytes in ipairs { "", "\27", "\27[", "\27[1;", "\27O", "\xc3", "\xf0\x9f\x98" } do
      assert.is_nil(keys.first(bytes))
    end
    assert.are.same({ "text", "\xc3", 2 }, { keys.first("\xc3a") })
  end)
end)

describe("a line", function()
  it("is what was typed", function()
    assert.are.equal("select 1;", typed("select 1;", "\r"))
    assert.are.equal("é;", typed("\xc3", "\xa9;\r"))
    assert.are.equal("a\xffb;", typed("a\xffb;\r"))
  end)

  it("can be edited", function()
    assert.are.equal("axbc;", typed("abc;", LEFT, LEFT, LEFT, "x", "\r"))
    assert.are.equal("日本x語;", typed("日本語;", LEFT, LEFT, "x\r"))
    assert.are.equal("ab;", typed("axb;", LEFT, LEFT, "\127\r"))
    assert.are.equal("ab;", typed("axb;", "\1", RIGHT, "\27[3~\r"))
    assert.are.equal("ab;", typed("axb;", "\1", RIGHT, "\4\r"))
    assert.are.equal("xab;y;", typed("ab;", "\27[H", "x", "\27[F", "y;\r"))
    assert.are.equal("one three;", typed("one two three;", "\27b", "\23\r"))
    assert.are.equal("ba;", typed("a b;\1", "\27d", "\27[F", LEFT, "\25", "\1", "\27[3~", "\r"))
    assert.are.equal(";", typed("abc", "\21", ";\r"))
    assert.are.equal("a;", typed("abc", "\1", RIGHT, "\11", ";\r"))
    assert.are.equal("ba;", typed("ab", "\20", ";\r"))
  end)

  it("ends with nothing", function()
    local text, why = typed("\4")
    assert.are.same({ nil, "closed" }, { text, why })
    assert.are.equal("interrupted", select(2, typed("abc", "\3")))
    assert.are.equal("closed", select(2, typed("abc")))
    assert.are.equal("a;", typed("a;", "\4", "\r")) -- Ctrl-D in a line that has something
  end)

  it("keeps what is typed ahead for the next", function()
    local edited = session { "a;\rb;\r", "c;\r" }
    assert.are.equal("a;", edited:read())
    assert.are.equal("b;", edited:read())
    assert.are.equal("c;", edited:read())
  end)

  it("is drawn, broken where the terminal ends", function()
    local edited, screen = session({ "0123456789日本", function(shown)
      assert.are.equal("> 0123456\n789日本", shown:text())
      assert.are.same({ 2, 7 }, { shown.row, shown.column })
    end, "x", function(shown)
      assert.are.equal("> 0123456\n789日本x", shown:text())
      assert.are.same({ 2, 8 }, { shown.row, shown.column })
    end, "y", function(shown)
      assert.are.same({ 3, 0 }, { shown.row, shown.column })
    end, "\1", function(shown)
      assert.are.same({ 1, 2 }, { shown.row, shown.column })
    end, "\127\27[F;\r" }, { columns = 9 })
    assert.are.equal("0123456789日本xy;", edited:read())
    assert.are.equal("> 0123456\n789日本xy\n;", screen:text())
  end)

  it("does not break what is wide in two", function()
    local edited = session({ "012345日", function(shown)
      assert.are.equal("> 012345\n日", shown:text())
    end, ";\r" }, { columns = 9 })
    assert.are.equal("012345日;", edited:read())
  end)

  it("cannot drive the terminal", function()
    local edited, screen = session { PASTE .. "a\27[2Jb\1;" .. PASTED, "\r" }
    assert.are.equal("a\27[2Jb\1;", edited:read())
    assert.are.equal([[> a\x1b[2Jb\x01;]], screen:text())
  end)

  it("may be longer than the screen", function()
    local edited = session({ ("0123456789"):rep(10), function(shown)
      assert.is_true(#shown.rows <= 5)
      assert.is_truthy(shown:text():find("89$"))
    end, "\1", function(shown)
      assert.are.equal(1, shown.row)
      assert.is_truthy(shown:text():find("^> 0123"))
    end, "\27[F;\r" }, { columns = 12, rows = 5 })
    assert.are.equal(("0123456789"):rep(10) .. ";", edited:read())
  end)

  it("is drawn anew when the terminal changes", function()
    local edited = session({ "0123456789abcdefghij", function(shown)
      assert.are.equal("> 0123456789abcdefghij", shown:text())
      -- As a terminal does that breaks its rows anew.
      shown.columns = 10
      shown.rows = { {}, {}, {} }
      shown.row, shown.column = 3, 2
      return "resized"
    end, function(shown)
      assert.are.equal("> 01234567\n89abcdefgh\nij", shown:text())
      assert.are.same({ 3, 2 }, { shown.row, shown.column })
    end, ";\r" }, { columns = 30 })
    assert.are.equal("0123456789abcdefghij;", edited:read())
  end)

  it("is left and found again", function()
    local edited, _, terminal = session { "ab", "\26", function(shown)
      assert.are.equal("> ab\n> ab", shown:text())
    end, ";\r" }
    assert.are.equal("ab;", edited:read())
    assert.are.equal(1, terminal.suspensions)
    assert.is_false(terminal.raw)
  end)

  it("stays when ESC alone is typed, or what nobody knows", function()
    local edited = session { "ab", "\27", function() return "timeout" end, "\27[99;5u", ";\r" }
    assert.are.equal("ab;", edited:read())
  end)
end)

describe("several lines", function()
  it("are one statement", function()
    local edited, screen = session { "select\r", "1\r", function(shown)
      assert.are.equal("> select\n. 1\n.", shown:text())
    end, ";\r" }
    assert.are.equal("select\n1\n;", edited:read())
    assert.are.equal("> select\n. 1\n. ;", screen:text())
  end)

  it("can be moved between", function()
    assert.are.equal("selectx\n1;", typed("select\r1;", UP, "\27[Fx", DOWN, "\27[F\r"))
    assert.are.equal("axbc\n1;", typed("abc\r1;", "\1", RIGHT, UP, "x", DOWN, "\27[F\r"))
    assert.are.equal("ab;", typed("a\rb;", UP, "\27[F", "\11", "\27[F\r"))
  end)

  it("are pasted as they are", function()
    local edited = session({ PASTE .. "select '\t'\r\n", "from x;\rsel" .. PASTED:sub(1, 3), PASTED:sub(4), function(shown)
      assert.are.equal("> select '\\x09'\n. from x;\n. sel", shown:text())
    end, ";\r" })
    assert.are.equal("select '\t'\nfrom x;\nsel;", edited:read())
  end)

  it("are pasted at once, however many", function()
    local whole = ("0123456789\n"):rep(5000)
    local edited = session({ PASTE .. whole .. PASTED, ";\r" }, { rows = 10 })
    local before = os.clock()
    assert.are.equal(whole .. ";", edited:read())
    assert.is_true(os.clock() - before < 5)
  end)
end)

describe("the history", function()
  local function with(inputs)
    local edited, screen = session(inputs, { history = { "first;", "second\nof two;", "third;" } })
    return edited:read(), screen
  end

  it("is gone through", function()
    assert.are.equal("third;", (with { UP, "\r" }))
    assert.are.equal("second\nof two;", (with { UP, UP, "\r" }))
    assert.are.equal("first;", (with { UP, UP, UP, UP, "\r" })) -- through the lines of the second
    assert.are.equal("first;", (with { "\16\16\16\16", "\r" }))
    assert.are.equal("new;", (with { "new;", UP, DOWN, "\r" }))
    assert.are.equal("third;x;", (with { UP, "x;\r" }))
  end)

  it("is searched", function()
    assert.are.equal("second\nof two;", (with { "\18", "of t", function(shown)
      assert.are.equal("(search)'of t': second\n. of two;", shown:text())
    end, "\r" }))
    assert.are.equal("first;", (with { "\18", "ir", "\18", "\r" }))
    assert.are.equal("third;", (with { "\18", "xx", "\127\127", "ird", "\r" }))
    assert.are.equal("new;", (with { "new", "\18", "third", "\7", ";\r" }))
    assert.are.equal("thirxd;", (with { "\18", "d;", "x\127", "\27[D", function() end, "\r" }):gsub("third;", "thirxd;"))
  end)
end)

describe("completion", function()
  local words = { "process_envs", "process_events", "processes" }
  local function completing(inputs, options)
    return session(inputs, {
      columns = options and options.columns or 40,
      complete = function(before)
        local word = before:match("[%w_]*$")
        local found = {}
        for _, known in ipairs(words) do
          if known:sub(1, #word) == word then
            found[#found + 1] = known
          end
        end
        return word, #found == 1 and { found[1] .. " " } or found
      end,
    })
  end

  it("goes as far as it is clear", function()
    assert.are.equal("process;", completing({ "pro\t", ";\r" }):read())
    assert.are.equal("processes ;", completing({ "processe\t;\r" }):read())
    local edited, screen = completing({ "x", "\t", ";\r" })
    assert.are.equal("x;", edited:read())
    assert.are.equal(1, screen.rings)
  end)

  it("lists what there is", function()
    local edited, screen = completing({ "pro", "\t", "\t", function(shown)
      assert.are.equal("> process\nprocess_envs    processes\nprocess_events\n> process", shown:text())
    end, ";\r" })
    assert.are.equal("process;", edited:read())
    assert.are.equal(0, screen.rings)
  end)
end)

describe("what completes", function()
  local completer = complete.new()

  local function words(before, behind)
    local _, found = completer:complete(before, behind or "")
    return found
  end

  local function has(name, before, behind)
    for _, word in ipairs(words(before, behind)) do
      if word:gsub("[ (]$", "") == name then
        return true
      end
    end
    return false
  end

  it("a command", function()
    assert.are.same({ ".schema " }, words(".sch"))
    assert.are.same({ ".headers ", ".help " }, { words(".head")[1], words(".hel")[1] })
    assert.are.same({ "off", "on" }, words(".timer "))
    assert.are.same({ "json", "json_pretty", "jsonl" }, words(".mode js"))
    assert.is_true(has("processes", ".schema proc"))
    assert.are.same({}, words(".help x"))
  end)

  it("a table, where one stands", function()
    assert.is_true(has("processes", "select * from pro"))
    assert.is_true(has("processes", "SELECT * FROM time JOIN "))
    assert.is_true(has("processes", "select * from time, pro"))
    assert.is_false(has("processes", "select * from time where hour in (1, pro"))
    assert.is_false(has("select", "select * from sel"))
    assert.is_true(has("processes", "select 1; select * from\nproc"))
  end)

  it("a column of the tables named", function()
    assert.is_true(has("cmdline", "select cmd", " from processes"))
    assert.is_true(has("cmdline", "select * from processes where cmd"))
    assert.is_true(has("cmdline", "select p.cmd", " from processes as p"))
    assert.is_true(has("cmdline", "select * from processes p join time t on p."))
    assert.is_false(has("cmdline", "select * from processes p join time t on t."))
    assert.is_false(has("hour", "select * from processes p join time t on p."))
    assert.are.same({}, words("select x."))
    assert.is_false(has("cmdline", "select cmd", "; select * from processes"))
  end)

  it("a function or a word", function()
    assert.are.same({ "community_id_v1", "community_id_v1_strict" }, words("select comm"))
    assert.are.same({ "regex_split(" }, words("select regex_s"))
    assert.are.same({ "WHERE " }, words("SELECT 1 WHER"))
    assert.are.same({ "where " }, words("select 1 wher"))
    assert.are.same({}, words("select 'proc"))
    assert.are.same({}, words(""))
  end)
end)
