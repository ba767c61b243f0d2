-- What a backend asks for: every preset's paths, distributed queries that are no good or too much, carves over a bad line.
local backend = require "tests.system.backend"
local support = require "tests.system.support"
local watched = require "tests.system.watched"

local FLAGS <const> = " --logger_events=false --distributed_interval=1 --logger_tls_period=1 --config_refresh=60"

after_each(watched.end_all)

describe("presets", function()
  it("have the paths of each backend", function()
    local environment = "5c9e7e3a-0f3b-4c8e-9d0e-6f1f0a6f2b11"
    local all = {}
    for preset, more in pairs {
      fleet = "", uptycs = "", doorman = "", zentral = "", osctrl = "--backend_path=/" .. environment,
    } do
      local server = backend.start(("--preset=%s --env=%s"):format(preset, environment))
      server:set { style = ({ osctrl = "osctrl", doorman = "doorman" })[preset] or "fleet" }
      server:query { q = "SELECT 1 AS one" }
      all[server] = watched.start(("%s %s --backend=%s %s"):format(server:flags(), FLAGS, preset, more))
    end
    for server, app in pairs(all) do
      for _, endpoint in ipairs { "enroll", "config", "log", "read", "write" } do
        server:wait { where = { endpoint = endpoint, accepted = true }, timeout_s = 20 }
      end
      assert.are.equal(0, app:stop())
      server:stop()
    end
  end)

  it("of Uptycs by the names its customers know", function()
    local server = backend.start "--preset=uptycs"
    local flags = server:flags():gsub("%-%-backend=%S+", ""):gsub("%-%-tls_hostname=%S+", ""):gsub("%-%-enroll_secret=%S+", "")
    server:set { secrets = { "uuid##uuid" } }
    local app = watched.start(flags .. FLAGS, { environment = ("UPTYCS_HOSTNAME=%s UPTYCS_SECRET='uuid##uuid'"):format(server.hostname) })
    server:wait { where = { endpoint = "config", accepted = true } }
    assert.are.equal(0, app:stop())
    server:stop()
  end)
end)

describe("distributed queries", function()
  local server

  setup(function()
    server = backend.start()
  end)

  teardown(function()
    server:stop()
  end)

  before_each(function()
    server:fault()
    server:query({}, nil, { only = true })
    server:set { config = {} }
  end)

  local function answers(count)
    local found = {}
    for _, record in ipairs(server:wait { where = { endpoint = "write", accepted = true }, count = count, timeout_s = 60 }) do
      for id, status in pairs(record.body.statuses) do
        found[id] = { status = status, rows = record.body.queries[id], message = record.body.messages[id] }
      end
    end
    return found
  end

  it("that never end, are no SQL, or give too much are bounded, and say so; others are answered", function()
    local app = watched.start(server:flags() .. FLAGS)
    server:query({
      good = "SELECT 7 AS seven, '' AS empty, NULL AS none, 1.5 AS part",
      wrong = "SELECT a FROM nowhere",
      endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
      wide = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, hex(zeroblob(5000)) AS x FROM n LIMIT 5000",
      deep = "SELECT " .. ("("):rep(5000) .. "1" .. (")"):rep(5000),
      write = "DELETE FROM processes", attach = "ATTACH '/tmp/x' AS x", pragma = "PRAGMA writable_schema = 1",
      skipped = "SELECT 1", asked = "SELECT 2 AS two",
    }, { skipped = "SELECT 1 WHERE 0", asked = "SELECT 1" })
    local found
    app:await(function()
      found = answers(1)
      return found.good and found.wrong and found.endless and found.wide and found.deep and found.write and found.attach and found.asked
    end, 90)
    assert.are.same({ { seven = "7", empty = "", none = "", part = "1.5" } }, found.good.rows)
    assert.are.same({ { two = "2" } }, found.asked.rows)
    assert.is_nil(found.skipped)
    for _, id in ipairs { "wrong", "endless", "deep", "write", "attach" } do
      assert.are.equal(1, found[id].status, id)
      assert.is_true(#found[id].message > 0 and #found[id].message < 1000, id)
    end
    assert.matches("no such table", found.wrong.message)
    assert.are.equal(0, app:stop())
    server:check()
  end)

  it("are not run again when their answer got lost", function()
    local app = watched.start(server:flags() .. FLAGS)
    local path = support.new_path()
    server:fault({ endpoint = "write", kind = "reset_answer", applied = true, times = 1 },
      { endpoint = "write", kind = "status", status = 503, times = 1 })
    server:query({ once = "SELECT unix_time, '" .. path .. "' AS path FROM time" })
    local all = server:wait { where = { endpoint = "write", ["body.statuses.once"] = 0 }, count = 3, timeout_s = 60 }
    assert.are.same(all[1].body.queries.once, all[3].body.queries.once)
    assert.are.equal(0, app:stop())
    server:check()
  end)

  it("that were running when the sensor died are not run again", function()
    local app = watched.start(server:flags() .. FLAGS)
    local endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    server:query({ deadly = endless }, nil, { again = true })
    server:wait { where = { endpoint = "read", accepted = true } }
    app:await(function()
      for _, node in ipairs(server:state().nodes) do
        if node.asked[1] == "deadly" then
          return true
        end
      end
    end)
    os.execute "sleep 1" -- it runs for as long as it may, which is longer
    app:kill_sensor()
    local answer = server:wait { where = { endpoint = "write", ["body.statuses.deadly"] = 1 }, timeout_s = 60 }[1]
    assert.matches("denylisted", answer.body.messages.deadly)
    assert.are.equal(0, app:stop())
    server:check()
  end)

  it("are asked for every 5 s while the backend wants that", function()
    server:set { accelerate = 30 }
    local before = server:last()
    local app = watched.start(server:flags() .. " --distributed_interval=60 --logger_tls_period=3600")
    -- The second one may be as soon as the configuration is there.
    local reads = server:wait { where = { endpoint = "read" }, count = 4, after = before, timeout_s = 40 }
    for i = 3, 4 do
      local gap = reads[i].time - reads[i - 1].time
      assert.is_true(gap > 3 and gap < 9, gap)
    end
    server:set { accelerate = 0 }
    assert.are.equal(0, app:stop())
    server:check()
  end)

  it("for files get them whole, though answers are lost and the server is busy", function()
    local path = server.dir .. "/file"
    assert(os.execute(("head -c 100000 /dev/urandom >%s"):format(path)))
    server:fault({ endpoint = "carve_continue", kind = "reset_answer", applied = true, times = 1 },
      { endpoint = "carve_continue", times = 2 }, { endpoint = "carve_continue", kind = "status", status = 503, times = 1 },
      { endpoint = "carve_start", kind = "cut", times = 1 })
    local app = watched.start(server:flags() .. FLAGS .. " --disable_carver=false --carver_compression=false")
    server:query { carve = ("SELECT * FROM carves WHERE path = '%s' AND carve = 1"):format(path) }
    local carve = app:await(function()
      for _, one in ipairs(server:state().carves) do
        if type(one.path) == "string" then
          return one
        end
      end
    end, 90)
    assert.are.equal(0, app:stop())
    server:check()
    local out = support.new_path()
    assert(os.execute(("mkdir %s && tar -xf %s -C %s"):format(out, carve.path, out)))
    assert.are.equal(0, support.run(("cmp %s $(find %s -type f)"):format(path, out)).code)
  end)
end)
