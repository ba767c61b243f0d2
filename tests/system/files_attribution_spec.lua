-- Who changed a file: exactly where system calls are seen, likely where something points to one process, and never a wrong one.
local support = require "tests.system.support"
local files = require "tests.system.files"

--- What every program is to be blamed for; by the path, which nobody else touches.
local script = [[
cd $D
touch touched
cp touched copied
mv copied moved
chmod 600 moved
mkdir made
rm moved
printf 'a\nb\n' >redirected
cat redirected >from_cat
sed -i s/a/c/ redirected
sleep 0.3
tee teed <redirected >/dev/null
sleep 0.3
dd if=redirected of=dd status=none
]]

--- Programs that may be named for acts on a path: by the first word of the command line.
local culprits = {
  ["/touched"] = { "touch" },
  ["/copied"] = { "cp", "mv" },
  ["/moved"] = { "mv", "chmod", "rm" },
  ["/made"] = { "mkdir" },
  ["/redirected"] = { "sh", "sed" },
  ["/from_cat"] = { "sh", "cat" },
  ["/teed"] = { "tee" },
  ["/dd"] = { "dd" },
}

local function check(rows)
  local count = {}
  for _, row in ipairs(rows) do
    count[row.attribution] = (count[row.attribution] or 0) + 1
    if row.attribution == "none" then
      assert.are.equal("", row.pid or "")
    else
      local name = row.cmdline:match "^%S+":match "[^/]+$"
      local may = culprits[row.path] or (row.path:find("^/sed") and { "sed" }) or {}
      local is_right = false
      for _, culprit in ipairs(may) do
        is_right = is_right or culprit == name
      end
      assert.is_true(is_right, ("%s %s is said to be by %s (%s)"):format(row.action, row.path, row.cmdline, row.attribution))
    end
  end
  return count
end

describe("who changed a file", function()
  it("is known exactly where system calls are seen", function()
    local rows, run = files.run(script, { attention = "calls" })
    local count = check(rows)
    assert.is_nil(count.likely)
    assert.is_nil(count.none)
    assert.is_true(count.exact >= 20)
    -- And told once, to outputs.
    local told = {}
    for _, event in ipairs(support.json_lines(run.events_path)) do
      if event.file and event.file.path == run.dir .. "/made" then
        told[#told + 1] = event.kind .. " " .. event.file.found_by
      end
    end
    assert.are.same({ "file.create call" }, told)
    assert.is_true(run:health("files", "joined") > 5)
    local calls = support.sql(run.state, ("SELECT operation, path, dest_path FROM process_file_events WHERE dest_path = '%s'"):format(
      run.dir .. "/moved"))
    assert.are.equal(run.dir .. "/copied", calls[1].path)
  end)

  it("is likely where a command line or an open file says so, and else nobody", function()
    local rows = files.run(script)
    local count = check(rows)
    assert.is_nil(count.exact)
    assert.is_true((count.likely or 0) >= 5, "only " .. (count.likely or 0))
    local function one(path, action)
      return files.of(rows, path, action)[1]
    end
    assert.are.equal("likely", one("/made", "CREATED").attribution)
    assert.are.equal("likely", one("/teed", "CREATED").attribution)
    assert.are.equal("likely", one("/dd", "UPDATED").attribution)
    -- The shell itself writes it, and nothing says so; unless it is seen at it.
    local redirected = one("/redirected", "CREATED")
    assert.is_true(redirected.attribution == "none" or redirected.cmdline:find "^sh " ~= nil, redirected.cmdline)
  end)

  it("is who has it open, as long as it was the last to write", function()
    local rows = files.run [[
exec 5>$D/log
sleep 0.2
echo one >&5; sleep 0.2
# Another one appends, and is gone.
python3 -c 'import sys; f = open(sys.argv[1], "a"); f.write("two\n"); f.close()' $D/log
sleep 0.2
# Another one truncates; the shell still has it open.
truncate -s 0 $D/log
sleep 0.2
]]
    local by = {}
    for _, row in ipairs(rows) do
      by[#by + 1] = row.cmdline and row.cmdline:match "^%S+" or row.attribution
    end
    for _, name in ipairs(by) do
      assert.is_true(name == "sh" or name == "none" or name == "truncate" or name:find "python3$" ~= nil, table.concat(by, " "))
    end
    local last = rows[#rows]
    assert.are.equal(0, tonumber(last.size))
    assert.are_not.equal("sh", by[#by], table.concat(by, " "))
  end)

  it("is nobody who only reads it", function()
    local rows = files.run([[
cat $D/f >/dev/null & grep x $D/f & sha256sum $D/f >/dev/null & tail -n 1 $D/f >/dev/null &
python3 -c 'import sys; open(sys.argv[1], "w").write("x")' $D/f
wait
sleep 0.2
]], { prepare = "echo x >$D/f" })
    assert.is_true(#rows > 0)
    for _, row in ipairs(rows) do
      assert.is_true(row.attribution == "none" or row.cmdline:find "^%S*python3 " ~= nil, row.cmdline)
    end
  end)

  it("is who goes on writing", function()
    local rows = files.run [[
python3 -c 'import sys, time
f = open(sys.argv[1], "w")
for i in range(5):
  f.write("line\n"); f.flush(); time.sleep(0.1)' $D/held
]]
    local likely = support.filter(rows, function(row)
      return row.attribution == "likely"
    end)
    assert.is_true(#likely >= 3, #likely .. " of " .. #rows)
    for _, row in ipairs(likely) do
      assert.is_truthy(row.cmdline:find "^%S*python3 ")
    end
  end)

  it("is nobody where two may have done it", function()
    local rows = files.run [[
touch $D/both & touch $D/both & wait
sleep 0.2
]]
    for _, row in ipairs(rows) do
      assert.is_true(row.attribution == "none" or row.cmdline:find("^touch") ~= nil)
    end
  end)

  it("is nobody of the application when another program of the machine did it", function()
    local run = files.start([[
sleep 30 & S=$!; tee $D/teed </dev/zero >/dev/null & P=$!
sleep 0.2
kill $P
step
kill $S
]])
    run:step()
    run:await "action = 'CREATED'"
    for i = 1, 20 do
      support.write(run.dir .. "/foreign" .. i, "x")
    end
    support.write(run.dir .. "/teed", "x")
    run:await "target_path LIKE '%foreign20' AND action = 'UPDATED'"
    run:step()
    run:finish()
    for _, row in ipairs(run:rows "target_path LIKE '%foreign%'") do
      assert.are.equal("none", row.attribution, row.cmdline)
    end
  end)

  it("stays right when many do many things", function()
    local rows = files.run [[
cd $D
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  mkdir d$i; touch d$i/touch; cp d$i/touch d$i/cp; mv d$i/cp d$i/mv; ln d$i/mv d$i/ln; rm d$i/mv
done
rm -r d1 d2 d3
]]
    for _, row in ipairs(rows) do
      local name = row.cmdline and row.cmdline:match "^%S+"
      local base = row.path:match "[^/]+$"
      if row.attribution ~= "none" and row.action ~= "DELETED" and row.action ~= "ATTRIBUTES_MODIFIED" then
        local right = base:find "^d%d" and name == "mkdir" or name == base or (base == "cp" and name == "mv")
        assert.is_truthy(right, ("%s %s by %s"):format(row.action, row.path, row.cmdline))
      elseif row.attribution ~= "none" and row.action == "DELETED" then
        assert.is_true(name == "rm" or name == "mv", row.cmdline)
      end
    end
  end)
end)
