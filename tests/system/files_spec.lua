-- What happens to watched files, told as file.* events and rows of file_events: real programs do it.
local support = require "tests.system.support"
local files = require "tests.system.files"

--- The acts on a path, repeats of one left out.
local function told(rows, path)
  local acts = {}
  for _, row in ipairs(files.of(rows, path)) do
    if acts[#acts] ~= row.action then
      acts[#acts + 1] = row.action
    end
  end
  return table.concat(acts, " ")
end

local function sha256(text)
  local path = support.new_path()
  support.write(path, text)
  return support.run("sha256sum " .. path).out:match "^%x+"
end

describe("files", function()
  it("are told made, written, renamed, changed in mode, and removed", function()
    local rows, run = files.run [[
printf hello >$D/a
mv $D/a $D/b
chmod 640 $D/b
printf more >>$D/b
sleep 0.1
rm $D/b
mkdir $D/d
rmdir $D/d
]]
    assert.are.equal("CREATED UPDATED MOVED_FROM", told(rows, "/a"))
    assert.are.equal("MOVED_TO ATTRIBUTES_MODIFIED UPDATED DELETED", told(rows, "/b"))
    assert.are.equal("CREATED DELETED", told(rows, "/d"))
    local from, to = files.of(rows, "/a", "MOVED_FROM")[1], files.of(rows, "/b", "MOVED_TO")[1]
    assert.are.equal(from.transaction_id, to.transaction_id)
    assert.is_true(tonumber(to.transaction_id) > 0)
    assert.are_not.equal(from.eid, to.eid)
    local last = files.of(rows, "/b", "UPDATED")
    last = last[#last]
    assert.are.equal("w", last.category)
    assert.are.equal("inotify", last.found_by)
    local deleted = files.of(rows, "/b", "DELETED")[1]
    assert.are.equal("0640", deleted.mode)
    assert.are.equal("9", tostring(deleted.size))
    -- Nothing of a file that was not named.
    for _, row in ipairs(rows) do
      assert.are.equal(run.dir, row.target_path:sub(1, #run.dir))
    end
  end)

  it("have the columns of osquery, and hashes of what was written", function()
    local rows = files.run [[
printf 'some words' >$D/a
sleep 0.1
chown 12:34 $D/a
: >$D/empty
]]
    local row = files.of(rows, "/a", "UPDATED")
    row = row[#row]
    assert.are.equal(1, tonumber(row.hashed))
    assert.are.equal(sha256 "some words", row.sha256)
    assert.are.equal(32, #row.md5)
    assert.are.equal(40, #row.sha1)
    assert.are.equal(10, tonumber(row.size))
    assert.are.equal("0644", row.mode)
    for _, name in ipairs { "atime", "mtime", "ctime", "time" } do
      assert.is_true(math.abs(tonumber(row[name]) - os.time()) < 100, name)
    end
    assert.is_true(tonumber(row.inode) > 0)
    local owner = files.of(rows, "/a", "ATTRIBUTES_MODIFIED")[1]
    assert.are.same({ 12, 34 }, { tonumber(owner.uid), tonumber(owner.gid) })
    assert.are.equal(sha256 "", files.of(rows, "/empty", "CREATED")[1].sha256)
  end)

  it("are seen whatever program writes them", function()
    local rows = files.run [[
cd $D
echo one >a; echo two >>a
cp a b
sed -i s/one/1/ a
# An editor's atomic save.
cp a .a.swp; mv a a~; cp a~ a; rm a~ .a.swp
mkdir -p t/u; echo x >t/u/f
tar cf ../t.tar t; rm -r t; tar xf ../t.tar
# logrotate: rename and make anew, and copy and truncate.
echo line >log; mv log log.1; : >log; echo line >>log; cp log log.2; truncate -s 0 log
ln a hard; ln -s a soft
]]
    assert.are.equal("CREATED UPDATED", told(rows, "/b"))
    assert.is_truthy(told(rows, "/a"):find("MOVED_TO", 1, true))
    assert.is_truthy(told(rows, "/a~"):find("MOVED_TO.*DELETED"))
    assert.is_truthy(told(rows, "/a"):find("MOVED_FROM CREATED UPDATED", 1, true))
    assert.is_truthy(told(rows, "/t/u/f"):find("CREATED.*DELETED.*CREATED"))
    assert.is_truthy(told(rows, "/log"):find("CREATED.*MOVED_FROM CREATED UPDATED", 1))
    assert.is_truthy(told(rows, "/log.1"):find("MOVED_TO", 1, true))
    local last = files.of(rows, "/log", "UPDATED")
    assert.are.equal(0, tonumber(last[#last].size))
    assert.are.equal("CREATED", told(rows, "/hard"):match "%a+")
    assert.are.equal("CREATED", told(rows, "/soft"))
  end)

  it("that were changed just before the end are in the spool, with their hashes", function()
    local rows = files.run [[printf last >$D/z]]
    local row = files.of(rows, "/z", "UPDATED")[1]
    assert.are.equal(1, tonumber(row.hashed))
    assert.are.equal(sha256 "last", row.sha256)
  end)

  it("may have any name", function()
    local rows = files.run [[
printf x >"$D/a b'c
d"
printf x >"$D/$(printf '\377\376')"
]]
    assert.are.equal("CREATED UPDATED", told(rows, "/a b'c\nd"))
    assert.are.equal(2, #support.filter(rows, function(row)
      return row.action == "CREATED"
    end))
  end)

  it("of no category, or excluded, are not told", function()
    local rows = files.run([[
mkdir $D/in $D/out
echo x >$D/in/a; echo x >$D/out/a; echo x >$D/in/skip
]], { paths = function(dir)
      return { one = { dir .. "/in/%%" }, two = { dir .. "/in/%" } }
    end, excludes = { "/nowhere/%%" } })
    assert.are.equal("CREATED UPDATED", told(rows, "/in/a"))
    assert.are.equal("one", files.of(rows, "/in/a")[1].category)
    assert.are.equal("", told(rows, "/out/a"))
  end)

  it("of a new directory are told the same, whoever was faster", function()
    local run = files.start [[
step
mkdir $D/late; echo x >$D/late/f
step
mkdir $D/early
step
echo x >$D/early/f
step
]]
    run:step()
    run:hold(function()
      run:step()
      files.until_true("the file is written", function()
        local file <close> = io.open(run.dir .. "/late/f")
        return file and file:read "a" == "x\n"
      end)
    end)
    run:await "target_path LIKE '%/late/f' AND action = 'UPDATED'"
    run:step()
    run:await "target_path LIKE '%/early' AND action = 'CREATED'"
    run:step()
    run:await "target_path LIKE '%/early/f' AND action = 'UPDATED'"
    run:step()
    assert.are.equal(0, run:finish())
    local rows = run:rows()
    assert.are.equal("CREATED UPDATED", told(rows, "/late/f"))
    assert.are.equal("CREATED UPDATED", told(rows, "/early/f"))
    assert.are.equal("scan", files.of(rows, "/late/f", "UPDATED")[1].found_by)
    assert.are.equal("inotify", files.of(rows, "/early/f", "UPDATED")[1].found_by)
  end)

  it("are told as opened and read where that is asked for", function()
    local rows = files.run([[
cat $D/secret >/dev/null
cat $D/other >/dev/null
sleep 0.1
]], { prepare = "echo x >$D/secret; echo x >$D/other", paths = function(dir)
      return { keys = { dir .. "/secret" }, w = { dir .. "/%" } }
    end, accesses = { "keys" } })
    assert.are.equal("OPENED ACCESSED", told(rows, "/secret"))
    assert.are.equal("", told(rows, "/other"))
    assert.are.equal("keys", files.of(rows, "/secret")[1].category)
  end)

  it("are events for outputs and rules, told once", function()
    local _, run = files.run([[
mkdir -p $D/.ssh
echo key >$D/.ssh/authorized_keys
sleep 0.1
]])
    local events = support.json_lines(run.events_path)
    local modified = support.filter(events, function(event)
      return event.kind == "file.modify" and event.file.path:find("authorized_keys", 1, true)
    end)
    assert.is_true(#modified >= 1)
    assert.are.equal("inotify", modified[1].file.found_by)
    assert.are.equal("w", modified[1].file.category)
    local alerts = support.json_lines(run.alerts_path)
    assert.are.equal(1, #alerts)
    assert.are.equal("authorized_keys", alerts[1].rule.id)
  end)

  it("can be switched off", function()
    local result, events = support.watch("sh -c 'echo x >/tmp/moonwatch-off-$$; rm /tmp/moonwatch-off-$$'",
      "--noallow_inotify_file_events")
    assert.are.equal(0, result.code)
    assert.are.equal(0, #support.filter(events, function(event)
      return event.file and event.file.found_by == "inotify"
    end))
  end)

  it("add up: every event is stored, or counted", function()
    local rows, run = files.run [[
i=0; while [ $i -lt 300 ]; do echo x >$D/$i; i=$((i + 1)); done
rm -r $D/*
]]
    for i = 0, 299, 50 do
      assert.are.equal("CREATED UPDATED DELETED", told(rows, "/" .. i))
    end
    local value = {}
    for _, row in ipairs(support.sql(run.state, "SELECT * FROM moonwatch_health WHERE component IN ('accounting', 'dropped', 'files')")) do
      value[row.component .. "." .. row.name] = tonumber(row.value)
    end
    assert.are.equal(value["accounting.read"] + value["accounting.own"],
      value["accounting.silent"] + value["accounting.unwanted"] + value["accounting.stored"] + value["dropped.spool_lost"]
      + value["dropped.sensor_killed"])
    assert.are.equal(value["files.told"], value["files.exact"] + value["files.likely"] + value["files.unattributed"])
    assert.are.equal(0, value["files.dropped"])
  end)
end)
