-- How results are shown.
local render = require "moonwatch.shell.render"

local function show(mode, columns, rows, style)
  local parts = {}
  style = style or {}
  local renderer = render.new({
    mode = mode,
    header = style.header ~= false,
    separator = style.separator or "|",
    nullvalue = style.nullvalue,
  }, function(text)
    parts[#parts + 1] = text
  end)
  renderer:begin(columns)
  for _, row in ipairs(rows) do
    renderer:row(row)
  end
  renderer:finish()
  return table.concat(parts)
end

describe("a table", function()
  it("is drawn as osqueryi draws it", function()
    assert.are.equal([[
+-----+-------+
| pid | name  |
+-----+-------+
| 1   | init  |
| 22  |       |
| 333 | nginx |
+-----+-------+
]], show("table", { "pid", "name" }, { { "1", "init" }, { "22" }, { "333", "nginx" } }))
  end)

  it("is lined up whatever the script", function()
    local lines = {}
    local cells = { "abc", "é€", "日本", "e\u{301}x", "" }
    local rows = {}
    for i, cell in ipairs(cells) do
      rows[i] = { cell, "|" }
    end
    for line in show("table", { "a", "b" }, rows):gmatch("[^\n]+") do
      lines[#lines + 1] = render.width(line)
    end
    for _, width in ipairs(lines) do
      assert.are.equal(lines[1], width)
    end
  end)

  it("cannot drive the terminal", function()
    local shown = show("table", { "a\nb" }, { { "x\27[2Jy\nz\0\u{202E}\xff\u{9b}" } })
    assert.is_truthy(shown:find([[x\x1b[2Jy\x0az\x00\xe2\x80\xae\xff\xc2\x9b]], 1, true))
    assert.is_nil(shown:find("\27", 1, true))
    assert.is_truthy(shown:find([[a\x0ab]], 1, true))
  end)

  it("of no rows is nothing", function()
    assert.are.equal("", show("table", { "a" }, {}))
  end)

  it("goes on in the same widths when it is long", function()
    local rows = {}
    for i = 1, 5000 do
      rows[i] = { ("%d"):format(i) }
    end
    rows[4000] = { ("x"):rep(50) }
    local shown = show("table", { "number" }, rows)
    local _, count = shown:gsub("\n", "")
    assert.are.equal(5004, count)
    assert.is_truthy(shown:find("\n| 4999   |\n", 1, true))
    assert.is_truthy(shown:find("\n| " .. ("x"):rep(50) .. " |\n", 1, true))
  end)

  it("is not widened for all by one long value", function()
    local shown = show("table", { "a" }, { { ("x"):rep(100000) }, { "y" } })
    assert.is_true(#shown < 102000)
    assert.is_truthy(shown:find(("x"):rep(100000), 1, true))
  end)

  it("may lack its lines", function()
    assert.are.equal("pid  name\n---  -----\n1    init\n22\n333  nginx\n",
      show("column", { "pid", "name" }, { { "1", "init" }, { "22" }, { "333", "nginx" } }))
    assert.are.equal("1  init\n", show("column", { "pid", "name" }, { { "1", "init" } }, { header = false }))
    assert.are.equal("", show("column", { "pid" }, {}))
  end)

  it("may lack its header", function()
    assert.are.equal("+---+\n| 1 |\n+---+\n",
      show("table", { "number" }, { { "1" } }, { header = false }))
  end)
end)

describe("JSON", function()
  it("is a list of objects, every value a string", function()
    assert.are.equal('[\n  {"a":"1","b":""},\n  {"a":"x","b":"2"}\n]\n',
      show("json", { "a", "b" }, { { "1" }, { "x", "2" } }))
    assert.are.equal("[\n]\n", show("json", { "a" }, {}))
  end)

  it("is valid whatever the bytes", function()
    local cjson = require "cjson"
    local value = 'q"b\\s/\0\1\31\127é日\u{1F600}'
    local decoded = cjson.decode(show("json", { 'k"' }, { { value } }))
    assert.are.same({ { ['k"'] = value } }, decoded)
    assert.are.equal('"a\u{FFFD}b\u{FFFD}\u{FFFD}"', render.json_string("a\xffb\xc3\xe2"))
    assert.are.equal('"\u{FFFD}\u{FFFD}\u{FFFD}"', render.json_string("\xed\xa0\x80")) -- a surrogate
  end)

  it("may be pretty", function()
    local cjson = require "cjson"
    local shown = show("json_pretty", { "a", "b" }, { { "1" }, { "x", "2" } })
    assert.are.equal('[\n  {\n    "a": "1",\n    "b": ""\n  },\n  {\n    "a": "x",\n    "b": "2"\n  }\n]\n', shown)
    assert.are.same({ { a = "1", b = "" }, { a = "x", b = "2" } }, cjson.decode(shown))
    assert.are.equal("[]\n", show("json_pretty", { "a" }, {}))
  end)

  it("has each name once", function()
    assert.are.equal('{"a":"2"}\n', show("jsonl", { "a", "a" }, { { "1", "2" } }))
  end)
end)

describe("CSV", function()
  it("is separated by a bar, and quoted where needed", function()
    assert.are.equal('a|b|c|d\nx|"y|z"|"say ""hi"""|"1\n2"\n|""" "|é|" "\n',
      show("csv", { "a", "b", "c", "d" },
        { { "x", "y|z", 'say "hi"', "1\n2" }, { nil, '" ', "é", " " } }))
  end)

  it("takes another separator", function()
    assert.are.equal('x|y,"1,2"\n',
      show("csv", { "a", "b" }, { { "x|y", "1,2" } }, { separator = ",", header = false }))
  end)
end)

describe("lists", function()
  it("are values as they are", function()
    assert.are.equal("a|b\nx|\ny|" .. [[1\x0a2]] .. "\n",
      show("list", { "a", "b" }, { { "x" }, { "y", "1\n2" } }))
  end)

  it("may be a line for each value", function()
    assert.are.equal("   a = 1\nlong = 2\n\n   a = \nlong = 3\n",
      show("line", { "a", "long" }, { { "1", "2" }, { nil, "3" } }))
  end)
end)

describe("NULL", function()
  it("is nothing, or what it is told to be", function()
    local rows = { { "x", nil } }
    assert.are.equal("a|b\nx|\n", show("list", { "a", "b" }, rows))
    for mode, expected in pairs {
      list = "a|b\nx|-\n",
      csv = "a|b\nx|-\n",
      line = "a = x\nb = -\n",
      column = "a  b\n-  -\nx  -\n",
      table = "+---+---+\n| a | b |\n+---+---+\n| x | - |\n+---+---+\n",
      jsonl = '{"a":"x","b":""}\n',
      json = '[\n  {"a":"x","b":""}\n]\n',
    } do
      assert.are.equal(expected, show(mode, { "a", "b" }, rows, { nullvalue = "-" }), mode)
    end
  end)
end)
