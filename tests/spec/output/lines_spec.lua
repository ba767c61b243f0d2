-- Formats without a schema of their own, read again as their descriptions say.
local cjson = require "cjson"
local items = dofile "tests/spec/output/items.lua"

local function lines(name)
  local format = require("moonwatch.output." .. name)
  local all = items.all()
  local i = 0
  return function()
    i = i + 1
    if all[i] then
      return format(all[i]), all[i]
    end
  end
end

--- CEF: seven fields, each without a bar that is not escaped, and the extension.
local function parse_cef(line)
  local fields, from = {}, 1
  for i = 1, 7 do
    local at = from
    while line:sub(at, at) ~= "|" do
      assert(at <= #line, "field " .. i)
      at = at + (line:sub(at, at) == "\\" and 2 or 1)
    end
    fields[i] = line:sub(from, at - 1):gsub("\\(.)", "%1")
    from = at + 1
  end
  local extension, rest = {}, line:sub(from)
  local starts = {}
  -- A key begins the extension or follows a blank, and an equals sign that is not escaped follows it.
  for position, key in (" " .. rest):gmatch "() (%w+)=" do
    starts[#starts + 1] = { position, key }
  end
  for i, start in ipairs(starts) do
    local position, key = start[1], start[2]
    local to = starts[i + 1] and starts[i + 1][1] - 1 or #rest + 1
    local value = (" " .. rest):sub(position + #key + 2, to)
    assert(not extension[key], "twice: " .. key)
    local plain = value:gsub("\\\\", ""):gsub("\\=", ""):gsub("\\[nr]", "")
    assert(not plain:find "[\\=]", key .. " is not escaped: " .. value)
    extension[key] = value:gsub("\\(.)", function(character)
      return ({ n = "\n", r = "\r" })[character] or character
    end)
  end
  return fields, extension
end

describe("lines of CEF", function()
  it("can be read again", function()
    for line, item in lines "cef" do
      local fields, extension = parse_cef(line)
      assert.are.equal("CEF:0", fields[1])
      assert.is_true(tonumber(fields[7]) >= 0 and tonumber(fields[7]) <= 10)
      assert.are.equal(item.id, extension.externalId)
      local cmdline = type(item.process) == "table" and item.process.cmdline
      if cmdline and not cmdline:find "[%c\xC2\x85]" then
        assert.are.equal(cmdline, extension.cs1)
      end
      for n = 1, 6 do
        assert.are.equal(extension["cs" .. n] ~= nil, extension["cs" .. n .. "Label"] ~= nil)
      end
    end
  end)

  it("escape what is theirs", function()
    local format = require "moonwatch.output.cef"
    local fields, extension = parse_cef(format {
      rule = { id = "a|b\\c", summary = "d|\n=e", severity = "high" },
      message = "x", process = { cmdline = "k=v \\ | \n\r end dst=1.2.3.4" },
    })
    assert.are.equal("a|b\\c", fields[5])
    assert.are.equal("d|\\x0A=e", fields[6])
    assert.are.equal("7", fields[7])
    assert.are.equal("k=v \\ | \n\r end dst=1.2.3.4", extension.cs1)
    assert.is_nil(extension.dst)
  end)
end)

--- RFC 5424, section 6.
local function parse_syslog(line)
  local pri, time, host, app, pid, id, rest = line:match "^<(%d+)>1 (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$"
  assert(pri, line)
  local elements = {}
  while rest:sub(1, 1) == "[" do
    local sd_id, after = rest:match '^%[([!#-<>-\\^-~]+)()'
    assert(sd_id and #sd_id <= 32, rest)
    rest = rest:sub(after)
    local element = {}
    while rest:sub(1, 1) == " " do
      local name, from = rest:match '^ ([!#-<>-\\^-~]+)="()'
      assert(name and #name <= 32, rest)
      local at, value = from, {}
      while rest:sub(at, at) ~= '"' do
        local c = rest:sub(at, at)
        assert(c ~= "" and c ~= "]", "not escaped: " .. rest)
        if c == "\\" and rest:sub(at + 1, at + 1):find '["\\%]]' then
          at = at + 1
          c = rest:sub(at, at)
        end
        value[#value + 1] = c
        at = at + 1
      end
      element[name] = table.concat(value)
      rest = rest:sub(at + 1)
    end
    assert(rest:sub(1, 1) == "]", rest)
    rest = rest:sub(2)
    elements[sd_id] = element
  end
  assert(rest:sub(1, 4) == " \u{FEFF}", rest)
  return { pri = tonumber(pri), time = time, host = host, app = app, pid = pid, id = id, elements = elements, message = rest:sub(5) }
end

describe("lines of RFC 5424", function()
  it("can be read again", function()
    for line, item in lines "rfc5424" do
      local syslog = parse_syslog(line)
      assert.is_true(syslog.pri >= 80 and syslog.pri <= 87)
      assert.is_true(syslog.time == "-" or syslog.time:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$" ~= nil)
      assert.is_true(#syslog.host <= 255 and #syslog.app <= 48 and #syslog.pid <= 128 and #syslog.id <= 32)
      assert.are.equal("moonwatch", syslog.elements.origin.software)
      assert.are.equal(item.id, syslog.elements["moonwatch@32473"].id)
    end
  end)

  it("escape what is theirs", function()
    local format = require "moonwatch.output.rfc5424"
    local syslog = parse_syslog(format { kind = "process.exec", process = { cmdline = 'a"b]c\\d\ne', pid = 7 } })
    assert.are.equal('a"b]c\\d\\x0Ae', syslog.elements["moonwatch@32473"].cmdline)
    assert.are.equal("7", syslog.pid)
    assert.are.equal(86, syslog.pri)
  end)
end)

describe("lines of Falco", function()
  local priorities = { Emergency = 1, Alert = 1, Critical = 1, Error = 1, Warning = 1, Notice = 1, Informational = 1, Debug = 1 }

  it("have what its readers need, in the order of the names", function()
    for line in lines "falco" do
      local object = cjson.decode(line)
      assert.is_truthy(priorities[object.priority])
      assert.is_truthy(object.time:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%d%d%d%dZ$")
      assert.are.equal(object.time:sub(12, -2) .. ": " .. object.priority .. " " .. object.message, object.output)
      assert.are.equal("string", type(object.rule))
      assert.are.equal("table", type(object.tags))
      local last, position = "", 1
      for _, name in ipairs { "hostname", "message", "output", "output_fields", "priority", "rule", "source", "tags", "time" } do
        local at = line:find('"' .. name .. '":', position, true)
        assert.is_truthy(at, name .. " after " .. last)
        last, position = name, at
      end
      local names = {}
      local fields = line:match '"output_fields":(%b{}),"priority"'
      for name in (fields or ""):gmatch '[{,]"([%w_.]+)":' do
        names[#names + 1] = name
      end
      for i = 2, #names do
        assert.is_true(names[i - 1] < names[i], names[i - 1] .. " before " .. names[i])
      end
    end
  end)
end)

describe("lines of osquery", function()
  local program = dofile "tests/spec/program.lua"

  --- Columns that SELECT * gives, by the table's own schema.
  local function columns_of(table_)
    local result = program.run("sql", "--json", ("PRAGMA table_info(%s)"):format(table_))
    assert.are.equal(0, result.status, result.err)
    local names = {}
    for _, row in ipairs(cjson.decode(result.out)) do
      names[row.name] = true
    end
    return names
  end

  it("have the columns of their tables, all of them texts", function()
    local shown = {}
    for line in lines "osquery" do
      local object = cjson.decode(line)
      assert.are.equal("added", object.action)
      shown[object.name] = shown[object.name] or {}
      for name, value in pairs(object.columns) do
        assert.are.equal("string", type(value))
        shown[object.name][name] = true
      end
    end
    for _, name in ipairs { "process_events", "file_events", "socket_events", "moonwatch_alerts" } do
      for column in pairs(columns_of(name)) do
        assert.is_true(shown[name][column], name .. "." .. column)
      end
    end
  end)
end)
