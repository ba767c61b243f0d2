-- What a backend configures takes effect while the application runs, whole or not at all.
local backend = require "tests.system.backend"
local watched = require "tests.system.watched"

local server

setup(function()
  server = backend.start()
end)

teardown(function()
  server:stop()
end)

after_each(function()
  watched.end_all()
  server:fault()
  server:set { config = {} }
  server:check()
end)

local FLAGS <const> = " --config_refresh=1 --logger_tls_period=1 --distributed_interval=3600"

local function start(options, flags)
  return watched.start(server:flags() .. FLAGS .. " " .. (flags or ""), options)
end

--- The value of a flag now, as the sensor has it.
local function flag(app, name)
  local rows = app:sql(("SELECT value FROM osquery_flags WHERE name = '%s'"):format(name))
  return rows[1] and tostring(rows[1].value)
end

--- One refresh that began after now has been answered.
local function refreshed(app)
  local before = server:last()
  server:wait { where = { endpoint = "config", accepted = true }, after = before }
  -- That it is applied is seen by the next one being asked for.
  server:wait { where = { endpoint = "config" }, count = 2, after = before }
  return app
end

describe("a backend's configuration", function()
  it("takes effect within one refresh, live; flags of what is seen, too", function()
    local before = server:last()
    local watchfile = server.dir .. "/watched"
    assert(os.execute("mkdir " .. watchfile))
    server:set { config = { options = { allow_inotify_file_events = false, audit_allow_process_events = true } } }
    local app = start()
    server:wait { where = { endpoint = "config", accepted = true }, after = before }
    app:run "/bin/echo seen-1"
    server:wait { line = { ["columns.cmdline"] = { match = "echo seen-1" } }, after = before }

    server:set { config = { options = { allow_inotify_file_events = true }, file_paths = { etc = { watchfile .. "/%%" } } } }
    refreshed(app)
    app:run("echo text >" .. watchfile .. "/made")
    server:wait { line = { ["columns.target_path"] = watchfile .. "/made" }, after = before }

    server:set { config = { options = { allow_inotify_file_events = false, audit_allow_process_events = false } } }
    refreshed(app)
    app:run("/bin/echo unseen; echo text >" .. watchfile .. "/unseen")
    server:set { config = { options = { audit_allow_process_events = true } } }
    refreshed(app)
    app:run "/bin/echo seen-2"
    server:wait { line = { ["columns.cmdline"] = { match = "echo seen-2" } }, after = before }
    assert.are.equal(0, app:stop())
    assert.are.equal(0, server:count { line = { ["columns.cmdline"] = { match = "unseen" } }, after = before })
    assert.are.equal(0, server:count { line = { ["columns.target_path"] = watchfile .. "/unseen" }, after = before })
  end)

  it("that is wrong changes nothing, and is told; the last good one stays", function()
    local before = server:last()
    server:set { config = { options = { logger_tls_max_lines = 77 } } }
    local app = start()
    server:wait { where = { endpoint = "config", accepted = true }, after = before }
    app:await(function()
      return flag(app, "logger_tls_max_lines") == "77"
    end)
    for _, config in ipairs {
      { options = "text" }, { file_paths = { 1 }, options = { logger_tls_max_lines = 55 } },
      { schedule = 5, options = { logger_tls_max_lines = 56 } },
    } do
      local middle = server:last()
      server:set { config = config }
      refreshed(app)
      server:wait { where = { ["body.log_type"] = "status", endpoint = "log", accepted = true }, after = middle }
      assert.are.equal("77", flag(app, "logger_tls_max_lines"))
    end
    server:set { config = { options = { logger_tls_max_lines = 78 } } }
    app:await(function()
      return flag(app, "logger_tls_max_lines") == "78"
    end)
    assert.are.equal(0, app:stop())
  end)

  it("is remembered for a start without the backend", function()
    local before = server:last()
    server:set { config = { options = { logger_tls_max_lines = 99 } } }
    local app = start()
    server:wait { where = { endpoint = "config", accepted = true }, after = before }
    app:await(function()
      return flag(app, "logger_tls_max_lines") == "99"
    end)
    app:stop()
    server:ask "down"
    local again = start { state = app.state }
    again:await(function()
      return flag(again, "logger_tls_max_lines") == "99"
    end)
    assert.are.equal(0, again:stop())
    server:ask "up"
  end)
end)
