--- Which queries of a configuration are for this host; decorators.
local cjson = require "cjson"
local decorators = require "moonwatch.osquery.decorators"
local fake = require "tests.spec.osquery.fake"
local packs = require "moonwatch.osquery.packs"

local function names(document, settings)
  local all = { shard = 50, default_interval = 3600, delimiter = "_" }
  for name, value in pairs(settings or {}) do
    all[name] = value
  end
  local list, warnings = packs.read(document, all)
  local found = {}
  for _, pack in ipairs(assert(list, warnings)) do
    for _, query in ipairs(pack.fits and pack.queries or {}) do
      found[#found + 1] = query.name .. " " .. query.interval
    end
  end
  return found, warnings, list
end

describe("a schedule", function()
  it("takes intervals as numbers and texts, and a default", function()
    local found, warnings = names { schedule = {
      a = { query = "q", interval = 60 },
      b = { query = "q", interval = "61" },
      c = { query = "q" },
      d = { query = "q", interval = 0 },
      e = { query = "q", interval = 604801 },
      f = { query = "q", interval = "often" },
      g = { query = "q", interval = 604800 },
    } }
    assert.are.same({ "a 60", "b 61", "c 3600", "g 604800" }, found)
    assert.are.same({
      "query d: interval goes from 1 to 604800 s; left out",
      "query e: interval goes from 1 to 604800 s; left out",
      "query f: interval goes from 1 to 604800 s; left out",
    }, warnings)
  end)

  it("leaves out what is none", function()
    local found, warnings = names { schedule = {
      a = 7, b = {}, c = { query = 7 }, d = { query = "" }, ["query.x"] = { query = "q" }, xepoch = { query = "q" },
      xcounter = { query = "q" }, good = { query = "q" }, ["cache.x"] = { query = "q" }, ["config_views.x"] = { query = "q" },
      [""] = { query = "q" }, [("n"):rep(600)] = { query = "q" }, long = { query = ("q"):rep(300000) },
    } }
    assert.are.same({ "good 3600" }, found)
    assert.are.equal(12, #warnings)
  end)

  it("is for some platforms, versions and shards", function()
    for entry, fits in pairs {
      ['{"platform":"linux"}'] = true, ['{"platform":"posix"}'] = true, ['{"platform":"darwin,linux"}'] = true,
      ['{"platform":"any"}'] = true, ['{"platform":"all"}'] = true, ['{"platform":"ubuntu"}'] = true,
      ['{"platform":"centos"}'] = true, ['{"platform":""}'] = true, ['{"platform":"null"}'] = true,
      ['{"platform":"darwin"}'] = false, ['{"platform":"windows"}'] = false, ['{"platform":"freebsd"}'] = false,
      ['{"version":"1.4.5"}'] = true, ['{"version":"5.23.0"}'] = true, ['{"version":"5.23"}'] = true,
      ['{"version":"5.23.1"}'] = false, ['{"version":"6"}'] = false, ['{"version":""}'] = true,
      ['{"shard":50}'] = true, ['{"shard":"50"}'] = true, ['{"shard":49}'] = false, ['{"shard":0}'] = true,
      ['{"shard":100}'] = true, ['{"shard":"1"}'] = false,
    } do
      local object = cjson.decode(entry)
      object.query = "q"
      assert.are.same(fits and { "n 3600" } or {}, names { schedule = { n = object } }, entry)
      object.query = nil
      object.queries = { n = { query = "q" } }
      assert.are.same(fits and { "pack_p_n 3600" } or {}, names { packs = { p = object } }, entry)
    end
    -- The first byte of the SHA-1 of the host's name, as osquery reckons.
    assert.are.equal(0, packs.shard_of "00ff")
    assert.are.equal(100, packs.shard_of "ff00")
    assert.are.equal(50, packs.shard_of "80")
  end)

  it("reads booleans as backends write them", function()
    local _, _, list = names { schedule = {
      z = { query = "q", interval = cjson.null, removed = cjson.null, platform = cjson.null, version = cjson.null,
        shard = cjson.null, snapshot = cjson.null },
      a = { query = "q", snapshot = "true", removed = 0, denylist = "f" },
      b = { query = "q", snapshot = "t", removed = "false", blacklist = false },
      c = { query = "q", snapshot = 1 },
      d = { query = "q", snapshot = cjson.null },
    } }
    local told = {}
    for i, query in ipairs(list[1].queries) do
      told[i] = ("%s %s %s"):format(query.snapshot, query.removed, query.denylist)
    end
    assert.are.same({ "true false false", "true false false", "true true true", "false true true",
      "false true true" }, told)
  end)

  it("has so many queries and no more", function()
    local schedule = {}
    for i = 1, 5000 do
      schedule["q" .. i] = { query = "q" }
    end
    local found, warnings = names { schedule = schedule }
    assert.are.equal(4096, #found)
    assert.are.equal(33, #warnings)
    assert.are.equal("… and 872 more like that", warnings[33])
  end)
end)

describe("packs", function()
  it("name their queries, with a delimiter that can be chosen", function()
    local document = { schedule = { n = { query = "q" } }, packs = { p = { queries = { n = { query = "q" } } } } }
    assert.are.same({ "n 3600", "pack_p_n 3600" }, names(document))
    assert.are.same({ "n 3600", "pack/p/n 3600" }, names(document, { delimiter = "/" }))
  end)

  it("may be in files of their own, where the configuration is one", function()
    local document = { packs = { p = "/etc/p.conf", q = "/etc/none.conf" } }
    local found, warnings = names(document)
    assert.are.same({}, found)
    assert.are.equal("pack p: only a configuration file may name other files; left out", warnings[1])
    found, warnings = names(document, { read_pack = function(path)
      if path == "/etc/p.conf" then
        return { queries = { n = { query = "q" } } }
      end
      return nil, path .. ": No such file or directory"
    end })
    assert.are.same({ "pack_p_n 3600" }, found)
    assert.are.same({ "pack q: /etc/none.conf: No such file or directory; left out" }, warnings)
  end)

  it("may have members that are null", function()
    local found, warnings = names { packs = { p = { queries = { n = { query = "q" } }, discovery = cjson.null, platform = cjson.null },
      q = { queries = cjson.null } } }
    assert.are.same({ "pack_p_n 3600" }, found)
    assert.are.same({}, warnings)
  end)

  it("are left out when they are none", function()
    local found, warnings = names { packs = {
      a = 7, main = { queries = { n = { query = "q" } } }, b = { discovery = { 7 }, queries = { n = { query = "q" } } },
      c = { queries = "q" }, [""] = {},
    } }
    assert.are.same({}, found)
    assert.are.equal(5, #warnings)
  end)

  it("run while all their discovery queries give a row, which is asked again now and then", function()
    local here = fake.new()
    here.at = fake.START - fake.START % 100
    here.flags.pack_refresh_interval = 50
    here.answer("q", {})
    here.answer("one", { "{}" })
    here.answer("two", {})
    here.apply { packs = { p = { discovery = { "one", "two" }, queries = { n = { query = "q", interval = 10 } } } } }
    here.run(31)
    local function count(text)
      local n = 0
      for _, asked in ipairs(here.asked) do
        n = n + (asked.text == text and 1 or 0)
      end
      return n
    end
    assert.are.same({ 1, 1, 0 }, { count "one", count "two", count "q" })
    here.answer("two", { "{}", "{}" })
    here.run(60)
    assert.are.same({ 1, 1, 4 }, { count "one", count "two", count "q" })
    -- A discovery query that is wrong is not met, and told once.
    here.answers.one = nil
    here.run(100)
    assert.are.equal(0, count "two")
    assert.are.same({ "1 pack p: discovery: no such table: one" }, here.reports)
  end)
end)

describe("decorators", function()
  it("run at the load, before each query and each so many minutes; later ones win", function()
    local here = fake.new()
    here.at = fake.START - fake.START % 600
    here.answer("q", { '{"a":"1"}' })
    here.answer("load", { '{"x":"load","y":"load","z":"load"}', '{"x":"second row"}' })
    here.answer("always", { '{"y":"always"}' })
    here.answer("minutes", { '{"z":"minutes"}' })
    here.apply {
      schedule = { n = { query = "q", interval = 50, snapshot = true } },
      decorators = { load = { "load" }, always = { "always", "broken" }, interval = { ["120"] = { "minutes" } } },
    }
    here.run(51)
    assert.is_truthy(here.lines[1]:find('"decorations":{"x":"load","y":"always","z":"load"}', 1, true), here.lines[1])
    here.run(100)
    assert.is_truthy(here.lines[1]:find('"decorations":{"x":"load","y":"always","z":"load"}', 1, true), here.lines[1])
    assert.is_truthy(here.lines[2]:find('"decorations":{"x":"load","y":"always","z":"minutes"}', 1, true), here.lines[2])
    assert.are.same({ '1 decorators: decorator "broken": no such table: broken' }, here.reports)
    assert.is_nil(here.notes["running.schedule"])
    here.flags.disable_decorators = true
    here.run(50)
    assert.is_nil(here.lines[1]:find("decorations", 1, true))
  end)

  it("are left out when they are none", function()
    local made, warnings = decorators.read { load = "one", always = 7, interval = { ["90"] = { "q" }, x = { "q" }, ["60"] = { "q" } } }
    assert.are.same({ "one" }, made.load)
    assert.are.same({}, made.always)
    assert.are.same({ [60] = { "q" } }, made.interval)
    assert.are.equal(3, #warnings)
  end)
end)
