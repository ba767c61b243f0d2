-- A backend that is slow, full, broken or hostile: what it does is bounded and told, the last good state holds, and when it is good
-- again all goes on.
local backend = require "tests.system.backend"
local support = require "tests.system.support"
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
  server:set { config = {}, certificate = "good", accept = "tls" }
  server:check()
end)

local FLAGS <const> = " --config_refresh=1 --config_accelerated_refresh=1 --config_tls_max_attempts=1 --logger_tls_period=1 "
  .. "--logger_tls_backoff_max=2 --distributed_interval=1 --distributed_tls_max_attempts=1 --tls_enroll_max_interval=1"

--- What may come in the place of an answer.
local BAD <const> = {
  { kind = "status", status = 500 },
  { kind = "status", status = 500, body = '{"schedule": {}}' },
  { kind = "status", status = 404, body = "<html>none</html>", type = "text/html" },
  { kind = "not_json" }, { kind = "not_json", shape = "cut" }, { kind = "not_json", shape = "binary" },
  { kind = "not_json", shape = "twice" }, { kind = "deep" }, { kind = "deep", shape = "object" }, { kind = "deep", shape = "open" },
  { kind = "huge" }, { kind = "huge", shape = "array" }, { kind = "huge", shape = "chunked" }, { kind = "huge", shape = "bomb" },
  { kind = "reset" }, { kind = "reset_answer" }, { kind = "cut" }, { kind = "garbage" }, { kind = "gzip_broken" },
  { kind = "redirect", location = "https://localhost:1/other" }, { kind = "redirect" },
  { kind = "redirect", status = 307, location = "http://127.0.0.1:1/plain" }, { kind = "headers" },
}

--- Ways that are odd, but right.
local ODD <const> = { { kind = "gzip" }, { kind = "chunked", bytes = 1 }, { kind = "close" }, { kind = "drop" } }

--- Of queries: after each failure there is a pause of some seconds, so these are few.
local BAD_READS <const> = {
  { kind = "not_json" }, { kind = "deep" }, { kind = "huge" }, { kind = "types", variant = 5 }, { kind = "types", variant = 8 },
}

--- All of them, one after the other; with `alternates`, with a good answer after each, so that pauses stay short.
local function rules_of(endpoint, list, variants, alternates)
  local rules = {}
  local function add(rule)
    local copy = { endpoint = endpoint, times = 1 }
    for name, value in pairs(rule) do
      copy[name] = value
    end
    rules[#rules + 1] = copy
    rules[#rules + 1] = alternates and { endpoint = endpoint, times = 1 } or nil
  end
  for _, rule in ipairs(list) do
    add(rule)
  end
  for variant = 0, (variants or 0) - 1 do
    add { kind = "types", variant = variant }
  end
  return rules
end

--- Be bad, and give a function that says whether all of it was used.
local function suffer(...)
  local all = {}
  for _, rules in ipairs { ... } do
    table.move(rules, 1, #rules, #all + 1, all)
  end
  server:fault(table.unpack(all))
  return function()
    for _, seen in ipairs(server:state().faults) do
      if seen == 0 then
        return nil
      end
    end
    return true
  end
end

--- The most memory the sensor had, in KiB.
local function peak(app)
  return tonumber(support.read(("/proc/%s/status"):format(app:pid_of "moonwatch-sens")):match "VmHWM:%s*(%d+)")
end

local function flag(app, name)
  local rows = app:sql(("SELECT value FROM osquery_flags WHERE name = '%s'"):format(name))
  return rows[1] and tostring(rows[1].value)
end

local function has_flag(app, name, value)
  app:await(function()
    return flag(app, name) == value
  end, 30)
end

describe("bad answers", function()
  it("change nothing, lose nothing, and are told in few lines", function()
    server:set { config = { options = { logger_tls_max_lines = 77 } } }
    local before = server:last()
    local app = watched.start(server:flags() .. FLAGS)
    has_flag(app, "logger_tls_max_lines", "77")
    local memory = peak(app)
    local done = suffer(rules_of("config", BAD, 17), rules_of("read", BAD_READS, 0, true), rules_of("log", BAD, 0, true))
    local n = 0
    app:await(function()
      n = n + 1
      app:run(("/bin/echo line-%d; sleep 0.3"):format(n))
      return done()
    end, 150)
    assert.is_true(peak(app) - memory < 48 << 10, ("from %d to %d KiB"):format(memory, peak(app)))
    assert.are.equal("77", flag(app, "logger_tls_max_lines"))

    -- What is odd, but right, is taken.
    server:query { after = "SELECT 7 AS seven" }
    server:set { config = { options = { logger_tls_max_lines = 78 } } }
    app:await(suffer(rules_of("config", ODD), rules_of("read", ODD), rules_of("log", ODD), rules_of("write", { { kind = "cut" } })), 60)
    has_flag(app, "logger_tls_max_lines", "78")
    local answer = server:wait { where = { endpoint = "write", accepted = true, ["body.statuses.after"] = 0 }, after = before }[1]
    assert.are.same({ { seven = "7" } }, answer.body.queries.after)
    for i = 1, n do
      server:wait { line = { ["columns.cmdline"] = { match = ("echo line-%d$"):format(i) } }, after = before, timeout_s = 30 }
    end
    server:wait { line = { severity = { exists = true }, message = { match = "configuration" } }, after = before }
    assert.are.equal(0, app:stop())
    assert.matches("cannot be had", app:said())
    assert.is_true(select(2, app:said():gsub("moonwatch: ", "")) < 80, app:said())
  end)

  it("to enrolment are no key; the next try is", function()
    local before = server:last()
    local done = suffer(rules_of("enroll", BAD, 7))
    local app = watched.start(server:flags() .. FLAGS)
    app:await(done, 120)
    server:wait { where = { endpoint = "config", accepted = true }, after = before, timeout_s = 20 }
    assert.are.equal(0, app:stop())
  end)
end)

describe("a connection", function()
  it("to a server whose certificate is no good gets no secret and no line; the certificate is told of", function()
    for certificate, why in pairs { expired = "certificate", other_host = "certificate", other_ca = "certificate" } do
      server:set { certificate = certificate }
      local before = server:last()
      local app = watched.start(server:flags() .. FLAGS)
      app:await(function()
        return app:said():find(why)
      end)
      app:run "/bin/echo held back"
      assert.are.equal(0, app:stop())
      assert.are.equal(0, server:count { where = { method = { exists = true } }, after = before }, certificate)
    end
  end)

  it("that is lost in the middle of the run is made anew when the certificate is good again", function()
    server:set { config = { options = { logger_tls_max_lines = 77 } } }
    local app = watched.start(server:flags() .. FLAGS)
    has_flag(app, "logger_tls_max_lines", "77")
    for _, bad in ipairs { { certificate = "expired" }, { accept = "reset" }, { accept = "garbage" } } do
      local before = server:last()
      server:set(bad)
      server:ask "reset"
      app:run "/bin/echo between"
      app:await(function()
        return select(2, app:said():gsub("cannot be had", "")) > 0
      end)
      server:set { certificate = "good", accept = "tls" }
      server:wait { line = { ["columns.cmdline"] = "/bin/echo between" }, after = before, timeout_s = 30 }
    end
    assert.are.equal(0, app:stop())
  end)

  it("that is never answered is given up, and the application's end is not held back", function()
    local before = server:last()
    server:set { accept = "stall" }
    local app = watched.start(server:flags() .. FLAGS .. " --shutdown_flush_ms=1500")
    app:run "/bin/echo hello"
    local began = os.time()
    assert.are.equal(0, app:stop())
    assert.is_true(os.time() - began <= 5)
    assert.are.same({}, support.filter(server:records(), function(record)
      return record.n > before and record.method
    end))
  end)
end)

describe("without TLS", function()
  it("nothing is said, unless that is allowed to this machine", function()
    local plain = backend.start "--plain"
    for flags, is_heard in pairs {
      ["--tls_hostname=127.0.0.1:%d"] = false, ["--tls_hostname=http://127.0.0.1:%d"] = false,
      ["--tls_hostname=127.0.0.1:%d --allow_plain_http=true"] = true,
      ["--tls_hostname=localhost:%d --allow_plain_http=true"] = true,
    } do
      local before = plain:last()
      local app = watched.start(plain:flags():gsub("%-%-tls_hostname=%S+", "") .. FLAGS .. " " .. flags:format(plain.port))
      if is_heard then
        plain:wait { where = { endpoint = "config", accepted = true }, after = before }
      else
        app:await(function()
          return #app:said() > 0
        end)
      end
      assert.are.equal(0, app:stop())
      assert.are.equal(is_heard, plain:count { where = { endpoint = "enroll" }, after = before } > 0, flags)
    end
    plain:stop()
    -- To another machine it never is, whatever is allowed; 192.0.2.1 is nobody's.
    local app = watched.start(server:flags():gsub("%-%-tls_hostname=%S+", "--tls_hostname=http://192.0.2.1:80")
      .. " --allow_plain_http=true")
    app:await(function()
      return app:said():find "this machine alone"
    end)
    assert.are.equal(0, app:stop())
  end)
end)
