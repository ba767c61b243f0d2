-- A backend that lies, sends too much, too deep, of wrong types, or nothing: bounded, told, and what held before still does.
local backends = require "tests.system.backend"
local cjson = require "cjson"
local support = require "tests.system.support"

local backend, stop, err, over, state

local function start()
  stop, err, over, state = support.new_path(), support.new_path(), support.new_path(), support.new_path()
  local application = ("sh -c 'until [ -e %s ]; do sleep 0.05; done'"):format(stop)
  os.execute(("( %s run --state_dir=%s --outputs=alerts/json:file=%s --logger_tls_period=1 --logger_tls_backoff_max=1 --config_refresh=1 "
    .. "--config_accelerated_refresh=1 --config_tls_max_attempts=1 --distributed_interval=1 --distributed_tls_max_attempts=1 "
    .. "--tls_enroll_max_interval=1 %s -- %s 2>%s; echo $? >%s.new; mv %s.new %s ) &"):format(support.moonwatch, state,
    support.new_path(), backend:flags(), application, err, over, over, over))
end

--- What it said.
local function finish()
  support.write(stop, "")
  support.await(over)
  assert.are.equal("0\n", support.read(over))
  return support.read(err)
end

local function restarts()
  local row = support.sql(state, "SELECT value FROM moonwatch_health WHERE component = 'sensor' AND name = 'restarts'")[1]
  return row and tonumber(row.value)
end

--- Good answers to configuration and queries again.
local function await_good()
  local at = backend:last()
  for _, endpoint in ipairs { "config", "read" } do
    backend:wait { where = { endpoint = endpoint, accepted = true, fault = cjson.null }, after = at, timeout_s = 30 }
  end
end

local faults = {
  ["sends 100 MB"] = { { kind = "huge" }, { kind = "huge", shape = "array" }, { kind = "huge", shape = "chunked" } },
  ["sends a few bytes that unpack to many"] = { { kind = "huge", shape = "bomb" } },
  ["sends deep JSON"] = { { kind = "deep" }, { kind = "deep", shape = "object" }, { kind = "deep", shape = "open" } },
  ["sends no JSON"] = { { kind = "not_json" }, { kind = "not_json", shape = "cut" }, { kind = "not_json", shape = "binary" },
    { kind = "not_json", shape = "nan" } },
  ["redirects"] = { { kind = "redirect" }, { kind = "redirect", status = 307, location = "http://127.0.0.1:1/" } },
  ["breaks off"] = { { kind = "reset" }, { kind = "reset_answer" }, { kind = "cut" }, { kind = "garbage" }, { kind = "gzip_broken" } },
  ["answers errors"] = { { kind = "status", status = 500 }, { kind = "status", status = 404 }, { kind = "status", status = 429 } },
}

describe("a backend that", function()
  before_each(function()
    backend = backends.start()
    backend:set { checks_retry_after = false, config = { options = { audit_allow_fork_process_events = true } } }
  end)

  after_each(function()
    backend:ask "clear"
    backend:stop()
  end)

  for how, rules in pairs(faults) do
    it(how .. " is told of, and waited for", function()
      start()
      await_good()
      for _, rule in ipairs(rules) do
        local at = backend:last()
        backend:fault(rule)
        for _, endpoint in ipairs { "config", "read" } do
          backend:wait { where = { endpoint = endpoint }, after = at, timeout_s = 30 }
        end
        backend:fault()
        await_good()
      end
      assert.are.equal("true", support.sql(state, "SELECT value FROM osquery_flags WHERE name = 'audit_allow_fork_process_events'")[1]
        .value)
      assert.are.equal(0, restarts())
      assert.is_truthy(finish():find "cannot be had")
    end)
  end

  it("sends wrong types is told of, and waited for", function()
    start()
    await_good()
    for variant = 0, 18 do
      local at = backend:last()
      backend:fault { kind = "types", variant = variant, times = 6 }
      backend:wait { where = { endpoint = "config" }, after = at, timeout_s = 30 }

      backend:fault()
    end
    await_good()
    assert.are.equal(0, restarts())
    finish()
  end)
end)
