-- Short jobs beside a backend that is up, slow, away or full: what arrived and what is kept add up, and the job is not held back for
-- longer than it was said.
local backend = require "tests.system.backend"
local support = require "tests.system.support"

local FLUSH_MS <const> = 1500
-- The machine is busy, and the sensor starts and ends beside the job.
local SLACK_S <const> = 6

local KINDS <const> = { "up", "slow", "away", "full" }
local servers = {}

local function turn_bad()
  servers.slow:fault { delay_s = 2 }
  servers.away:ask "down"
  servers.full:fault { kind = "status", status = 429, retry_after = 30 }
end

setup(function()
  for _, kind in ipairs(KINDS) do
    servers[kind] = backend.start()
  end
  turn_bad()
  -- At its end a job may try once more, whatever it was asked for: there is no later.
  servers.full:set { checks_retry_after = false }
end)

teardown(function()
  for _, server in pairs(servers) do
    server:stop()
  end
end)

local alone = support.has_namespaces and "unshare -pf --mount-proc --kill-child" or ""

--- Start a job; it runs `count` programs named by `mark`, takes so long, and ends with 7.
local function start(server, mark, count, seconds, flags)
  local job = { state = support.new_path(), out = support.new_path(), mark = mark, count = count, server = server }
  local script = support.new_path()
  support.write(script, ([[
began=$(date +%%s%%N)
%s %s run --state_dir=%s %s --shutdown_flush_ms=%d -- sh -c '
  i=0; while [ $i -lt %d ]; do i=$((i + 1)); /bin/echo %s-$i. >/dev/null; done; sleep %g; exit 7' 2>%s.err
echo $? $((($(date +%%s%%N) - began) / 1000000)) $((began / 1000000)) >%s.new; mv %s.new %s
]]):format(alone, support.moonwatch, job.state, server:flags() .. " " .. (flags or ""), FLUSH_MS, count, mark, seconds, job.out, job.out,
  job.out, job.out))
  assert(os.execute(("sh %s </dev/null >/dev/null 2>&1 &"):format(script)))
  return job
end

local function finish(job)
  local deadline = os.time() + 60
  while not io.open(job.out) and os.time() < deadline do
    os.execute "sleep 0.05"
  end
  local code, took_ms, began_ms = support.read(job.out):match "^(%d+) (%d+) (%d+)"
  job.code, job.took_s, job.began = tonumber(code), tonumber(took_ms) / 1000, tonumber(began_ms) / 1000
  job.err = support.read(job.out .. ".err")
  return job
end

local function marks_of(list, text_of, mark)
  local found, count = {}, 0
  for _, item in ipairs(list) do
    local number = (text_of(item) or ""):match(mark .. "%-(%d+)%.")
    if number and not found[number] then
      found[number] = true
      count = count + 1
    end
  end
  return found, count
end

--- What arrived, what the spool has, and how far delivery says it is.
local function account(job)
  local arrived, arrived_count = marks_of(job.server:lines(), function(line)
    return line.columns and line.columns.syscall == "execve" and line.columns.cmdline
  end, job.mark)
  local kept = marks_of(support.sql(job.state, "SELECT cmdline FROM process_events WHERE syscall = 'execve'"), function(row)
    return row.cmdline
  end, job.mark)
  local delivery = {}
  for _, row in ipairs(support.sql(job.state, "SELECT name, value FROM moonwatch_health WHERE component = 'delivery tls'")) do
    delivery[row.name] = math.tointeger(tonumber(row.value))
  end
  for i = 1, job.count do
    assert.is_truthy(arrived[tostring(i)] or kept[tostring(i)], ("%s-%d is nowhere; %s"):format(job.mark, i, job.err))
  end
  assert.are.equal(delivery.events_written, delivery.events_read + delivery.events_waiting + delivery.events_dropped)
  return arrived_count, delivery
end

for _, seconds in ipairs { 0.05, 1, 10 } do
  describe(("a job of %g s"):format(seconds), function()
    local jobs = {}

    setup(function()
      for _, kind in ipairs(KINDS) do
        jobs[kind] = start(servers[kind], ("job%d%s"):format(seconds * 1000, kind), 40, seconds)
      end
      for _, kind in ipairs(KINDS) do
        finish(jobs[kind])
      end
    end)

    it("ends as it would have, and is not held back", function()
      for _, kind in ipairs(KINDS) do
        local job = jobs[kind]
        assert.are.equal(7, job.code, kind .. job.err)
        assert.is_true(job.took_s < seconds + FLUSH_MS / 1000 + SLACK_S, ("%s: %.1f s"):format(kind, job.took_s))
      end
    end)

    it("whose backend is up has delivered all of it", function()
      local arrived, delivery = account(jobs.up)
      assert.are.equal(jobs.up.count, arrived)
      assert.are.equal(0, delivery.events_dropped)
      for _, record in ipairs(servers.up:records()) do
        if record.endpoint == "log" and record.accepted and record.time > jobs.up.began then
          print(("# first lines %.0f ms after the start of the command"):format(1000 * (record.time - jobs.up.began)))
          break
        end
      end
    end)

    it("whose backend is slow has what did not arrive in its spool", function()
      account(jobs.slow)
    end)

    it("whose backend is away, or full, has all of it in its spool", function()
      for _, kind in ipairs { "away", "full" } do
        local arrived, delivery = account(jobs[kind])
        assert.are.equal(0, arrived)
        assert.is_true(delivery.events_waiting >= jobs[kind].count)
        assert.are.equal(0, delivery.events_read)
      end
    end)
  end)
end

describe("what is handed over", function()
  it("is delivered by a drain beside it, as the host that it was, and adds up", function()
    local jobs = {}
    for _, kind in ipairs(KINDS) do
      local shared = support.new_path()
      assert(os.execute("mkdir " .. shared))
      jobs[kind] = start(servers[kind], "handed" .. kind, 40, 0.05, "--spool_handover=" .. shared)
      jobs[kind].shared = shared
    end
    for _, kind in ipairs(KINDS) do
      finish(jobs[kind])
      assert.are.equal(7, jobs[kind].code, jobs[kind].err)
    end
    for _, kind in ipairs { "away", "full" } do
      assert.are.equal(0, select(2, marks_of(servers[kind]:lines(), function(line)
        return line.columns and line.columns.cmdline
      end, jobs[kind].mark)))
      assert.matches("undelivered: events=%d+ .*spool=", jobs[kind].err)
    end
    -- Now they are good again.
    servers.away:ask "up"
    servers.slow:fault()
    servers.full:fault()
    for _, kind in ipairs(KINDS) do
      local job = jobs[kind]
      local drained = support.run(("%s drain --once %s %s"):format(support.moonwatch, job.server:flags(), job.shared))
      assert.are.equal(0, drained.code, drained.err)
      assert.are.equal("", support.run("ls -A " .. job.shared).out)
      local ids = {}
      local _, count = marks_of(job.server:lines(function(line)
        local number = line.columns and line.columns.syscall == "execve" and line.columns.cmdline:match(job.mark .. "%-(%d+)%.")
        if number then
          assert.are.equal(ids[number] or line.columns.eid, line.columns.eid)
          ids[number] = line.columns.eid
        end
        return number
      end), function(line)
        return line.columns.cmdline
      end, job.mark)
      assert.are.equal(job.count, count, kind)
      job.server:check()
    end
    turn_bad()
  end)
end)
