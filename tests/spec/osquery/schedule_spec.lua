--- Schedule, differential results and their lines, with a clock and queries laid out here.
local cjson = require "cjson"
local fake = require "tests.spec.osquery.fake"

local START = fake.START

--- Begins on a second that is divisible by `n`.
local function aligned(n, notes)
  local here = fake.new(notes)
  here.at = START - START % n
  return here
end

local function one(query, more)
  local entry = { query = query, interval = 10 }
  for name, value in pairs(more or {}) do
    entry[name] = value
  end
  return { schedule = { n = entry } }
end

describe("result lines", function()
  it("are those of osquery: a line a row, members in its order", function()
    local here = aligned(9)
    here.at = here.at - 1
    here.answer("q", { '{"path":"/bin/x","pid":"7"}' })
    here.answer("d", { '{"host_uuid":"u"}' })
    here.apply { schedule = { n = { query = "q", interval = 9 } }, decorators = { load = { "d" } } }
    local at = START - START % 9
    assert.are.same({
      '{"name":"n","hostIdentifier":"host-1","calendarTime":"Sun Aug  2 07:05:06 2026 UTC","unixTime":1785654306,"epoch":0,'
        .. '"counter":0,"numerics":false,"decorations":{"host_uuid":"u"},"columns":{"path":"/bin/x","pid":"7"},"action":"added"}',
    }, here.run(2))
    assert.are.equal(1785654306, at)
    assert.are.same({ { name = "n", at = at } }, here.ran)
    here.answer("q", { '{"path":"/bin/y","pid":"8"}' })
    assert.are.same({
      '{"name":"n","hostIdentifier":"host-1","calendarTime":"Sun Aug  2 07:05:15 2026 UTC","unixTime":1785654315,"epoch":0,'
        .. '"counter":1,"numerics":false,"decorations":{"host_uuid":"u"},"columns":{"path":"/bin/x","pid":"7"},"action":"removed"}',
      '{"name":"n","hostIdentifier":"host-1","calendarTime":"Sun Aug  2 07:05:15 2026 UTC","unixTime":1785654315,"epoch":0,'
        .. '"counter":1,"numerics":false,"decorations":{"host_uuid":"u"},"columns":{"path":"/bin/y","pid":"8"},"action":"added"}',
    }, here.run(9))
  end)

  it("are one a run in the batch format, also of nothing at the first time", function()
    local here = aligned(10)
    here.flags.logger_event_type = false
    here.flags.decorations_top_level = true
    here.flags.schedule_epoch = 3
    here.answer("q", {})
    here.answer("d", { '{"b":"2","a":"/1"}' })
    local document = one "q"
    document.decorators = { load = { "d" } }
    here.apply(document)
    assert.are.same({
      '{"diffResults":{"removed":[],"added":[]},"name":"n","hostIdentifier":"host-1","calendarTime":"Sun Aug  2 07:05:10 2026 UTC",'
        .. '"unixTime":1785654310,"epoch":3,"counter":0,"numerics":false,"a":"/1","b":"2"}' }, here.run(11))
    assert.are.same({}, here.run(10))
    here.answer("q", { '{"a":"1"}', '{"a":"2"}' })
    assert.are.same({
      '{"diffResults":{"removed":[],"added":[{"a":"1"},{"a":"2"}]},"name":"n","hostIdentifier":"host-1",'
        .. '"calendarTime":"Sun Aug  2 07:05:30 2026 UTC","unixTime":1785654330,"epoch":3,"counter":1,"numerics":false,'
        .. '"a":"/1","b":"2"}' }, here.run(10))
  end)

  it("of a snapshot have all rows, also none, each time", function()
    local here = aligned(10)
    here.flags.logger_numerics = true
    here.answer("q", { '{"a":1}', '{"a":2}' })
    here.apply(one("q", { snapshot = true }))
    local expected = '{"snapshot":[{"a":1},{"a":2}],"action":"snapshot","name":"n","hostIdentifier":"host-1",'
      .. '"calendarTime":"Sun Aug  2 07:05:10 2026 UTC","unixTime":1785654310,"epoch":0,"counter":0,"numerics":true}'
    assert.are.same({ expected }, here.run(11))
    assert.are.same({ (expected:gsub(":10 2026", ":20 2026"):gsub("310,", "320,")) }, here.run(10))
    assert.are.same({ numbers = true, sorted = true, escaped = false, null = "" }, here.asked[1].options.json)
    here.answer("q", {})
    assert.is_truthy(here.run(10)[1]:find('^{"snapshot":%[%],"action":"snapshot","name":"n"'))
    here.answer("q", { '{"a":1}' })
    here.flags.logger_snapshot_event_type = true
    assert.are.same({
      '{"name":"n","hostIdentifier":"host-1","calendarTime":"Sun Aug  2 07:05:40 2026 UTC","unixTime":1785654340,"epoch":0,'
        .. '"counter":0,"numerics":true,"columns":{"a":1},"action":"snapshot"}' }, here.run(10))
  end)

  it("leave the names of things as they are", function()
    local here = aligned(10)
    here.answer("q", { "{}" })
    here.apply { packs = { ['p/"é'] = { queries = { ["a\\/b"] = { query = "q", interval = 10 } } } } }
    assert.is_truthy(here.run(11)[1]:find([[{"name":"pack_p/\"é_a\\/b",]], 1, true), here.lines[1])
  end)
end)

local function actions(lines)
  local list = {}
  for i, line in ipairs(lines) do
    local object = cjson.decode(line)
    list[i] = ("%d %s %s"):format(object.counter, object.action, object.columns.a)
  end
  return list
end

describe("differential results", function()
  local function rows(...)
    local list = {}
    for i, value in ipairs { ... } do
      list[i] = ('{"a":"%s"}'):format(value)
    end
    return list
  end

  it("compare how often a row is there, not where", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", rows("x", "y", "x"))
    assert.are.same({ "0 added x", "0 added y", "0 added x" }, actions(here.run(11)))
    here.answer("q", rows("x", "x", "y"))
    assert.are.same({}, here.run(10))
    here.answer("q", rows("z", "x"))
    assert.are.same({ "1 removed y", "1 removed x", "1 added z" }, actions(here.run(10)))
  end)

  it("are found again after a restart, with counter and epoch", function()
    local before = aligned(10)
    before.apply(one "q")
    before.answer("q", rows("x"))
    before.run(11)
    before.answer("q", rows("x", "y"))
    assert.are.same({ "1 added y" }, actions(before.run(10)))

    local here = aligned(10, before.notes)
    here.apply(one "q")
    here.answer("q", rows("y"))
    assert.are.same({ "2 removed x" }, actions(here.run(11)))
    -- Another text goes on with what there was; another epoch begins anew.
    here.apply(one "other")
    here.answer("other", rows("y", "z"))
    assert.are.same({ "3 added z" }, actions(here.run(10)))
    here.flags.schedule_epoch = 7
    assert.are.same({ "0 added y", "0 added z" }, actions(here.run(10)))
  end)

  it("without removed rows still take away what is gone", function()
    local here = aligned(10)
    here.apply(one("q", { removed = false }))
    here.answer("q", rows("x"))
    here.run(11)
    here.answer("q", rows("y"))
    assert.are.same({ "1 added y" }, actions(here.run(10)))
    here.answer("q", rows("x"))
    assert.are.same({ "2 added x" }, actions(here.run(10)))
  end)

  it("are told again when they could not be kept", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", rows("x"))
    here.full = "disk full"
    assert.are.same({}, here.run(11))
    assert.are.same({ "2 query n: what it gave cannot be kept: disk full" }, here.reports)
    here.full = nil
    assert.are.same({ "0 added x" }, actions(here.run(10)))
    -- Lines are safe before what they told is no longer news.
    assert.are.equal(1, here.commits)
  end)

  it("leave out a line that is too long, and go on with the others", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", rows("x", ("y"):rep(2000), "z"))
    assert.are.same({ "0 added x", "0 added z" }, actions(here.run(11)))
    assert.are.same({ "2 query n: 1 of 3 lines are too long, and left out: more than 2000 bytes" }, here.reports)
    here.answer("q", rows("x", ("y"):rep(2000)))
    assert.are.same({ "1 removed z" }, actions(here.run(10)))
  end)

  it("are forgotten a week after their query is gone", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", rows("x"))
    here.run(11)
    here.apply { schedule = { other = { query = "q", interval = 10 } } }
    here.run(10)
    assert.is_not_nil(here.notes["results.n"])
    here.at = here.at + 592200 + 60
    here.apply { schedule = { other = { query = "q", interval = 10 } } }
    here.run(10)
    assert.is_nil(here.notes["results.n"])
    assert.is_not_nil(here.notes["results.other"])
  end)
end)

describe("queries over event tables", function()
  local function events(from, to, more)
    return function(options)
      local list = {}
      for i = math.max(from, (options.since.events and options.since.events.seq or 0) + 1), to do
        list[#list + 1] = ('{"a":"%d"}'):format(i)
      end
      return list, {}, fake.stats { tables = { "process_events" }, window = { events = {
        seq = to, id = "e" .. to, more = false, missed = 0, anew = false, table.unpack(more or {}) } } }
    end
  end

  it("tell each row once, and keep where they are", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", events(1, 2))
    assert.are.same({ "1 added 1", "1 added 2" }, actions(here.run(11)))
    assert.are.same({ rows = 10000 }, here.asked[1].options.since)
    assert.are.same({}, here.run(10))
    assert.are.same({ seq = 2, id = "e2" }, here.asked[1].options.since.events)

    here = aligned(10, here.notes)
    here.apply(one "q")
    here.answer("q", events(1, 4))
    assert.are.same({ "2 added 3", "2 added 4" }, actions(here.run(11)))
  end)

  it("go on in the next second while there is more", function()
    local here = aligned(10)
    here.apply(one "q")
    local calls = 0
    here.answer("q", function()
      calls = calls + 1
      return { '{"a":"' .. calls .. '"}' }, {}, fake.stats { tables = { "file_events" },
        window = { events = { seq = calls, id = "e", more = calls < 3, missed = calls == 2 and 5 or 0, anew = false } } }
    end)
    assert.are.same({ "1 added 1", "2 added 2", "3 added 3" }, actions(here.run(14)))
    assert.are.same({ 0, 1, 2 }, { here.ran[1].at % 10, here.ran[2].at % 10, here.ran[3].at % 10 })
    assert.are.same({ "1 query n: 5 events were dropped from the spool before it has seen them" }, here.reports)
  end)

  it("ask for fewer at once when it is too much", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", function(options)
      if options.since.rows > 1000 then
        return nil, "too large", "ENOBUFS", fake.stats { tables = { "process_events" } }
      end
      return { '{"a":"1"}' }, {}, fake.stats { tables = { "process_events" },
        window = { events = { seq = 1, id = "e", more = false, missed = 0 } } }
    end)
    assert.are.same({ "1 added 1" }, actions(here.run(14)))
    assert.are.equal(625, here.asked[#here.asked].options.since.rows)
    assert.are.same({}, here.reports)
  end)

  it("are told a last time at the end, others not", function()
    local here = aligned(1000)
    here.apply { schedule = {
      e = { query = "events", interval = 600 },
      p = { query = "processes", interval = 600 },
      s = { query = "events", interval = 600, snapshot = true },
    } }
    here.answer("events", events(1, 2))
    here.tables.events = { "process_events" }
    here.run(5)
    here.scheduler:finish(here.world.now() + 1000)
    assert.are.same({ "1 added 1", "1 added 2" }, actions(here.lines))
    assert.are.equal(1, #here.asked)
    assert.is_not_nil(here.kept.schedule)
  end)
end)

describe("the schedule", function()
  it("runs a query in the seconds that its interval divides", function()
    local here = aligned(100)
    here.answer("q", {})
    here.apply { schedule = { a = { query = "q", interval = 30 }, b = { query = "q", interval = "45" } } }
    here.run(100)
    local at = {}
    for i, asked in ipairs(here.asked) do
      at[i] = asked.at
      assert.is_true(asked.at % 30 == 0 or asked.at % 45 == 0)
    end
    assert.are.equal(5, #at, cjson.encode(at))
  end)

  it("draws the splay once, and finds it again", function()
    local here = fake.new()
    here.flags.schedule_splay_percent = 10
    for random, every in pairs { [0] = 90, [0.5] = 100, [0.999] = 110 } do
      local notes = {}
      here = fake.new(notes)
      here.flags.schedule_splay_percent = 10
      here.random = random
      here.apply { packs = { p = { queries = { n = { query = "q", interval = 100 } } } } }
      here.scheduler:take_changes()
      assert.are.equal(every, here.scheduler.queries[1].every)
      assert.are.equal('{"100 n":' .. every .. '}', notes.splay)
      local again = fake.new(notes)
      again.flags.schedule_splay_percent = 10
      again.apply { packs = { p = { queries = { n = { query = "q", interval = 100 } } } } }
      again.scheduler:take_changes()
      assert.are.equal(every, again.scheduler.queries[1].every)
    end
  end)

  it("catches up what it is late by, up to schedule_max_drift", function()
    local here = aligned(10)
    here.apply(one "q")
    here.flags.schedule_max_drift = 25
    local slow = 22
    here.answer("q", function()
      here.at = here.at + slow
      slow = 0
      return {}, {}, fake.stats()
    end)
    here.run(41)
    assert.are.same({ 10, 32, 32, 40 }, { here.asked[1].at - START // 10 * 10, here.asked[2].at - START // 10 * 10,
      here.asked[3].at - START // 10 * 10, here.asked[4].at - START // 10 * 10 })
    assert.are.same({}, here.reports)
    slow = 100
    here.run(150)
    assert.is_truthy(here.reports[1]:find "^1 the schedule is %d+ s late; what was due meanwhile is left out", here.reports[1])
  end)

  it("follows a clock that is set", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", {})
    here.run(11)
    here.at = here.at + 100000
    here.run(10)
    assert.are.equal(1, #here.asked)
    here.at = here.at - 500000
    here.run(20)
    assert.are.equal(2, #here.asked)
  end)

  it("runs at the start what asks for it, in its order", function()
    local here = aligned(1000)
    here.answer("q", {})
    here.at = here.at + 1
    here.apply { schedule = {
      late = { query = "q", interval = 100, startup_priority = 7, snapshot = true },
      early = { query = "q", interval = 100, startup_priority = 1, snapshot = true },
      never = { query = "q", interval = 100, snapshot = true },
    } }
    here.run(5)
    assert.are.same({ "early", "late" }, { here.ran[1].name, here.ran[2].name })
    assert.are.equal(2, #here.ran)
  end)

  it("ends at schedule_timeout", function()
    local here = aligned(10)
    here.flags.schedule_timeout = 25
    here.apply(one "q")
    here.answer("q", {})
    here.run(1000)
    assert.are.equal(2, #here.asked)
    assert.are.same({ "0 the schedule ends, after 25 s (--schedule_timeout)" }, here.reports)
  end)

  it("tells of a query that fails once, and again when it is another failure", function()
    local here = aligned(10)
    here.apply(one "q")
    here.run(31)
    assert.are.same({ "2 query n: no such table: q" }, here.reports)
    here.answer("q", {})
    here.run(10)
    here.answers.q = nil
    here.run(10)
    assert.are.equal(2, #here.reports)
  end)

  it("takes a new configuration as a whole, or not at all", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", {})
    here.answer("r", {})
    for member, expected in pairs {
      schedule = "schedule is no object", packs = "packs is no object", decorators = "decorators is no object",
      views = "views is no object",
    } do
      local warnings, message = here.scheduler:apply({ [member] = 7 }, "backend")
      assert.is_nil(warnings)
      assert.are.equal(expected, message)
    end
    here.run(11)
    assert.are.equal("q", here.asked[#here.asked].text)
    here.apply(one "r")
    here.run(10)
    assert.are.equal("r", here.asked[#here.asked].text)
    here.apply {}
    here.run(10)
    assert.are.same({}, here.asked)
  end)

  it("reads a document with the flags that it sets itself", function()
    local here = aligned(10)
    here.answer("q", {})
    here.apply { packs = { p = { queries = { n = { query = "q" } } } } }
    here.flags.schedule_default_interval = 20
    here.flags.pack_delimiter = "/"
    here.run(1)
    here.scheduler:write_tables(true)
    local query = cjson.decode(here.kept.schedule).queries[1]
    assert.are.same({ "pack/p/n", 20 }, { query.name, query.interval })
  end)

  it("joins file and backend; of two queries of a name the file's runs", function()
    local here = aligned(10)
    for _, query in ipairs { "file", "backend", "both" } do
      here.answer(query, {})
    end
    here.apply({ schedule = { n = { query = "file", interval = 10 } } }, "config")
    here.apply({ schedule = { n = { query = "backend", interval = 10 }, m = { query = "both", interval = 10 } } }, "backend")
    here.run(11)
    assert.are.same({ "file", "both" }, { here.asked[1].text, here.asked[2].text })
    here.apply({}, "config")
    here.run(10)
    assert.are.equal(2, #here.asked)
    assert.are.same({ "both", "backend" }, { here.asked[1].text, here.asked[2].text })
  end)

  it("defines views before the first query, and says which are refused", function()
    local here = aligned(10)
    here.answer("q", {})
    here.refused = "view v: a view is one SELECT\n"
    local document = one "q"
    document.views = { v = "SELECT 1", [1] = "x" }
    assert.are.same({ "view 1: takes name = SELECT, at most 256; left out" }, here.apply(document))
    here.run(11)
    assert.are.same({ v = "SELECT 1" }, here.views)
    assert.are.same({ "1 views: view v: a view is one SELECT\n" }, here.reports)
    here.refused = nil
    -- They stay until a document has others.
    here.apply(one "q")
    here.run(10)
    assert.are.same({ v = "SELECT 1" }, here.views)
    document.views = {}
    here.apply(document)
    here.run(10)
    assert.are.same({}, here.views)
  end)
end)

describe("the denylist", function()
  it("holds a query that ran when the sensor died, for a day", function()
    local notes = { ["running.schedule"] = "n" }
    local here = aligned(10, notes)
    here.apply(one "q")
    here.answer("q", {})
    here.run(86300)
    assert.are.same({}, here.asked)
    assert.are.same({ "1 query n: the sensor died while it ran; it is not run again for a day" }, here.reports)
    assert.is_nil(notes["running.schedule"])
    local again = aligned(10, notes)
    again.at = here.at
    again.apply(one "q")
    again.answer("q", {})
    again.run(50)
    assert.are.same({}, again.asked)
    again.run(100)
    assert.is_true(#again.asked > 0)
  end)

  it("does not hold one that says denylist: false, nor one of event tables alone", function()
    local here = aligned(10, { ["running.schedule"] = "n" })
    here.apply(one("q", { denylist = false }))
    local marked
    here.answer("q", function()
      marked = here.notes["running.schedule"]
      return {}, {}, fake.stats { tables = { "process_events" }, window = {} }
    end)
    here.run(11)
    assert.are.equal(1, #here.asked)
    assert.is_nil(marked)

    here = aligned(10)
    here.apply(one "q")
    local marks = {}
    here.answer("q", function()
      marks[#marks + 1] = here.notes["running.schedule"] or "none"
      return {}, {}, fake.stats { tables = { "process_events" }, window = {} }
    end)
    here.run(21)
    assert.are.same({ "n", "none" }, marks)
  end)

  it("holds what its limits ended by its own fault", function()
    for code, stats in pairs {
      ETIME = { user_ms = 29000, system_ms = 10, wall_ms = 30000 },
      ENOMEM = {},
      ENOBUFS = {},
    } do
      local here = aligned(10)
      here.apply(one "q")
      here.answer("q", function()
        return nil, "stopped", code, fake.stats(stats)
      end)
      here.run(41)
      assert.are.equal(1, #here.asked, code)
      assert.are.same({ "2 query n: stopped; it is not run again for a day" }, here.reports)
      assert.are.equal(1, cjson.decode(here.kept.schedule).queries[1].denylisted)
    end
    -- Somebody else took the processor, or did not answer.
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", function()
      return nil, "stopped", "ETIME", fake.stats { user_ms = 3, system_ms = 1, wall_ms = 30000 }
    end)
    here.run(21)
    assert.are.equal(2, #here.asked)
    assert.are.same({ "2 query n: stopped" }, here.reports)
    -- But not time after time.
    here.run(40)
    assert.are.equal(1, #here.asked)
    assert.are.equal("2 query n: stopped; it is not run again for a day", here.reports[2])
  end)

  it("forgives what was stopped by the end", function()
    local here = aligned(10)
    here.apply(one "q")
    here.answer("q", function()
      assert.are.equal("n", here.notes["running.schedule"])
      here.scheduler:stop()
      assert.is_nil(here.notes["running.schedule"])
      return {}, {}, fake.stats()
    end)
    here.run(11)
    assert.are.equal(1, #here.asked)
  end)
end)

describe("what is known of the schedule", function()
  it("is told to the tables", function()
    local here = aligned(10)
    here.answer("q", { '{"a":"1"}' })
    here.answer("yes", { "{}" })
    here.answer("no", {})
    here.apply {
      schedule = { n = { query = "q", interval = 10 } },
      packs = {
        on = { queries = { x = { query = "q", interval = 20 } }, discovery = { "yes" }, platform = "linux", shard = 60 },
        off = { queries = { x = { query = "q", interval = 20 } }, discovery = { "yes", "no", "yes" } },
        old = { queries = { x = { query = "q", interval = 20 } }, version = "99.0.0" },
      },
    }
    here.run(61)
    here.scheduler:write_tables(true)
    local known = cjson.decode(here.kept.schedule)
    assert.are.same({ "n", "pack_off_x", "pack_on_x" }, { known.queries[1].name, known.queries[2].name, known.queries[3].name })
    local n = known.queries[1]
    assert.are.equal(6, n.executions)
    assert.are.same({ 10, 18, 3, 12, 2, 6, 1, 4096, 4096, 0 }, { n.interval, n.wall_time_ms, n.last_wall_time_ms, n.user_time,
      n.last_user_time, n.system_time, n.last_system_time, n.average_memory, n.last_memory, n.denylisted })
    assert.are.equal(0, known.queries[2].executions)
    assert.are.equal(3, known.queries[3].executions)
    assert.is_true(n.output_size > 100)
    local rows = {}
    for i, pack in ipairs(known.packs) do
      rows[i] = ("%s %d %d %d"):format(pack.name, pack.active, pack.discovery_executions, pack.discovery_cache_hits)
    end
    assert.are.same({ "off 0 1 2", "old 0 0 0", "on 1 1 2" }, rows)
  end)
end)
