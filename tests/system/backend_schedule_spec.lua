-- What a backend schedules: its lines, as strict as the reference backend is with them, and what is wrong with a schedule.
local backends = require "tests.system.backend"
local support = require "tests.system.support"

local backend, state

local ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT "

local function command_of(command, flags)
  state = support.new_path()
  return ("%s run --state_dir=%s --outputs=alerts/json:file=%s --logger_tls_period=1 %s %s -- %s"):format(support.moonwatch, state,
    support.new_path(), backend:flags(), flags or "", command)
end

--- Run an application under the sensor while `body` goes on; what it said on standard error.
local function beside(body, flags)
  local stop, err, over = support.new_path(), support.new_path(), support.new_path()
  os.execute(("( %s 2>%s; echo $? >%s.new; mv %s.new %s ) &"):format(
    command_of(("sh -c 'until [ -e %s ]; do sleep 0.05; done'"):format(stop), flags), err, over, over, over))
  local ok, message = pcall(body)
  support.write(stop, "")
  support.await(over)
  assert(ok, message)
  assert.are.equal("0\n", support.read(over))
  return support.read(err)
end

local function config(more)
  local document = { options = { config_refresh = 1, schedule_splay_percent = 0 } }
  for name, value in pairs(more.options or {}) do
    document.options[name] = value
  end
  for name, value in pairs(more) do
    if name ~= "options" then
      document[name] = value
    end
  end
  backend:set { config = document }
end

describe("a backend's schedule", function()
  before_each(function()
    backend = backends.start()
  end)

  after_each(function()
    backend:stop()
  end)

  it("gives lines of results, decorated; and so does another one, within a refresh", function()
    config {
      schedule = {
        one = { query = "SELECT 'x' AS b, 1 AS a", interval = 1 },
        all = { query = "SELECT 1 AS a UNION ALL SELECT 2", interval = 1, snapshot = true },
      },
      packs = {
        p = { queries = { q = { query = "SELECT name FROM v", interval = "1" } }, discovery = { "SELECT 1" } },
        none = { queries = { q = { query = "SELECT 1", interval = 1 } }, discovery = { "SELECT 1 WHERE 0" } },
      },
      views = { v = "SELECT username AS name FROM users WHERE uid = 0" },
      decorators = { load = { "SELECT 'blue' AS colour" } },
    }
    local err = beside(function()
      local line = backend:wait({ line = { name = "one" }, timeout_s = 20 })[1]
      assert.are.same({ a = "1", b = "x" }, line.columns)
      assert.are.same({ "added", 0, false, { colour = "blue" } }, { line.action, line.counter, line.numerics, line.decorations })
      assert.are.same({ name = "root" }, backend:wait({ line = { name = "pack_p_q" } })[1].columns)
      assert.are.same({ { a = "1" }, { a = "2" } }, backend:wait({ line = { name = "all" } })[1].snapshot)
      config {
        options = { schedule_epoch = 9, logger_event_type = false, logger_numerics = true, pack_delimiter = "/" },
        schedule = { one = { query = "SELECT 'x' AS b, 2 AS a", interval = 1 } },
        packs = { p = { queries = { q = { query = "SELECT 5.5 AS a", interval = 1 } } } },
      }
      line = backend:wait({ line = { name = "one", epoch = 9 }, timeout_s = 20 })[1]
      assert.are.same({ added = { { a = 2, b = "x" } }, removed = {} }, line.diffResults)
      assert.are.same({ 0, true }, { line.counter, line.numerics })
      assert.is_nil(line.decorations)
      line = backend:wait({ line = { name = "pack/p/q" }, timeout_s = 20 })[1]
      assert.are.same({ { a = 5.5 } }, line.diffResults.added)
    end)
    assert.are.equal("", err)
    assert.are.equal(0, backend:count { line = { name = "pack_none_q" } })
  end)

  it("is for a job of no time, too: what it did is told at its end", function()
    config { schedule = {
      execs = { query = "SELECT path, cmdline FROM process_events WHERE cmdline = '/bin/true marked'", interval = 600 },
      first = { query = "SELECT 1 AS a", interval = 600, startup_priority = 1 },
    } }
    local result = support.run(command_of("sh -c '/bin/true marked; exit 3'", "--shutdown_flush_ms=30000"))
    assert.are.equal(3, result.code, result.err)
    assert.are.equal("", result.err)
    local lines = backend:wait { line = { name = "execs" }, timeout_s = 10 }
    assert.are.equal("/bin/true marked", lines[1].columns.cmdline)
    assert.are.equal(1, #lines)
  end)

  it("that is wrong is refused, told, and the one before goes on; an entry that is wrong is left out", function()
    config { schedule = { one = { query = "SELECT unix_time FROM time", interval = 1 }, none = { query = 7 } } }
    local err = beside(function()
      backend:wait { line = { name = "one" }, timeout_s = 20 }
      backend:wait { line = { message = { match = 'query none: has no text in "query"; left out' } } }
      for _, bad in ipairs { { schedule = "all" }, { packs = 7 }, { decorators = true } } do
        config(bad)
        local at = backend:last()
        backend:wait { line = { severity = 1, message = { match = "refused" } }, after = at, timeout_s = 20 }
        backend:wait { line = { name = "one" }, after = backend:last(), timeout_s = 20 }
      end
    end)
    for _, name in ipairs { "schedule", "packs", "decorators" } do
      assert.is_truthy(err:find(name .. " is no object", 1, true), err)
    end
  end)

  it("that never ends does not keep others from running, and is told", function()
    config {
      options = { query_timeout_ms = 700, distributed_interval = 1 },
      schedule = {
        endless = { query = ENDLESS .. "count(*) FROM c", interval = 1 },
        large = { query = ENDLESS .. "hex(randomblob(1000)) FROM c", interval = 1 },
        one = { query = "SELECT unix_time FROM time", interval = 1 },
      },
    }
    beside(function()
      backend:wait { line = { severity = 1, message = { match = "query endless: stopped after 700 ms" } }, timeout_s = 30 }
      backend:wait { line = { severity = 1, message = { match = "query large: stopped after [0-9]+ rows" } }, timeout_s = 30 }
      local at = backend:last()
      backend:query { a = "SELECT 1 AS one" }
      backend:wait { where = { endpoint = "write", accepted = true }, timeout_s = 20 }
      backend:wait { line = { name = "one" }, after = at, timeout_s = 20 }
    end)
    assert.are.equal(0, backend:count { line = { name = "large" } })
  end)
end)
