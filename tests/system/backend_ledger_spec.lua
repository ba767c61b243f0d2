-- The ledger: under random outages, refusals, resets and kills of the sensor every event that was captured arrives, at least once and
-- with the same id each time, or is counted as dropped.  MOONWATCH_LEDGER_SECONDS says how long: 60; `make soak` takes 600.
local backend = require "tests.system.backend"
local support = require "tests.system.support"
local watched = require "tests.system.watched"

local SECONDS <const> = tonumber(os.getenv "MOONWATCH_LEDGER_SECONDS") or 60
local SEED <const> = tonumber(os.getenv "MOONWATCH_LEDGER_SEED") or os.time()

after_each(watched.end_all)

local function sleep(seconds)
  os.execute(("sleep %.2f"):format(seconds))
end

--- Ways to fail; each is given a number of times.
local function troubles(server, app)
  local date = { date = 2 }
  return {
    outage = function()
      server:ask "down"
      sleep(0.5 + 2 * math.random())
      server:ask "up"
    end,
    quiet_outage = function() -- connections there are go on
      server:ask("down", { resets = false })
      sleep(1)
      server:ask "up"
    end,
    resets = function()
      server:ask "reset"
    end,
    busy = function()
      server:fault { kind = "status", status = 429, chance = 0.7 }
    end,
    busy_for = function()
      server:fault { kind = "status", status = 429, retry_after = 1, times = 2 }
    end,
    away = function()
      server:fault { kind = "status", status = 503, chance = 0.7 }
    end,
    away_until = function()
      server:fault { kind = "status", status = 503, retry_after = date, times = 1 }
    end,
    broken = function()
      server:fault { kind = "status", status = 500, body = "{}", chance = 0.7 }
    end,
    reset_body = function()
      server:fault { endpoint = "log", kind = "reset_request", after_bytes = 400, chance = 0.7 }
    end,
    -- The lines are taken, and the client is not told so.
    answer_lost = function()
      server:fault({ endpoint = "log", kind = "reset", applied = true, chance = 0.5 },
        { endpoint = "log", kind = "reset_answer", applied = true, chance = 0.5 })
    end,
    html = function()
      server:fault { kind = "not_json", chance = 0.7 }
    end,
    slow = function()
      server:fault { delay_s = 1, chance = 0.5 }
    end,
    forgotten = function()
      server:ask "invalidate"
    end,
    killed = function()
      app:kill_sensor()
    end,
    killed_while_away = function()
      server:ask "down"
      sleep(0.5)
      app:kill_sensor()
      sleep(1)
      server:ask "up"
    end,
  }
end

describe("the ledger", function()
  it(("adds up after %d s of trouble (seed %d)"):format(SECONDS, SEED), function()
    math.randomseed(SEED)
    local server = backend.start()
    -- A sensor that was killed does not remember what it was asked.
    server:set { checks_retry_after = false }
    local app = watched.start(server:flags() .. " --logger_tls_period=1 --logger_tls_backoff_max=2 --tls_enroll_max_interval=2 "
      .. "--config_refresh=5 --distributed_interval=5 --spool_limit_mib=256")
    server:wait { where = { endpoint = "log", accepted = true } }

    -- Some 15 programs a second, each of which is known by its argument.
    local going, total = support.new_path(), support.new_path()
    support.write(going, "")
    app:tell(("i=0; while [ -e %s ]; do i=$((i + 1)); /bin/echo mark-$i. >/dev/null; sleep 0.05; done; "):format(going)
      .. ("echo $i >%s.new; mv %s.new %s"):format(total, total, total))
    local ends = os.time() + SECONDS
    local list, names = troubles(server, app), {}
    for name in pairs(list) do
      names[#names + 1] = name
    end
    table.sort(names)
    local given = {}
    while os.time() < ends do
      -- All of them in an order of chance, then again.
      if #given == 0 then
        given = table.move(names, 1, #names, 1, {})
        for i = #given, 2, -1 do
          local j = math.random(i)
          given[i], given[j] = given[j], given[i]
        end
      end
      list[table.remove(given)]()
      sleep(0.5 + 2 * math.random())
      server:fault()
      sleep(math.random())
    end
    os.remove(going)
    support.await(total)
    local count = math.tointeger(tonumber(support.read(total)))

    local function health(component)
      local values = {}
      for _, row in ipairs(app:sql(("SELECT name, value FROM moonwatch_health WHERE component = '%s'"):format(component))) do
        values[row.name] = math.tointeger(tonumber(row.value)) or 0
      end
      return values
    end
    app:await(function()
      local delivery = health "delivery tls"
      return delivery.events_written and delivery.events_waiting <= 20 -- our own looking makes no events, but time does
    end, 60)
    app:run "/bin/echo the-end"
    server:wait { line = { ["columns.cmdline"] = { match = "echo the-end" } }, timeout_s = 60 }
    assert.are.equal(0, app:stop(30))

    local dropped, delivery = health "dropped", health "delivery tls"
    local lost = delivery.events_dropped + delivery.events_set_aside
    for name, n in pairs(dropped) do
      lost = lost + (name ~= "spool_limit" and n or 0)
    end
    -- What arrived: the same id is the same row, and the same row has the same id.
    local rows, id_of, lines, arrived = {}, {}, 0, 0
    for _, line in ipairs(server:lines(function(line)
      return line.columns and line.columns.eid and line.name == "process_events"
    end)) do
      local columns, parts = line.columns, { line.name, tostring(line.unixTime) }
      for name, value in pairs(columns) do
        parts[#parts + 1] = name .. "=" .. value
      end
      table.sort(parts)
      local text = table.concat(parts, "\n")
      assert.are.equal(rows[columns.eid] or text, text)
      rows[columns.eid] = text
      local mark = columns.syscall == "execve" and columns.cmdline:match "mark%-(%d+)%."
      if mark then
        lines = lines + 1
        arrived = arrived + (id_of[mark] and 0 or 1)
        assert.are.equal(id_of[mark] or columns.eid, columns.eid)
        id_of[mark] = columns.eid
      end
    end
    local missing = {}
    for i = 1, count do
      if not id_of[tostring(i)] then
        missing[#missing + 1] = i
      end
    end
    print(("# ledger: %d events, %d arrived in %d lines, %d missing, %d counted as lost; sensor killed %d times, %d enrolments"):format(
      count, arrived, lines, #missing, lost, health("sensor").restarts,
      server:count { where = { endpoint = "enroll", accepted = true } }))
    assert.is_true(count > SECONDS * 3, count)
    assert.is_true(#missing <= lost, ("missing: %s; counted: %d"):format(table.concat(missing, " "), lost))
    -- What the spool still has was delivered.
    for _, row in ipairs(app:sql "SELECT eid FROM process_events WHERE syscall = 'execve' AND cmdline LIKE '%mark-%'") do
      assert.is_truthy(rows[row.eid], "in the spool, and never delivered: " .. row.eid)
    end
    assert.are.equal(delivery.events_written, delivery.events_read + delivery.events_dropped + delivery.events_waiting)
    server:stop()
  end)
end)
