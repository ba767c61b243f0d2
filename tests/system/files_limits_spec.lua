-- What is lost is told, and made up for; what is to be watched may change; what was there at the start is kept.
local support = require "tests.system.support"
local files = require "tests.system.files"

local function healths(run, part)
  return support.filter(support.json_lines(run.events_path), function(event)
    return event.kind == "sensor.health" and event.message:find(part, 1, true)
  end)
end

local function config(path, document)
  support.write(path .. ".new", document)
  assert(os.rename(path .. ".new", path))
end

describe("files", function()
  it("that were changed while nobody looked are found by comparing", function()
    local run = files.start([[
step
( cd $D; seq 10000 | xargs touch )
step
sleep 2
]], { prepare = "touch $D/removed $D/written", in_memory = true, flags = "--spool_limit_mib=128" })
    run:step()
    run:hold(function()
      run:step()
      files.until_true("files are made", function()
        local file = io.open(run.dir .. "/10000")
        return file and file:close()
      end)
      support.write(run.dir .. "/written", "something")
      os.remove(run.dir .. "/removed")
    end)
    run:await "target_path LIKE '%/removed' AND action = 'DELETED'"
    run:await "target_path LIKE '%/written' AND action = 'UPDATED'"
    run:step()
    assert.are.equal(0, run:finish())
    -- The last may have been made while the queue was full, and closed when it no longer was.
    local told = support.sql(run.state, "SELECT count(DISTINCT target_path) AS n FROM file_events WHERE target_path GLOB '*/[0-9]*'")
    assert.is_true(tonumber(told[1].n) >= 10000, told[1].n)
    assert.is_true(run:health("files", "overflows") > 0)
    assert.is_true(#healths(run, "queue was full") > 0, "it was not told")
    local found = run:rows "found_by = 'scan' LIMIT 100"
    assert.is_true(#found > 0)
    for _, row in ipairs(found) do
      assert.are.equal("none", row.attribution)
    end
    assert(os.execute("rm -r " .. run.dir))
  end)

  it("are looked at now and then when there are no watches left", function()
    if not support.has_namespaces then
      return pending "needs CAP_SYS_ADMIN to make user namespaces"
    end
    local limit = "/proc/sys/user/max_inotify_watches"
    local probe = support.run(("unshare -U --map-root-user sh -c 'echo 8 >%s && cat %s'"):format(limit, limit))
    if probe.out ~= "8\n" then
      return pending("a user namespace has no limit of its own here: " .. probe.err)
    end
    local run = files.start([[
sleep 0.5
echo x >$D/d40/f
sleep 0.8
]], {
      prepare = "for i in $(seq 40); do mkdir $D/d$i; done",
      prefix = ("unshare -U --map-root-user sh -c 'echo 8 >%s; exec \"$@\"' sh"):format(limit),
      flags = "--watch_poll_interval_ms=200 --inotify_watch_share=100",
    })
    run:step()
    assert.are.equal(0, run:finish())
    local rows = run:rows "target_path LIKE '%/d40/f' AND action = 'CREATED'"
    assert.are.equal(1, #rows)
    assert.is_true(run:health("files", "polled") > 0)
    assert.is_true(rows[1].found_by == "poll" or rows[1].found_by == "scan" or rows[1].found_by == "inotify")
  end)

  it("are those of a configuration file, which may change at any time", function()
    local path = support.new_path()
    config(path, '{ "file_paths": {} }')
    local run = files.start([[
step
sleep 0.1
step
]], { flags = "--config_path=" .. path })
    run:step()
    local more = run.dir .. "-more"
    assert(os.execute("mkdir " .. more))
    config(path, ('{ "file_paths": { "more": ["%s/%%%%"] } }'):format(more))
    -- Until it is watched.
    files.until_true("it is watched", function()
      support.write(more .. "/f", os.time() .. "")
      return #support.sql(run.state, "SELECT * FROM file_events WHERE category = 'more'") > 0
    end)
    support.write(run.dir .. "/of_profile", "x")
    run:await "target_path LIKE '%/of_profile'"

    -- What is no good is refused, with its line; the rest still holds.
    config(path, '{\n  "file_paths": {\n    "more": 3\n  }\n}')
    files.until_true("it is refused", function()
      return #healths(run, "line 2: file_paths: more is a number") > 0
    end)
    config(path, '{\n  "file_paths": {\n    "more": [,]\n  }\n}')
    files.until_true("it is refused", function()
      return #healths(run, "line 3: ") > 0
    end)
    support.write(more .. "/g", "x")
    run:await "target_path LIKE '%-more/g'"

    -- Off, and on again; the category of the profile taken away.
    config(path, '{ "options": { "enable_file_events": "false", "nosuch": 1, "outputs": "x" } }')
    files.until_true("it is off", function()
      return run:health("files", "on") == 0
    end)
    assert.are.equal(1, #healths(run, "options: 1 are not known here: nosuch"))
    assert.are.equal(1, #healths(run, "outputs"))
    config(path, ('{ "options": { "enable_file_events": true }, "file_paths": { "w": [], "more": ["%s/%%"] } }'):format(more))
    files.until_true("it is on", function()
      return run:health("files", "on") == 1 and run:health("files", "settled") == 1
    end)
    support.write(run.dir .. "/unwatched", "x")
    support.write(more .. "/h", "x")
    run:await "target_path LIKE '%-more/h'"
    assert.are.equal(0, #run:rows "target_path LIKE '%/unwatched'")
    run:step()
    run:step()
    assert.are.equal(0, run:finish())
    assert(os.execute("rm -r " .. more))
  end)

  it("may be given by a query", function()
    local path = support.new_path()
    local dir = support.new_path()
    assert(os.execute("mkdir " .. dir))
    support.write(path, ([[{ "file_paths_query": { "asked": ["SELECT '%s' || '/%%%%' AS path", "SELECT 1", "nonsense"] },
      "exclude_paths": { "x": ["%s/skip/%%%%"], "bad": ["relative"] } }]]):format(dir, dir))
    local run = files.start([[
mkdir -p ]] .. dir .. [[/skip
sleep 0.2
echo x >]] .. dir .. [[/f; echo x >]] .. dir .. [[/skip/f
sleep 0.2
]], { flags = "--config_path=" .. path })
    run:step()
    assert.are.equal(0, run:finish())
    assert.is_true(#run:rows(("category = 'asked' AND target_path = '%s/f'"):format(dir)) > 0)
    assert.are.equal(0, #run:rows(("target_path = '%s/skip/f'"):format(dir)))
    assert.are.equal(1, #healths(run, 'the query has no column "path"'))
    assert.are.equal(1, #healths(run, "nonsense"))
    assert.are.equal(1, #healths(run, "relative"))
  end)

  it("are compared with those of the start before", function()
    local state = support.new_path()
    local folder = support.new_path()
    assert(os.execute(("mkdir %s; cd %s; echo a >same; echo a >changed; echo a >mode; echo a >removed"):format(folder, folder)))
    local last_run
    local function run()
      local one = files.start("sleep 0.1\nstep", { state = state, flags = "--file_baseline --file_baseline_hashes",
        paths = function()
          return { base = { folder .. "/%%" } }
        end })
      one:step()
      files.until_true("the baseline is whole", function()
        local rows = support.sql(state, "SELECT DISTINCT run FROM file_baseline WHERE change IS NOT 'removed'")
        local is_new = rows[1] and rows[1].run ~= last_run
        last_run = rows[1] and rows[1].run
        return is_new
      end)
      one:step()
      assert.are.equal(0, one:finish())
      local changes = {}
      local query = "SELECT replace(path, '%s/', '') AS name, * FROM file_baseline WHERE category = 'base'"
      for _, row in ipairs(support.sql(state, query:format(folder))) do
        changes[row.name] = row
      end
      return changes
    end
    local first = run()
    assert.are.equal("", first.same.change or "")
    assert.are.equal(64, #first.same.sha256)
    assert(os.execute(("cd %s; echo bb >changed; chmod 600 mode; rm removed; echo n >added"):format(folder)))
    local second = run()
    assert.are.equal("same", second.same.change)
    assert.are.equal("added", second.added.change)
    assert.are.equal("removed", second.removed.change)
    assert.are.equal("changed", second.changed.change)
    assert.are.equal("size mtime sha256", second.changed.differs)
    assert.are.equal("mode", second.mode.differs)
    assert.are.equal("0600", second.mode.mode)
  end)

  it("too large to be read have no hash, and it is said so", function()
    local rows = files.run([[
head -c 5000 /dev/zero >$D/large
head -c 50 /dev/zero >$D/small
sleep 0.2
]], { flags = "--read_max=1000 --file_events_hashes=sha256" })
    local large, small = files.of(rows, "/large", "UPDATED"), files.of(rows, "/small", "UPDATED")
    assert.are.equal(-1, tonumber(large[#large].hashed))
    assert.are.equal(1, tonumber(small[#small].hashed))
    assert.are.equal(64, #small[#small].sha256)
    assert.are.equal("", small[#small].md5 or "")
  end)
end)
