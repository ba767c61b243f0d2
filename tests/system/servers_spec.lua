-- Servers as they are found in containers: started, used, reloaded and stopped, alone and under the sensor.  Each listens on a
-- socket in a folder of its own, and ends within its script.
local real = require "tests.system.real"
local support = require "tests.system.support"

local run = support.run

--- What each script begins with: a folder of its own, in $dir; and `until_true COMMAND…`, which gives up after a minute.
local function prelude()
  run("chmod 711 " .. support.tmp) -- servers that are not root pass through
  return ([[
    dir=$(mktemp -d %s/server.XXXXXX)
    cd "$dir"
    uptime() { read -r seconds _ </proc/uptime; seconds=${seconds%%.*}; }
    until_true() {
      uptime
      late=$((seconds + 60))
      until "$@" >/dev/null 2>&1; do
        uptime
        [ $seconds -lt $late ] || { echo "never true: $*"; return 1; }
      done
    }
  ]]):format(support.tmp)
end

--- How many programs of that name were executed at least?
local function assert_executed(events, name, least)
  local _, count = real.executed(events, name)
  assert.is_true(count >= least, ("%s: %d"):format(name, count))
end

--- The body of a test that is skipped, with the reason, where `command` is not installed.
local function needing(command, body)
  return function()
    if not real.has(command) then
      pending(command .. " is not installed: ./setup programs")
    end
    body()
  end
end

describe("a server", function()
  it("PostgreSQL: as its own user, connections, reload, fast shutdown", function()
    local found = run("ls -d /usr/lib/postgresql/*/bin /usr/bin/initdb | sort -V | tail -n 1").out:match "[^\n]+"
    if not found then
      pending "postgresql is not installed: ./setup programs"
    end
    local bin = found:gsub("/initdb$", "")
    local is_root = run("id -u").out == "0\n"
    local user = run("id postgres").code == 0 and "postgres" or "nobody"
    local as = is_root and ("setpriv --reuid %s --regid %s --init-groups"):format(user,
      run("id -gn " .. user).out:match "%S+") or ""
    local alone, beside = real.compare(prelude() .. ([[
      as() { %s "$@"; }
      PATH=%s:$PATH PGHOST=$dir PGUSER=%s PGDATABASE=postgres; export PATH PGHOST PGUSER PGDATABASE
      %s
      as initdb -D data -A trust -U $PGUSER -N >init.log || cat init.log
      as pg_ctl -D data -l log -w -o "-k $dir -c listen_addresses='' -c max_connections=20 -c fsync=off" start >/dev/null || cat log
      as psql -qAt -c 'create table t (n int)'
      ask() {
        for i in 1 2 3; do as psql -qAt -c "insert into t select generate_series(1, 1000); select pg_sleep(0)"; done
      }
      ask & ask & ask & ask & wait
      as psql -qAt -c 'select count(*), sum(n) from t' -c 'set max_parallel_workers_per_gather = 2' -c 'set parallel_setup_cost = 0' \
        -c 'set parallel_tuple_cost = 0' -c 'set min_parallel_table_scan_size = 0' -c 'select sum(n) from t'
      as psql -qAt -c "alter system set work_mem = '5555kB'"
      as pg_ctl -D data reload >/dev/null
      reloaded() { as psql -qAt -c 'show work_mem' | grep -q 5555kB; }
      until_true reloaded && echo reloaded
      as pg_ctl -D data -m fast -w stop >/dev/null
      echo stopped $?
      grep -c 'database system is shut down' log
      ! as psql -c '' 2>/dev/null]]):format(as, bin, user, is_root and "chown " .. user .. ' "$dir"' or ""))
    assert.are.equal(("\n"):rep(12) .. "12000|6006000\n6006000\nreloaded\nstopped 0\n1\n", alone.out)
    assert.are.equal(0, alone.code)
    assert_executed(beside.events, "postgres", 1)
    assert_executed(beside.events, "psql", 16)
    for _, event in ipairs(beside.events) do
      if is_root and event.kind == "process.exec" and event.process.name == "postgres" then
        assert.are.equal(user, event.process.user)
      end
    end
  end)

  it("redis: values, a snapshot by fork, shutdown", needing("redis-server", function()
    local alone, beside = real.compare(prelude() .. [[
      ask() { redis-cli -s "$dir/socket" "$@"; }
      saved() { ask INFO persistence | grep -q rdb_bgsave_in_progress:0; }
      redis-server --port 0 --unixsocket "$dir/socket" --dir "$dir" --save '' --daemonize no >log 2>&1 &
      until_true ask PING && ask PING
      for i in 1 2 3 4 5 6 7 8 9 10; do ask SET key$i value$i; done
      ask GET key7
      ask INCRBY number 41
      ask DEBUG POPULATE 20000 key 50 >/dev/null
      ask BGSAVE
      until_true saved && ask INFO persistence | tr -d '\r' | grep rdb_last_bgsave_status
      [ -s dump.rdb ] && echo snapshot
      ask SHUTDOWN NOSAVE
      wait $!
      echo ended $?]])
    local saved = "Background saving started\nrdb_last_bgsave_status:ok\nsnapshot\n"
    assert.are.equal("PONG\n" .. ("OK\n"):rep(10) .. "value7\n41\n" .. saved .. "ended 0\n", alone.out)
    assert_executed(beside.events, "redis-cli", 17)
    -- The snapshot is written by a child that executes nothing.
    local server = support.filter(beside.events, function(event)
      return event.kind == "process.exec" and event.process.name:find "^redis%-s"
    end)[1].process.pid
    assert.are.equal(1, #support.filter(beside.events, function(event)
      return event.kind == "process.exit" and event.process.ppid == server and event.process.exit_code == 0
    end))
  end))

  it("nginx: requests, new workers at reload, graceful quit", needing("nginx", function()
    local alone, beside = real.compare(prelude() .. [[
      cat >nginx.conf <<-END
      daemon off;
      worker_processes 2;
      pid $dir/pid;
      events { worker_connections 64; }
      http {
        access_log off;
        client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;
        server { listen unix:$dir/socket; location / { return 200 "\$pid\n"; } }
      }
END
      ask() { curl -s -f --unix-socket "$dir/socket" http://x/; }
      nginx -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf" &
      server=$!
      until_true ask || cat error.log
      old=$(ask)
      right=0
      for i in 1 2 3 4 5 6 7 8 9 10; do ask >/dev/null && right=$((right + 1)); done
      echo $right right
      kill -HUP $server
      gone() { ! [ -d /proc/$old ]; }
      until_true gone && [ "$(ask)" != "$old" ] && echo new workers
      kill -QUIT $server
      wait $server
      echo ended $?
      [ -e socket ] || echo socket removed]])
    assert.are.equal("10 right\nnew workers\nended 0\nsocket removed\n", alone.out)
    -- A master, two generations of two workers.
    local master = support.filter(beside.events, function(event)
      return event.kind == "process.exec" and event.process.name == "nginx"
    end)[1].process.pid
    local workers = support.filter(beside.events, function(event)
      return event.kind == "process.exit" and event.process.ppid == master
    end)
    assert.are.equal(4, #workers)
    for _, worker in ipairs(workers) do
      assert.are.equal(0, worker.process.exit_code)
    end
  end))
end)
