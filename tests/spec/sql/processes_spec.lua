-- Tables of processes, against the tools that know.
local sql = require "moonwatch.sql"
local program = dofile "tests/spec/program.lua"

local database <const> = assert(sql.open { state_dir = "/nowhere" })

local function rows(text)
  local query <close> = assert(database:prepare(text))
  local list = {}
  local row, message = query:texts()
  while row do
    list[#list + 1] = row
    row, message = query:texts()
  end
  assert(row == false, message)
  return list
end

local function shell(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "a"
end

local function has(tool)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(tool)) == true
end

--- What `get` gives once it gives something.
local function await(get)
  local deadline = os.time() + 20
  repeat
    local got = get()
    if got then
      return got
    end
  until os.time() > deadline
  error "it does not come"
end

--- A shell that runs `command`, then sleeps; ended with the block.
local function sleeper(command)
  local path = shell("mktemp"):match "%S+"
  os.execute(("sh -c '%s exec sleep 100' >/dev/null 2>&1 & echo $! >%s"):format(command, path))
  local pid = await(function()
    local file <close> = assert(io.open(path))
    return file:read "n"
  end)
  -- It is what it is to become only when it sleeps: before, its libraries are still being mapped.
  await(function()
    local stat <close> = assert(io.open(("/proc/%d/stat"):format(pid)))
    return stat:read("l"):find("(sleep) S", 1, true)
  end)
  os.remove(path)
  return setmetatable({ pid = pid }, {
    __close = function()
      os.execute(("kill -9 %d"):format(pid))
    end,
  })
end

describe("processes", function()
  it("has what ps has", function()
    if not has "ps" then
      pending "ps is not there"
      return
    end
    local one <close> = sleeper "cd /; renice -n 5 $$;"
    local format = "pid=,ppid=,pgid=,uid=,euid=,gid=,nlwp=,ni=,comm=,args="
    local line = shell(("ps -o %s -p %d"):format(format, one.pid))
    local expected = {}
    for word in line:gmatch "%S+" do
      expected[#expected + 1] = word
    end
    local got = rows(([[SELECT pid, parent, pgroup, uid, euid, gid, threads, nice, name, cmdline
      FROM processes WHERE pid = %d]]):format(one.pid))[1]
    assert.are.equal(table.concat(expected, " "), table.concat(got, " "))
  end)

  it("may come and go while they are looked at", function()
    local stop = os.tmpname()
    os.execute(("while [ -e %s ]; do /bin/true & /bin/true; done >/dev/null 2>&1 &"):format(stop))
    for _ = 1, 4 do
      assert.is_true(#rows "SELECT * FROM processes" > 0)
      rows "SELECT count(*) FROM processes JOIN process_envs USING (pid) JOIN process_open_files USING (pid)"
      rows "SELECT count(*) FROM process_memory_map"
      rows "SELECT count(*) FROM process_open_sockets JOIN processes USING (pid)"
    end
    os.remove(stop)
  end)

  it("are those that ps lists", function()
    if not has "ps" then
      pending "ps is not there"
      return
    end
    local one <close> = sleeper ""
    local listed = {}
    for pid in shell("ps -e -o pid="):gmatch "%d+" do
      listed[pid] = true
    end
    local common, ours = 0, 0
    for _, row in ipairs(rows "SELECT pid FROM processes") do
      ours = ours + 1
      common = common + (listed[row[1]] and 1 or 0)
    end
    assert.is_true(listed[tostring(one.pid)])
    assert.are.equal(1, #rows("SELECT 1 FROM processes WHERE pid = " .. one.pid))
    -- Others come and go on this machine.
    assert.is_true(common * 2 > ours, ("%d of %d"):format(common, ours))
  end)
end)

describe("process_envs", function()
  it("has a process's variables, without its secrets", function()
    local one <close> = sleeper "PLAIN=visible AWS_SECRET_ACCESS_KEY=hunter2hunter2 URL=http://a:hunter2@b/"
    local got = {}
    for _, row in ipairs(rows("SELECT key, value FROM process_envs WHERE pid = " .. one.pid)) do
      got[row[1]] = row[2]
    end
    local names = {}
    for variable in io.open(("/proc/%d/environ"):format(one.pid)):read("a"):gmatch "[^\0]+" do
      local name = variable:match "^([^=]+)="
      names[#names + 1] = name
      assert.is_not_nil(got[name], name)
    end
    assert.is_true(#names >= 3)
    assert.are.equal("visible", got.PLAIN)
    assert.is_truthy(got.AWS_SECRET_ACCESS_KEY:find "^%[redacted:%x%x%x%x%x%x%x%x%]$")
    assert.is_truthy(got.URL:find "^%[redacted:%x+%]$")
  end)

  it("shows them where that is allowed", function()
    local one <close> = sleeper "API_TOKEN=hunter2"
    local query = ("SELECT value FROM process_envs WHERE key = 'API_TOKEN' AND pid = %d"):format(one.pid)
    local function ask(...)
      return program.run("sql", "--list", "--header=false", ..., query).out
    end
    assert.is_truthy(ask("--list"):find "^%[redacted:%x+%]\n$")
    assert.are.equal("hunter2\n", ask "--allow_plain_env")
    assert.are.equal("hunter2\n", ask "--allow_plain_env=true")
    assert.is_truthy(ask("--allow_plain_env=false"):find "redacted")
    local result = program.execute { "env", "MOONWATCH_ALLOW_PLAIN_ENV=true", program.path, "sql", "--list",
      "--header=false", query }
    assert.are.equal("hunter2\n", result.out)
  end)
end)

describe("process_open_files", function()
  it("has the files, also those without a name any more", function()
    local path = shell("mktemp"):match "%S+"
    local one <close> = sleeper(("exec 7<%s; rm %s;"):format(path, path))
    assert.are.same({ { "7", path .. " (deleted)" } },
      rows(("SELECT fd, path FROM process_open_files WHERE pid = %d AND fd = 7"):format(one.pid)))
  end)
end)

describe("process_open_pipes", function()
  it("knows both ends", function()
    local path = shell("mktemp"):match "%S+"
    os.execute(("sh -c 'echo $$; exec sleep 100' | { read a; echo $a $$ >%s; exec sleep 100; } & :"):format(path))
    local writer = await(function()
      local file <close> = assert(io.open(path))
      return file:read "n"
    end)
    os.remove(path)
    local found = rows(("SELECT mode, type, partner_mode, partner_pid, partner_fd FROM process_open_pipes"
      .. " WHERE pid = %d AND fd = 1"):format(writer))
    os.execute("kill -9 " .. writer)
    assert.are.equal(1, #found)
    assert.are.same({ "w", "anonymous", "r" }, { table.unpack(found[1], 1, 3) })
    assert.are.equal("0", found[1][5])
    os.execute("kill -9 " .. found[1][4])
  end)
end)

describe("process_memory_map", function()
  it("has the lines of /proc", function()
    local one <close> = sleeper ""
    local count, executable = 0, nil
    for line in io.lines(("/proc/%d/maps"):format(one.pid)) do
      count = count + 1
      executable = executable or line:match "r%-xp .- (/%S+)$"
    end
    assert.are.equal(tostring(count),
      rows("SELECT count(*) FROM process_memory_map WHERE pid = " .. one.pid)[1][1])
    assert.is_true(#rows(("SELECT 1 FROM process_memory_map WHERE pid = %d AND path = '%s' AND permissions = 'r-xp'")
      :format(one.pid, executable)) > 0)
  end)
end)

describe("process_namespaces", function()
  it("has the links of /proc", function()
    local one <close> = sleeper ""
    local row = rows("SELECT mnt_namespace, net_namespace, pid_namespace FROM process_namespaces WHERE pid = "
      .. one.pid)[1]
    for i, kind in ipairs { "mnt", "net", "pid" } do
      assert.are.equal(shell(("readlink /proc/%d/ns/%s"):format(one.pid, kind)):match "%d+", row[i])
    end
  end)
end)

describe("sockets", function()
  -- A program of everywhere that listens, and one that connects to it.
  local function listener()
    if not has "python3" then
      return nil
    end
    local path = shell("mktemp"):match "%S+"
    local code = table.concat({
      "import os, socket, sys, time",
      "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()",
      "c = socket.create_connection(s.getsockname()); a, _ = s.accept()",
      "u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u.bind(('::', 0))",
      "x = socket.socket(socket.AF_UNIX); x.bind('\\0moonwatch-%d' % os.getpid()); x.listen()",
      "f = open(sys.argv[1], 'w'); f.write('%d %d %d %d' % (os.getpid(), s.getsockname()[1], c.getsockname()[1],"
        .. " u.getsockname()[1])); f.close()",
      "time.sleep(100)",
    }, "\n")
    local script <close> = assert(io.open(path .. ".py", "w"))
    script:write(code)
    script:flush()
    os.execute(("python3 %s.py %s >/dev/null 2>&1 &"):format(path, path))
    local text = await(function()
      local file <close> = assert(io.open(path))
      local got = file:read "a"
      return got:find "^%d+ %d+ %d+ %d+$" and got
    end)
    os.remove(path)
    os.remove(path .. ".py")
    local pid, port, client, udp = text:match "(%d+) (%d+) (%d+) (%d+)"
    return setmetatable({ pid = pid, port = port, client = client, udp = udp }, {
      __close = function()
        os.execute("kill -9 " .. pid)
      end,
    })
  end

  it("are those that ss has", function()
    local one <close> = listener()
    if not one or not has "ss" then
      pending "python3 and ss are needed"
      return
    end
    local got = rows(([[SELECT state, local_address || ':' || local_port, remote_address || ':' || remote_port
      FROM process_open_sockets WHERE pid = %s AND protocol = 6 ORDER BY 1, 2]]):format(one.pid))
    local expected = {}
    -- By its holder: somebody else may have the same port, of another address or towards another.
    for state, here, there, holder in shell("ss -Htanp"):gmatch "(%S+) +%d+ +%d+ +(%S+) +(%S+)([^\n]*)\n" do
      if holder:find("pid=" .. one.pid .. ",", 1, true) then
        expected[#expected + 1] = { (state:gsub("ESTAB", "ESTABLISHED")), here, (there:gsub("%*$", "0")) }
      end
    end
    table.sort(expected, function(a, b)
      return a[1] .. a[2] < b[1] .. b[2]
    end)
    assert.are.equal(3, #expected)
    assert.are.same(expected, got)
    assert.are.equal(one.port, rows(([[SELECT port FROM listening_ports WHERE pid = %s AND protocol = 6]])
      :format(one.pid))[1][1])
    assert.are.same({ { one.udp, "::", "10" } }, rows(([[SELECT port, address, family FROM listening_ports
      WHERE pid = %s AND protocol = 17]]):format(one.pid)))
    assert.are.equal("@moonwatch-" .. one.pid, rows(([[SELECT path FROM listening_ports WHERE pid = %s AND family = 1]])
      :format(one.pid))[1][1])
  end)
end)
