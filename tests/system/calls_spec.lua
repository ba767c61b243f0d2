-- Attention `calls`: what real programs do, against the events it gives.
local support = require "tests.system.support"

local filter, quote, run = support.filter, support.quote, support.run

local PYTHON = "/usr/bin/python3"

-- Without the limits on its cost: on a busy machine they end it early.
local FREE = " --attention_stops_per_s=0 --attention_cpu_percent=0"

---@param attention string  Lua
---@return string  path of a profile with it
local function profile_with(attention)
  local path = support.new_path() .. ".lua"
  support.write(path, 'return { extends = "default", attention = { ' .. attention .. " } }\n")
  return path
end

--- Watch a shell script, everybody in it under `calls`.
---@param script string
---@param attention? string
---@return system.Result result, table[] events, string folder  it ran in
local function watch(script, attention)
  local folder = support.new_path()
  assert.are.equal(0, run("mkdir " .. folder).code)
  local profile = profile_with(attention or 'default = "calls"')
  local result, events = support.watch("sh -c " .. quote("cd " .. folder .. "\n" .. script),
    "--profile=" .. profile .. FREE)
  return result, events, run("realpath " .. folder).out:gsub("\n", "")
end

--- Events of a kind, and of a process when `name` is given; not those found by looking now and then.
local function of(events, kind, name)
  return filter(events, function(event)
    return event.kind == kind and not event.sampled and (not name or event.process.name == name)
  end)
end

--- The only one of them; `where` chooses.
local function only(events, kind, name, where)
  local found = filter(of(events, kind, name), where or function() return true end)
  assert.are.equal(1, #found, ("%d events %s of %s"):format(#found, kind, name))
  return found[1]
end

local function with_path(path)
  return function(event)
    return event.file and event.file.path == path
  end
end

describe("system calls of programs under attention", function()
  it("tell what becomes of files", function()
    local result, events, folder = watch [[
      umask 022
      echo one >made; echo two >>made; cat made >/dev/null; cat missing 2>/dev/null
      mkdir box; mv made box/moved; ln box/moved hard; ln -s nowhere soft
      chmod 4750 hard; touch -d @5 hard; truncate -s 100 hard; mkfifo pipe
      rm hard soft pipe box/moved; rmdir box; rmdir box 2>/dev/null
      true]]
    assert.are.equal(0, result.code)
    local function at(name)
      return folder .. "/" .. name
    end

    local made = only(events, "file.create", "sh", with_path(at "made"))
    assert.is_true(made.file.write)
    assert.are.equal(tonumber("666", 8), made.file.mode)
    assert.are.equal("openat", made.call.name)
    assert.are.equal(made.call.fd, made.call.result)
    local appended = only(events, "file.open", "sh", with_path(at "made"))
    assert.is_true(appended.file.write)
    assert.are.equal(made.file.inode, appended.file.inode)
    local read = only(events, "file.open", "cat", with_path(at "made"))
    assert.is_nil(read.file.write)
    local missing = only(events, "file.open", "cat", with_path(at "missing"))
    assert.are.equal("ENOENT", missing.call.error)
    assert.is_nil(missing.call.result)

    assert.are.equal(tonumber("777", 8), only(events, "file.create", "mkdir", with_path(at "box")).file.mode)
    assert.is_true(only(events, "file.create", "mkdir", with_path(at "box")).file.directory)
    assert.is_nil(made.file.directory)
    local renamed = only(events, "file.rename", "mv", with_path(at "box/moved"))
    assert.are.equal(at "made", renamed.file.old_path)
    assert.are.equal(at "box/moved", only(events, "file.link", "ln", with_path(at "hard")).file.old_path)
    assert.are.equal("nowhere", only(events, "file.symlink", "ln", with_path(at "soft")).file.old_path)
    assert.are.equal(tonumber("4750", 8), only(events, "file.attributes", "chmod", with_path(at "hard")).file.mode)
    assert.are.equal(1, #filter(of(events, "file.attributes", "touch"), with_path(at "hard")))
    assert.are.equal(100, only(events, "file.attributes", "truncate", with_path(at "hard")).file.size)
    assert.are.equal(1, #filter(of(events, "file.create", "mkfifo"), with_path(at "pipe")))

    local gone = {}
    for _, event in ipairs(of(events, "file.delete")) do
      gone[#gone + 1] = event.file.path:sub(#folder + 2) .. (event.call.error and " " .. event.call.error or "")
    end
    assert.are.same({ "hard", "soft", "pipe", "box/moved", "box", "box ENOENT" }, gone)
    for _, event in ipairs(events) do
      assert.is_nil(event.call and event.call.incomplete, event.file and event.file.path)
    end
  end)

  it("name files as the kernel does, whatever leads to them", function()
    local result, events, folder = watch [[
      mkdir -p deep/er; echo x >deep/file; ln -s deep/er way; ln -s "$PWD/deep" whole
      cat way/../file whole/file ./deep//er/../file >/dev/null
      cd way; cat ../file ../none 2>/dev/null; rm ../file; true]]
    assert.are.equal(0, result.code)
    assert.are.equal(4, #filter(of(events, "file.open", "cat"), with_path(folder .. "/deep/file")))
    assert.are.equal("ENOENT", only(events, "file.open", "cat", with_path(folder .. "/deep/none")).call.error)
    assert.are.equal(folder .. "/deep/file", only(events, "file.delete", "rm").file.path)
  end)

  it("tell of connections, and of sockets that become standard input", function()
    local server, port = support.new_path(), support.new_path()
    support.write(server, ([[
import os, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(1)
open(%q, "w").write(str(s.getsockname()[1]))
os.rename(%q, %q)
c = s.accept()[0]
c.sendall(b"echo from afar\nexit 7\n")
print(c.makefile().read())
]]):format(port .. ".new", port .. ".new", port))
    local result, events = watch(([[
      %s %s >shown &
      while [ ! -s %s ]; do read -r _ </dev/null; done
      bash -c 'exec 3<>/dev/tcp/127.0.0.1/'$(cat %s)'; exec sh <&3 >&3'
      echo $?; wait; cat shown]]):format(PYTHON, server, port, port))
    assert.are.equal("7\nfrom afar\n\n", result.out)
    local number = tonumber(support.read(port))

    -- Looking up its user it may ask a name service daemon by a unix socket.
    local connected = only(events, "socket.connect", "bash", function(event)
      return event.socket.family ~= "unix"
    end)
    assert.are.same({ "ipv4", "stream", "tcp", "127.0.0.1", number }, {
      connected.socket.family, connected.socket.type, connected.socket.protocol,
      connected.socket.remote_address, connected.socket.remote_port })
    assert.are.equal(0, connected.call.result)
    local stdin = only(events, "process.dup-to-stdio", "bash", function(event)
      return event.call.number == 0 and event.socket
    end)
    assert.are.equal(number, stdin.socket.remote_port)
    assert.are.equal(connected.socket.inode, stdin.socket.inode)

    local name = of(events, "socket.bind")[1].process.name
    assert.are.equal(number, only(events, "socket.bind", name).socket.local_port)
    assert.are.equal(number, only(events, "socket.listen", name).socket.local_port)
    local accepted = only(events, "socket.accept", name)
    assert.are.equal(number, accepted.socket.local_port)
    assert.are.equal(connected.socket.local_port, accepted.socket.remote_port)
  end)

  it("tell of every family of sockets", function()
    local result, events = watch(PYTHON .. " -c " .. quote [[
import errno, socket
u = socket.socket(socket.AF_UNIX)
u.bind("\0moonwatch-calls-spec")
u.listen(1)
c = socket.socket(socket.AF_UNIX)
c.connect("\0moonwatch-calls-spec")
d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
d.connect(("127.0.0.1", 53))
b = socket.socket()
b.bind(("127.0.0.1", 0))
n = socket.socket()
n.setblocking(False)
print(errno.errorcode[n.connect_ex(b.getsockname())])
try:
    s = socket.socket(socket.AF_INET6)
    s.bind(("::1", 0))
    print("ipv6")
except OSError:
    pass
]])
    assert.are.equal(0, result.code, result.err)
    local abstract = "@moonwatch-calls-spec"
    local function with_abstract(event)
      return event.socket.path == abstract
    end
    assert.are.equal("unix", only(events, "socket.bind", nil, with_abstract).socket.family)
    assert.are.equal(0, only(events, "socket.connect", nil, with_abstract).call.result)
    local datagrams = only(events, "socket.connect", nil, function(event)
      return event.socket.remote_port == 53
    end)
    assert.are.equal("udp", datagrams.socket.protocol)
    local first = result.out:match "^%u+"
    assert.are.equal(1, #filter(of(events, "socket.connect"), function(event)
      return event.call.error == first and event.socket.remote_address == "127.0.0.1"
    end))
    if result.out:find "ipv6" then
      assert.are.equal(1, #filter(of(events, "socket.bind"), function(event)
        return event.socket.local_address == "::1"
      end))
    end
  end)

  it("tell of netcat at both ends", function()
    local result, events = watch [[
      nc -l -N 127.0.0.1 0 -v </dev/null >got 2>told &
      until port=$(grep -o '[0-9]*$' told); do read -r _ </dev/null; done
      echo hello | nc -N 127.0.0.1 $port; wait; cat got]]
    assert.are.equal("hello\n", result.out, result.err)
    local accepted = only(events, "socket.accept", "nc")
    local connected = only(events, "socket.connect", "nc", function(event)
      return event.socket.remote_port == accepted.socket.local_port
    end)
    assert.are.equal(connected.socket.local_port, accepted.socket.remote_port)
  end)

  it("tell what processes do to others and to themselves", function()
    local result, events = watch(([[
      mkfifo up; perl -e 'print "up\n"; close STDOUT; sleep 60' >up & victim=$!
      read -r _ <up; kill -TERM $victim; wait $victim
      strace -p $$ 2>/dev/null
      %s -c 'import os; os.memfd_create("hidden"); os.execvp("no-such-program", ["x"])' 2>/dev/null
      perl -e '$0 = "renamed"; kill 0, $$; kill "USR1", $$' 2>/dev/null
      true]]):format(PYTHON))
    assert.are.equal(0, result.code)
    local signal = only(events, "process.kill", "sh")
    assert.are.equal("SIGTERM", signal.call.text)
    assert.are.equal("perl", signal.call.target.name)
    assert.are.equal(signal.call.target_pid, signal.call.target.pid)
    assert.are.equal(0, #of(events, "process.kill", "perl")) -- itself

    local traced = of(events, "process.ptrace", "strace")
    assert.is_true(#traced > 0)
    local last = traced[#traced].call
    assert.is_truthy(last.text:find "^PTRACE_")
    local memfd = only(events, "process.memfd")
    assert.are.equal("hidden", memfd.call.text)
    assert.are.equal("/memfd:hidden (deleted)", memfd.file.path)
    local failed = filter(of(events, "process.exec-failed"), function(event)
      return event.file.path:find "/no%-such%-program$"
    end)
    assert.is_true(#failed > 0)
    assert.are.equal("ENOENT", failed[1].call.error)
    assert.are.equal("renamed", only(events, "process.prctl-name", "perl").call.text)
  end)

  it("tell of ids, namespaces and mounts", function()
    if not support.has_namespaces then
      pending "needs to make namespaces"
      return
    end
    local result, events, folder = watch [[
      mkdir at
      unshare -m sh -c 'mount -t tmpfs -o nosuid things at && touch at/inside && umount at'
      setpriv --reuid=65534 --regid=65534 --clear-groups true]]
    assert.are.equal(0, result.code, result.err)
    local function is_mounted_there(event)
      return event.file and event.file.path == folder .. "/at" and event.call.text == "tmpfs"
    end
    local mounted = filter(of(events, "process.mount", "mount"), is_mounted_there)
    -- Newer programs make a mount in steps, and then move it there.
    assert.is_true(#mounted > 0 or #filter(of(events, "process.mount", "mount"), with_path(folder .. "/at")) > 0)
    assert.are.equal(1, #filter(of(events, "process.mount", "umount"), with_path(folder .. "/at")))
    assert.are.equal("CLONE_NEWNS", only(events, "process.unshare", "unshare").call.text)
    assert.is_true(#filter(of(events, "file.create", "touch"), with_path(folder .. "/at/inside")) == 1)
    local ids = {}
    for _, event in ipairs(of(events, "process.setuid", "setpriv")) do
      ids[event.call.name] = event.call.number
    end
    assert.are.equal(65534, ids.setresuid)
    assert.are.equal(65534, ids.setresgid)
    assert.are.equal(0, ids.setgroups)
  end)

  it("are told of those alone who are to be watched so", function()
    local _, events, folder = watch([[
      echo x >file; cat file >/dev/null; head -n1 file >/dev/null; sh -c 'cat file; true' >/dev/null]],
      '{ names = { "cat" }, level = "calls" }, default = "events"')
    assert.are.equal(2, #filter(of(events, "file.open"), with_path(folder .. "/file")))
    for _, event in ipairs(events) do
      if event.call then
        assert.are.equal("cat", event.process.name)
      end
    end
    assert.are.equal(5, #of(events, "process.exec")) -- sh, cat, head, sh, cat
  end)

  it("are those that strace sees, with the same results", function()
    local told = {
      openat = true, unlink = true, unlinkat = true, chmod = true, fchmodat = true, mkdir = true, rename = true,
      renameat2 = true, symlink = true, symlinkat = true, connect = true, bind = true, memfd_create = true,
    }
    local script = [[
      cd $TMPDIR; mkdir both; cd both; echo x >a; mv a b; ln -s b c; chmod 600 b; cat c none; rm b c
      perl -e 'use Socket; for (1 .. 5) { my $p = fork; if (!$p) { open my $f, ">", "f$$"; unlink "f$$"; chmod 0, "/none";
        socket my $s, PF_INET, SOCK_DGRAM, 0; connect $s, pack_sockaddr_in(9, INADDR_LOOPBACK); exit 0 } } 1 while wait > 0'
      ls -l /etc; cd ..; rmdir both]]
    local function count(counts, name, failure)
      if told[name] then
        local key = name .. " " .. (failure or "done")
        counts[key] = (counts[key] or 0) + 1
      end
    end

    local log, expected, seen = support.new_path(), {}, {}
    run(("strace -f -qq -o %s sh -c %s"):format(log, quote(script)))
    for line in io.lines(log) do
      local name, result = line:match "^%d+ +([%w_]+)%(.* += (.*)$"
      if not name then
        name, result = line:match "<%.%.%. ([%w_]+) resumed>.* += (.*)$"
      end
      if name then
        count(expected, name, result:match "^%-1 (E%u+)")
      end
    end
    assert.is_true(expected["openat done"] > 20)
    local _, events = watch(script)
    for _, event in ipairs(events) do
      if event.call then
        count(seen, event.call.name, event.call.error)
      end
    end
    assert.are.same(expected, seen)
  end)

  it("change nothing of what programs do", function()
    local script = [[
      for i in 1 2 3 4 5 6 7 8; do (seq 1 200 | sort -R | sort -n | md5sum) & done | sort; wait
      trap 'echo caught' USR1; kill -USR1 $$; echo ${x:-unset}
      tar cf - /etc/init.d 2>/dev/null | tar tf - | sort | head -n 3
      exit 9]]
    local bare = run("sh -c " .. quote(script))
    local result, events = watch(script)
    assert.are.equal(bare.out, result.out)
    assert.are.equal(9, result.code)
    assert.is_true(#of(events, "process.dup-to-stdio") > 0)
    local threads = support.watch(support.program "threads", "--profile=" .. profile_with 'default = "calls"' .. FREE)
    assert.are.equal(run(support.program "threads").out, threads.out)
  end)
end)
