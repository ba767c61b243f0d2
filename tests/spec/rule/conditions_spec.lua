-- What rules may say, each by a rule whose examples are matches and near misses: the loader judges them as it judges events.
local program = require "tests.spec.program"
local support = require "tests.spec.rule.support"

--- A rule from conditions and lists of events (Lua, without braces) that fit them and do not.
local function conditions(where, fits, misses, on)
  local examples = {}
  for _, event in ipairs(fits) do
    examples[#examples + 1] = ("{ expect = true, event = { %s } },"):format(event)
  end
  for _, event in ipairs(misses) do
    examples[#examples + 1] = ("{ expect = false, event = { %s } },"):format(event)
  end
  return ("on = { %q },\nwhere = { %s },\nexamples = {\n%s\n},"):format(on or "process.exec", where,
    table.concat(examples, "\n"))
end

local rules = {
  names = conditions("names = lists.shells",
    { "process = { name = 'bash' }", "process = { name = 'x', exe = '/bin/dash' }",
      "process = { name = 'busybox', argv = { 'busybox', 'sh' } }" },
    { "process = { name = 'bashful' }", "process = { name = 'busybox', argv = { 'busybox', 'ls' } }" }),
  versions = conditions("names = { 'python', 'php-fpm' }",
    { "process = { name = 'python3.11' }", "process = { name = 'php-fpm8.2' }",
      "process = { name = 'x', exe = '/usr/bin/python3.11 (deleted)' }" },
    { "process = { name = 'pythonic' }" }),
  long_names = conditions("names = 'clickhouse-server'",
    { "process = { name = 'clickhouse-serv' }", "process = { name = 'a', exe = '/usr/bin/clickhouse-server' }" },
    { "process = { name = 'clickhouse' }" }),
  programs = conditions("programs = { 'nc' }",
    { "process = { name = 'sh', exe = '/bin/nc' }" }, { "process = { name = 'nc', exe = '/bin/true' }" }),
  parents = conditions("parents = { 'cron*' }",
    { "process = { name = 'sh', parent = { name = 'crond' } }" },
    { "process = { name = 'crond', parent = { name = 'init' } }", "process = { name = 'crond' }" }),
  ancestors = conditions("ancestors = 'nginx'",
    { "process = { name = 'id', ancestors = { { name = 'sh' }, { name = 'sh' }, { name = 'nginx' } } }" },
    { "process = { name = 'nginx', parent = { name = 'sh' } }" }),
  lineage = conditions("lineage = { 'web_server', 'database' }",
    { "process = { name = 'id', parent = { name = 'sh', parent = { name = 'postgres' } } }",
      "process = { name = 'id', parent = { name = 'php-fpm8.2' } }",
      "process = { name = 'id', lineage = { web_server = true } }" },
    { "process = { name = 'nginx' }", "process = { name = 'id', parent = { name = 'sh' } }",
      "process = { name = 'id', parent = { name = 'nginx', exe = '/bin/dash', script = '/etc/init.d/nginx' } }" }),
  not_lineage = conditions("not_lineage = 'package_manager', names = 'sh'",
    { "process = { name = 'sh', parent = { name = 'cron' } }" },
    { "process = { name = 'sh', parent = { name = 'dpkg' } }" }),
  session = conditions("lineage = 'session'",
    { "process = { name = 'id', parent = { name = 'sh', parent = { name = 'ssm-session-wor' } } }",
      "process = { name = 'sh', observed_late = true, tty = 'pts/0' }",
      "process = { name = 'id', parent = { name = 'sh', observed_late = true, tty = 'pts/0' } }" },
    { "process = { name = 'sh', observed_late = true }", "process = { name = 'sh', tty = 'pts/0' }" }),
  health_check = conditions("lineage = 'health_check'",
    { "process = { name = 'sh', observed_late = true }" },
    { "process = { name = 'sh', observed_late = true, parent = { name = 'init' } }" }),
  exes = conditions("exes = { '/dev/shm/', '/tmp/*.sh', '/opt/a' }",
    { "process = { exe = '/dev/shm/x' }", "process = { exe = '/bin/sh', script = '/tmp/a/b.sh' }",
      "process = { exe = '/lib/ld.so', program = '/opt/a' }" },
    { "process = { exe = '/dev/shmx' }", "process = { exe = '/opt/ab' }" }),
  arguments = conditions("arguments = { '-e', '--exec*' }",
    { "process = { argv = { 'nc', '-e' } }", "process = { argv = { 'nc', 'x', '--exec=sh' } }" },
    { "process = { argv = { '-e' } }", "process = { argv = { 'nc', '-eh' } }" }),
  cmdline = conditions("cmdline = { '/dev/tcp/', 'a*b' }",
    { "process = { argv = { 'bash', '-c', 'cat </dev/tcp/1/2' } }", "process = { argv = { 'a*b' } }" },
    { "process = { argv = { 'acb' } }", "process = { name = 'x' }" }),
  paths = conditions("paths = { '/etc/passwd', '/etc/cron.d/', '*.php', '*/.ssh/*' }",
    { "file = { path = '/etc/passwd' }", "file = { path = '/etc/cron.d/a/b' }", "file = { path = '/srv/x.php' }",
      "file = { path = '/home/a/.ssh/id' }" },
    { "file = { path = '/etc/passwd-' }", "file = { path = '/etc/cron.d' }", "file = { path = '/a.php5' }" }, "file.modify"),
  categories = conditions("categories = 'web'",
    { "file = { path = '/x', category = 'web' }" }, { "file = { path = '/x' }" }, "file.create"),
  ports = conditions("ports = { 4444, 6667 }",
    { "socket = { remote_port = 6667 }" }, { "socket = { local_port = 4444, remote_port = 80 }" }, "socket.connect"),
  own_ports = conditions("ports = 4444",
    { "socket = { local_port = 4444 }" }, { "socket = { remote_port = 4444 }" }, "socket.listen"),
  addresses = conditions("addresses = { '169.254.170.2', '10.0.0.0/8', 'fe80::/10' }",
    { "socket = { remote_address = '169.254.170.2' }", "socket = { remote_address = '10.200.0.1' }",
      "socket = { remote_address = '::ffff:10.1.1.1' }", "socket = { remote_address = 'febf::1' }" },
    { "socket = { remote_address = '169.254.170.23' }", "socket = { remote_address = '11.0.0.1' }",
      "socket = { remote_address = 'fec0::1' }", "socket = { family = 'unix' }" }, "socket.connect"),
  calls = conditions("calls = { 'ptrace' }",
    { "process = { name = 'gdb' }, call = { name = 'ptrace' }" },
    { "process = { name = 'gdb' }, call = { name = 'process_vm_writev' }" }, "process.ptrace"),
  is = conditions("is = { 'dropped', 'tty' }, unless = { 'startup' }",
    { "process = { dropped = true, tty = 'pts/1' }" },
    { "process = { dropped = true }", "process = { dropped = true, tty = 'pts/1' }, phase = 'startup'" }),
  failed = conditions("is = 'failed'",
    { "call = { name = 'openat', error = 'ENOENT' }, file = { path = '/x' }" },
    { "call = { name = 'openat', result = 3 }, file = { path = '/x' }" }, "file.open"),
  written = conditions("is = 'written'",
    { "file = { path = '/x', closed = true, found_by = 'inotify' }" },
    { "file = { path = '/x', found_by = 'inotify' }" }, "file.modify"),
  fields = conditions("fields = { ['call.number'] = { 16, 17 }, ['process.euid'] = 0, ['process.memfd'] = false }",
    { "process = { name = 'a', euid = 0 }, call = { name = 'ptrace', number = 17 }" },
    { "process = { name = 'a' }, call = { name = 'ptrace', number = 17 }",
      "process = { name = 'a', euid = 0 }, call = { name = 'ptrace', number = 1 }",
      "process = { name = 'a', euid = 0, memfd = true }, call = { name = 'ptrace', number = 17 }" }, "process.ptrace"),
  absent = conditions("fields = { ['process.tty'] = '' }",
    { "process = { name = 'a' }" }, { "process = { name = 'a', tty = 'pts/0' }" }),
  env = conditions("fields = { ['process.env'] = 'LD_PRELOAD=/tmp/*' }",
    { "process = { env = { 'A=1', 'LD_PRELOAD=/tmp/x.so' } }" }, { "process = { env = { 'LD_PRELOAD=/usr/lib/x.so' } }" }),
  exceptions = [[on = { "process.exec" }, where = { names = "sh" },
    exceptions = { exceptions.package_managers, { reason = "ours", arguments = "ours",
      match = function(event) return event.process.uid == 7 end } },
    examples = {
      { expect = true, event = { process = { name = "sh", argv = { "sh", "ours" } } } },
      { expect = false, event = { process = { name = "sh", uid = 7, argv = { "sh", "ours" } } } },
      { expect = false, event = { process = { name = "sh", parent = { name = "apt" } } } },
    },]],
  regex = [[on = { "process.exec" }, match = (function()
      local address = match.regex "\\b\\d{1,3}(\\.\\d{1,3}){3}\\b"
      return function(event) return address(event.process.cmdline) end
    end)(),
    examples = {
      { expect = true, event = { process = { argv = { "nc", "10.0.0.1" } } } },
      { expect = false, event = { process = { argv = { "nc", "10.0.0" } } } },
      { expect = false, event = { process = { name = "x" } } },
    },]],
  networks = [[on = { "socket.connect" }, match = function(event)
      return match.in_network(event.socket.remote_address, "10.0.0.0/8")
    end,
    examples = {
      { expect = true, event = { socket = { remote_address = "10.1.2.3" } } },
      { expect = false, event = { socket = { remote_address = "1.10.2.3" } } },
      { expect = false, event = { socket = { family = "unix" } } },
    },]],
  throttle = [[on = { "process.exec" }, where = { names = "sh" }, throttle = { by = { "process.uid" }, period_s = 60 },
    examples = {
      { expect = true, event = { process = { name = "sh" } } },
      { expect = false, before = { { process = { name = "sh" } } }, event = { process = { name = "sh" } } },
      { expect = true, before = { { process = { name = "sh" } } }, event = { process = { name = "sh", uid = 1 } } },
      { expect = true, before = { { process = { name = "sh" }, time = "2026-01-01T00:00:00Z" } },
        event = { process = { name = "sh" }, time = "2026-01-01T00:01:00Z" } },
      { expect = false, before = { { process = { name = "sh" }, time = "2026-01-01T00:00:00Z" } },
        event = { process = { name = "sh" }, time = "2026-01-01T00:00:59.9Z" } },
    },]],
  threshold = [[on = { "process.exec" }, where = { names = "kill" }, threshold = { by = "process.parent", count = 3, within_s = 10 },
    examples = {
      { expect = true, before = { { process = { name = "kill", parent = { pid = 5 } } },
          { process = { name = "kill", parent = { pid = 5 } } } }, event = { process = { name = "kill", parent = { pid = 5 } } } },
      { expect = false, before = { { process = { name = "kill", parent = { pid = 5 } } },
          { process = { name = "kill", parent = { pid = 6 } } } }, event = { process = { name = "kill", parent = { pid = 5 } } } },
      { expect = false, before = { { process = { name = "kill", parent = { pid = 5 } }, time = "2026-01-01T00:00:00Z" },
          { process = { name = "kill", parent = { pid = 5 } }, time = "2026-01-01T00:00:05Z" } },
        event = { process = { name = "kill", parent = { pid = 5 } }, time = "2026-01-01T00:00:11Z" } },
      { expect = false, event = { process = { name = "kill" } } },
    },]],
  distinct = [[on = { "process.exec" }, where = { names = { "id", "whoami", "uname" } },
    threshold = { by = "process.parent", count = 2, within_s = 10, distinct = "process.name" },
    examples = {
      { expect = true, before = { { process = { name = "id" } } }, event = { process = { name = "uname" } } },
      { expect = false, before = { { process = { name = "id" } }, { process = { name = "id" } } },
        event = { process = { name = "id" } } },
    },]],
  sequence = [[sequence = { within_s = 60,
      { on = { "file.create" }, where = { names = { "curl", "wget" } }, by = "file.path" },
      { on = { "file.attributes" }, match = function(event) return (event.file.mode or 0) & 64 ~= 0 end, by = "file.path" },
      { on = { "process.exec" }, where = { is = "dropped" }, by = "process.exe" },
    },
    examples = {
      { expect = true, before = {
          { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/x" } },
          { kind = "file.attributes", file = { path = "/tmp/x", mode = 493 } },
        }, event = { kind = "process.exec", process = { exe = "/tmp/x", dropped = true } } },
      { expect = false, note = "another file", before = {
          { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/x" } },
          { kind = "file.attributes", file = { path = "/tmp/x", mode = 493 } },
        }, event = { kind = "process.exec", process = { exe = "/tmp/y", dropped = true } } },
      { expect = false, note = "a step is missing", before = {
          { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/x" } },
        }, event = { kind = "process.exec", process = { exe = "/tmp/x", dropped = true } } },
      { expect = false, note = "in another order", before = {
          { kind = "file.attributes", file = { path = "/tmp/x", mode = 493 } },
          { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/x" } },
        }, event = { kind = "process.exec", process = { exe = "/tmp/x", dropped = true } } },
      { expect = false, note = "too late", before = {
          { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/x" }, time = "2026-01-01T00:00:00Z" },
          { kind = "file.attributes", file = { path = "/tmp/x", mode = 493 }, time = "2026-01-01T00:00:01Z" },
        }, event = { kind = "process.exec", process = { exe = "/tmp/x", dropped = true }, time = "2026-01-01T00:01:01Z" } },
    },]],
  marked = [[on = { "process.exec" }, where = { marked = "downloaded" },
    examples = {
      { expect = true, marks = { "downloaded" }, event = { process = { name = "x" } } },
      { expect = false, marks = { "other" }, event = { process = { name = "x" } } },
      { expect = false, event = { process = { name = "x" } } },
    },]],
  memory = [[on = { "process.exec" }, memory = { scope = "tree", ttl_s = 10 },
    match = function(event, memory)
      local process = event.process
      if process.name == "begin" then
        memory.set("n", 41)
        memory.set("text", "a\0b")
        memory.set("flag", true)
      end
      return process.name == "end" and memory.get "n" == 41 and memory.get "text" == "a\0b" and memory.get "flag" == true
        and memory.get "other" == nil
    end,
    examples = {
      { expect = true, before = { { process = { pid = 5, name = "begin" } } },
        event = { process = { name = "end", parent = { pid = 6, name = "x", parent = { pid = 5, name = "begin" } } } } },
      { expect = false, before = { { process = { pid = 7, name = "begin" } } },
        event = { process = { name = "end", parent = { pid = 5, name = "begin" } } } },
      { expect = false, before = { { process = { pid = 5, name = "begin" }, time = "2026-01-01T00:00:00Z" } },
        event = { process = { name = "end", parent = { pid = 5, name = "begin" } }, time = "2026-01-01T00:00:10Z" } },
    },]],
  silent = [[on = { "process.exec" }, where = { names = "curl" }, mark = { name = "m", ttl_s = 5 }, silent = true,
    examples = {
      { expect = true, event = { process = { name = "curl" } } },
      { expect = false, event = { process = { name = "sh" } } },
    },]],
}

describe("a rule", function()
  it("may say all of this, and means it", function()
    local result = support.check(rules)
    local count = 0
    for _ in pairs(rules) do
      count = count + 1
    end
    assert.are.equal(("%d rules are good, 0 refused\n"):format(count), result.out:match "[^\n]*good[^\n]*\n" or result.out)
  end)
end)

--- Mistakes, and a part of what is said of each.
local mistakes = {
  where_unknown = { 'on = { "process.exec" }, where = { nmaes = "sh" },', "unknown condition 'nmaes'; did you mean 'names'" },
  where_empty = { 'on = { "process.exec" }, where = { names = {} },', "is empty, so it can never hold" },
  where_fact = { 'on = { "process.exec" }, where = { is = "droped" },', "did you mean 'dropped'" },
  where_lineage = { 'on = { "process.exec" }, where = { lineage = "web_sever" },', "did you mean 'web_server'" },
  where_path = { 'on = { "file.open" }, where = { paths = "etc/passwd" },', "can never hold" },
  where_port = { 'on = { "socket.bind" }, where = { ports = 70000 },', "is no port" },
  where_network = { 'on = { "socket.bind" }, where = { addresses = "10.0.0.0/33" },', "is no address or network" },
  where_field = { 'on = { "process.exec" }, where = { fields = { ["process.nmae"] = "x" } },', "did you mean 'name'" },
  where_type = { 'on = { "process.exec" }, where = { fields = { ["process.uid"] = "x" } },', "is no integer" },
  nothing = { 'on = { "process.exec" },', "match is missing, and so is where" },
  no_reason = { 'on = { "process.exec" }, where = { names = "sh" }, exceptions = { { names = "x" } },', "reason is missing" },
  excepts_all = { 'on = { "process.exec" }, where = { names = "sh" }, exceptions = { { reason = "x" } },', "excepts everything" },
  throttle_key = { 'on = { "process.exec" }, where = { names = "sh" }, throttle = { by = "process.x", period_s = 1 },',
    "Process has no field 'x'" },
  throttle_period = { 'on = { "process.exec" }, where = { names = "sh" }, throttle = { period_s = 0 },', "must be whole seconds" },
  one_step = { 'sequence = { within_s = 1, { on = { "process.exec" }, where = { names = "sh" } } },', "needs 2 to 8 steps" },
  both = { 'on = { "process.exec" }, where = { names = "sh" }, sequence = { within_s = 1, { on = { "process.exec" }, where = ' ..
    '{ names = "sh" } }, { on = { "process.exec" }, where = { names = "sh" } } },', "the steps of a sequence say" },
  regex = { 'on = { "process.exec" }, match = match.regex "(",', "regular expression, at 2" },
  silent = { 'on = { "process.exec" }, where = { names = "sh" }, silent = true,', "neither tells nor marks" },
  respond = { 'on = { "process.exec", "process.exit" }, where = { names = "sh" }, respond = "kill",', "only a rule that listens" },
}

local examples = [[ examples = { { expect = true, event = { process = { name = "sh" } } },
  { expect = false, event = { process = { name = "x" } } } },]]

describe("a mistake in a rule", function()
  for id, mistake in pairs(mistakes) do
    it("is told: " .. id, function()
      local result = support.check { [id] = mistake[1] .. examples }
      assert.are.equal(1, result.status, result.out)
      assert.is_truthy(result.out:find(mistake[2], 1, true), result.out)
    end)
  end

  it("has place, code and suggestion", function()
    local dir = support.folder()
    support.write(dir .. "/a.lua", 'return {\n  id = "a",\n    sevrity = "low",\n}\n')
    local result = program.run("rules", "check", dir)
    assert.are.equal(dir .. "/a.lua:3:5: R103 unknown key 'sevrity'; did you mean 'severity'?\n0 rules are good, 1 refused\n",
      result.out)
  end)
end)
