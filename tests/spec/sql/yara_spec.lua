-- Rules of YARA, good and hostile ones, over files made up and processes of this machine.
local tables = dofile("tests/spec/tables.lua")
local yara = require "moonwatch.osquery.yara"

local here = tables.open()

local SHELL = [[
include "more/inc.yar"
rule shell : unix elf {
  strings: $magic = { 7f 45 4c 46 } $text = "hello"
  condition: $magic at 0 and $text
}
rule never { strings: $a = "never" condition: $a }
]]

local root = tables.root {
  ["/rules/good.yar"] = SHELL,
  ["/rules/more/inc.yar"] = "rule included : t { condition: filesize > 0 }\n",
  ["/rules/bad.yar"] = "rule a {\n  condition:\n    true and\n}\n",
  ["/rules/lost.yar"] = 'rule a { condition: true }\ninclude "nowhere.yar"\n',
  ["/rules/loop.yar"] = 'include "loop.yar"\n',
  ["/rules/compiled.yar"] = "YARA\0\1\2\3",
  ["/rules/fifo.yar"] = { fifo = true },
  ["/files/elf"] = "\x7fELF" .. ("\0"):rep(12) .. "hello, hello",
  ["/files/text"] = "hello",
  ["/files/empty"] = "",
  ["/files/fifo"] = { fifo = true },
  ["/files/folder"] = { folder = true },
  ["/files/link"] = { link = "elf" },
}

teardown(function()
  os.execute("rm -rf " .. root)
end)

local function file(name)
  return ("'%s/%s'"):format(root, name)
end

local function quoted(rule)
  return "'" .. rule:gsub("'", "''") .. "'"
end

--- Why nothing can be looked through here, or nil.
local function reason()
  here:rows("SELECT 1 FROM yara WHERE path = " .. file "files/text" .. " AND sigrule = 'rule r { condition: true }'")
  return here:warnings():match("libyara[^;]*") or here:warnings():match("libyara[^;]*")
end

local absent = reason()

--- `it`, where there is libyara.
local function it_with(name, test)
  it(name, function()
    if absent then
      pending(absent)
      return
    end
    here:warnings()
    test()
  end)
end

local function warned(text)
  local warnings = here:warnings()
  assert.is_truthy(warnings:find(text, 1, true), ("no '%s' in '%s'"):format(text, warnings))
end

describe("yara_file", function()
  it_with("gives a row a file, with what matches in it", function()
    assert.are.same({
      { root .. "/files/elf", "included,shell", 2, "t,unix,elf", "$magic:0,$text:10", root .. "/rules/good.yar", "" },
    }, here:rows("SELECT path, matches, count, tags, strings, sigfile, sig_group FROM yara WHERE path = " .. file "files/elf"
      .. " AND sigfile = " .. file "rules/good.yar"))
    assert.are.equal("", here:warnings())
  end)

  it_with("takes a text as rules, in which nothing is included", function()
    assert.are.same({ { "r", "$:0" } }, here:rows("SELECT matches, strings FROM yara_file WHERE path = " .. file "files/text"
      .. " AND sigrule = " .. quoted 'rule r { strings: $ = "hello" condition: any of them }'))
    assert.are.same({}, here:rows("SELECT * FROM yara_file WHERE path = " .. file "files/text"
      .. " AND sigrule = " .. quoted('include "' .. root .. '/rules/good.yar"')))
    warned "sigrule: line 1: includes are disabled"
  end)

  it_with("takes patterns and lists of paths, and joins", function()
    local rules = " AND sigfile = " .. file "rules/good.yar"
    local all = { { "elf", 2 }, { "empty", 0 }, { "link", 2 }, { "text", 1 } }
    local columns = "SELECT replace(path, " .. file "files/" .. ", ''), count FROM yara "
    assert.are.same(all, here:rows(columns .. "WHERE path LIKE " .. file "files/%" .. rules .. " ORDER BY path"))
    assert.are.same(all, here:rows(columns .. "WHERE path LIKE " .. file "files/%%" .. rules .. " ORDER BY path"))
    assert.are.same({ all[1], all[4] }, here:rows(columns .. ("WHERE path IN (%s, %s, %s)"):format(file "files/elf",
      file "files/text", file "files/nothing") .. rules .. " ORDER BY path"))
    assert.are.same({ { "elf", 2 }, { "link", 2 }, { "text", 1 } }, here:rows("SELECT filename, count FROM file JOIN yara USING (path) "
      .. "WHERE directory = " .. file "files" .. " AND type = 'regular' AND size > 0" .. rules .. " ORDER BY filename"))
    assert.are.equal("", here:warnings())
  end)

  it_with("names file and line of rules that are wrong", function()
    for name, what in pairs {
      ["rules/bad.yar"] = "line 4: syntax error",
      ["rules/lost.yar"] = "line 2: callback failed to provide include resource: nowhere.yar",
      ["rules/loop.yar"] = "line 1: callback failed to provide include resource: loop.yar",
      ["rules/compiled.yar"] = "is no text",
      ["rules/fifo.yar"] = "is no regular file",
      ["rules/nothing.yar"] = "No such file",
    } do
      assert.are.same({}, here:rows("SELECT * FROM yara WHERE path = " .. file "files/text" .. " AND sigfile = " .. file(name)))
      local warnings = here:warnings()
      assert.is_truthy(warnings:find(name, 1, true), name .. ": " .. warnings)
      assert.is_truthy(warnings:find(what, 1, true), name .. ": " .. warnings)
    end
  end)

  it_with("outlives rules made to hurt", function()
    for name, rule in pairs {
      ["deep group"] = "rule r { strings: $a = /" .. ("("):rep(5000) .. "a" .. (")"):rep(5000) .. "/ condition: $a }",
      ["deep condition"] = "rule r { condition: " .. ("("):rep(20000) .. "true" .. (")"):rep(20000) .. " }",
      ["many nots"] = "rule r { condition: " .. ("not "):rep(20000) .. "true }",
      ["large repetition"] = "rule r { strings: $a = /((a{1,9999}){1,9999}){1,9999}b/ condition: $a }",
      ["many alternatives"] = "rule r { strings: $a = /" .. ("a|"):rep(20000) .. "b/ condition: $a }",
      ["long text"] = 'rule r { strings: $a = "' .. ("a"):rep(100000) .. '" condition: $a }',
      ["no end"] = 'rule r { strings: $a = "',
      ["wrong jump"] = "rule r { strings: $a = { 01 [4-2] 02 } condition: $a }",
      ["no module"] = 'import "nothing" rule r { condition: true }',
      ["no bytes"] = "\xff\xfe\0r",
    } do
      here:rows("SELECT * FROM yara WHERE path = " .. file "files/text" .. " AND sigrule = " .. quoted(rule:gsub("%z", "\1")))
      assert.is_truthy(#here:warnings() > 0 or name == "many nots" or name == "deep condition" or name == "deep group"
        or name == "many alternatives" or name == "long text" or name == "large repetition", name)
    end
    -- It is still there, and right.
    assert.are.same({ { 1 } }, here:rows("SELECT count FROM yara WHERE path = " .. file "files/text"
      .. " AND sigrule = 'rule r { condition: true }'"))
  end)

  it_with("reads no file that is too large, and says so; the others have rows", function()
    assert(os.execute(("truncate -s 40G '%s/files/large'"):format(root)))
    assert.are.same({ 1 }, here:list("SELECT count FROM yara WHERE path IN (" .. file "files/large" .. "," .. file "files/text"
      .. ") AND sigfile = " .. file "rules/good.yar"))
    warned(root .. "/files/large: larger than 52428800 bytes (--read_max), not looked through")
    os.remove(root .. "/files/large")
  end)

  it_with("ends when the query's time is over", function()
    local slow = tables.open { time_ms = 300 }
    local large <close> = assert(io.open(root .. "/files/slow", "wb"))
    large:write(("a"):rep(20 << 20))
    large:flush()
    local ok, message = pcall(slow.rows, slow, "SELECT count FROM yara WHERE path = " .. file "files/slow" .. " AND sigrule = "
      .. quoted "rule r { condition: for all i in (1..filesize) : (for all k in (1..filesize) : (uint8(k) != uint8(i) or i > 0)) }")
    os.remove(root .. "/files/slow")
    assert.is_false(ok)
    assert.is_truthy(tostring(message):find("stopped after 300 ms", 1, true), message)
  end)

  it_with("does not look into what /proc tells of processes", function()
    assert.are.same({}, here:rows "SELECT * FROM yara WHERE path = '/proc/self/environ' AND sigrule = 'rule r { condition: true }'")
    warned "/proc/self/environ: files of /proc are not looked through"
  end)

  it_with("asks for rules, and fetches none", function()
    assert.are.same({}, here:rows("SELECT * FROM yara WHERE path = " .. file "files/text"))
    warned "say which rules"
    assert.are.same({}, here:rows("SELECT * FROM yara WHERE path = " .. file "files/text" .. " AND sigurl = 'https://127.0.0.1/r'"))
    warned "rules are not fetched from elsewhere (sigurl)"
    assert.are.same({}, here:rows("SELECT * FROM yara WHERE path = " .. file "files/text" .. " AND sig_group = 'nobody''s'"))
    warned "no configuration of a sensor here has signatures of a group 'nobody's'"
  end)

  it("says when it is not there", function()
    if not absent then
      pending("libyara is there")
      return
    end
    here:rows("SELECT 1 FROM yara WHERE path = '/bin/sh' AND sigrule = 'rule r { condition: true }'")
    warned "libyara"
  end)
end)

describe("yara_process", function()
  it_with("looks into the memory of a process", function()
    local pipe <close> = assert(io.popen("exec sh -c 'secret=of-a-process-in-its-memory; echo $$; read nothing' </dev/zero", "r"))
    local pid = pipe:read("n")
    -- Written in two parts, so that it is not in the memory of those who ask.
    local rule = quoted 'rule r { strings: $a = /of-a-[p]rocess-in-its-memory/ condition: $a }'
    local rows = here:rows(("SELECT pid, matches, count, strings LIKE '$a:%%' FROM yara_process WHERE pid = %d AND sigrule = %s")
      :format(pid, rule))
    os.execute("kill " .. pid)
    if here:warnings():find("cannot be read", 1, true) then
      pending("memory of other processes cannot be read here")
      return
    end
    assert.are.same({ { pid, "r", 1, 1 } }, rows)
  end)

  it_with("does not look into this program, nor into what is not there", function()
    local own = here:list("SELECT pid FROM process_envs WHERE key = 'TMPDIR' LIMIT 0") -- the column is there
    assert.are.same({}, own)
    local pid = tables.shell("echo $PPID"):match("%d+")
    assert.are.same({}, here:rows("SELECT * FROM yara_process WHERE pid = " .. pid .. " AND sigrule = 'rule r { condition: true }'"))
    warned "is this program"
    assert.are.same({}, here:rows "SELECT * FROM yara_process WHERE pid = 4194305 AND sigrule = 'rule r { condition: true }'")
    warned "4194305: its memory cannot be read"
  end)
end)

describe("yara of a configuration", function()
  local function read(member)
    local warnings = {}
    return yara.read(member, warnings), warnings
  end

  it("has groups of files", function()
    assert.are.same({ a = { "/x", "/y" }, b = {} }, (read { signatures = { a = { "/x", "/y" }, b = {} } }))
    assert.are.same({}, (read(nil)))
  end)

  it("tells what has no effect, and goes on", function()
    local groups, warnings = read { signatures = { a = { "/x" }, b = "text", c = { 1 }, d = { x = "/y" } }, file_paths = {},
      signature_urls = {} }
    assert.are.same({ a = { "/x" } }, groups)
    assert.are.equal(5, #warnings)
    assert.is_truthy(warnings[1]:find("file_paths has no effect", 1, true))
    assert.is_truthy(warnings[5]:find("signatures: d: is no list", 1, true))
    groups, warnings = read "text"
    assert.are.same({}, groups)
    assert.are.same({ "yara: is no object; passed over" }, warnings)
  end)
end)
