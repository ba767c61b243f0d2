-- The machine, its kernel and its limits, beside /proc and the programs that tell of them.
local tables = dofile("tests/spec/tables.lua")

local here = tables.open()

local function first_line(path)
  local file <close> = assert(io.open(path))
  return file:read("l")
end

--- Tables over a made-up /proc and root.
local function over(proc, root)
  return tables.open { proc = tables.root(proc), root = tables.root(root or {}) }
end

describe("os_version", function()
  local function row(files)
    return tables.over(files):rows(
      "SELECT name, version, major, minor, patch, build, platform, platform_like, codename FROM os_version")[1]
  end

  it("is that of this machine", function()
    local expected = tables.shell(". /etc/os-release; echo \"$NAME|${VERSION:-$VERSION_ID}|$ID|$(uname -m)\"")
    assert.are.equal(expected, here:list("SELECT name || '|' || version || '|' || platform || '|' || arch || "
      .. "char(10) FROM os_version")[1])
  end)

  it("understands what distributions write", function()
    assert.are.same({ "Ubuntu", "22.04.3 LTS (Jammy)", 22, 4, 0, false, "ubuntu", "debian", "jammy" }, row {
      ["/etc/os-release"] = 'NAME="Ubuntu"\nVERSION_ID="22.04"\nVERSION="22.04.3 LTS (Jammy)"\n'
        .. "ID=ubuntu\nID_LIKE='debian'\nVERSION_CODENAME=jammy\n",
    })
    assert.are.same({ "Alpine Linux", "3.19.1", 3, 19, 1, false, "alpine", false, false },
      row { ["/usr/lib/os-release"] = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.19.1\n' })
    assert.are.same({ "Old", "5.6", 5, 6, 0, false, false, false, "c" },
      row { ["/etc/lsb-release"] = "DISTRIB_ID=Old\nDISTRIB_RELEASE=5.6\nDISTRIB_CODENAME=c" })
    assert.are.same({ 'a "b" $c', "9", 9, 0, 0, "7", "x", false, false },
      row { ["/etc/os-release"] = 'NAME="a \\"b\\" \\$c"\n# ID=no\nID=x\nBUILD_ID=7\nVERSION_ID=9\njunk' })
    assert.are.same({ false, false, 0, 0, 0, false, false, false, false }, row {})
  end)

  it("follows a link below the root only", function()
    assert.are.equal("Inside", row {
      ["/etc/os-release"] = { link = "/usr/lib/os-release" },
      ["/usr/lib/os-release"] = "NAME=Inside\n",
    }[1])
    assert.are.equal("Inside", row {
      ["/etc/os-release"] = { link = "../../../../../inside" }, ["/inside"] = "NAME=Inside\n",
    }[1])
  end)
end)

describe("system_info", function()
  it("tells of this machine", function()
    local row = here:rows("SELECT hostname, cpu_type, cpu_logical_cores, physical_memory, computer_name "
      .. "FROM system_info")[1]
    local name = tables.shell("uname -n"):match("%S+")
    assert.are.same({ name, tables.shell("uname -m"):match("%S+"), name }, { row[1], row[2], row[5] })
    assert.are.equal(math.tointeger(tables.shell("nproc --all"):match("%d+")), row[3])
    assert.are.equal(tables.shell("grep MemTotal /proc/meminfo"):match("%d+") * 1024, row[4])
  end)

  it("has an identity of the container", function()
    local id = ("0123456789abcdef"):rep(2)
    local function uuid(files)
      return tables.over(files):list("SELECT uuid FROM system_info")[1]
    end
    assert.are.equal("01234567-89ab-cdef-0123-456789abcdef", uuid { ["/etc/machine-id"] = id .. "\n" })
    local other = uuid { ["/etc/machine-id"] = "uninitialized\n" }
    assert.is_truthy(other:find("^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x+$"))
    assert.are.equal(36, #other)
    assert.are.equal(other, uuid {})
  end)

  it("counts cores and sockets", function()
    local function processor(n, socket, core)
      return ("processor\t: %d\nvendor_id\t: V\nmodel\t\t: 5\nmodel name\t: M  1\nphysical id\t: %d\n"
        .. "siblings\t: 4\ncore id\t\t: %d\ncpu cores\t: 2\nmicrocode\t: 0x7\ncpu MHz\t\t: 1999.9\n\n"):format(
        n, socket, core)
    end
    local text = {}
    for n = 0, 7 do
      text[#text + 1] = processor(n, n // 4, n % 2)
    end
    local made = over { ["/cpuinfo"] = table.concat(text) }
    assert.are.same({ { 2, 8, 4, "5", "M  1", "0x7" } }, made:rows(
      "SELECT cpu_sockets, cpu_logical_cores, cpu_physical_cores, cpu_subtype, cpu_brand, cpu_microcode FROM system_info"))
    assert.are.same({ { "CPU0", "M  1", "V", "2", 4, 1999, 1999 }, { "CPU1", "M  1", "V", "2", 4, 1999, 1999 } },
      made:rows("SELECT device_id, model, manufacturer, number_of_cores, logical_processors, current_clock_speed, "
        .. "max_clock_speed FROM cpu_info"))
    local arm = over {
      ["/cpuinfo"] = "processor\t: 0\nBogoMIPS\t: 50\nCPU implementer\t: 0x41\n\nprocessor\t: 1\n\nHardware\t: H\n",
    }
    assert.are.same({ { 1, 2, 2 } },
      arm:rows("SELECT cpu_sockets, cpu_logical_cores, cpu_physical_cores FROM system_info"))
    assert.are.same({ { "CPU0", "0x41" } }, arm:rows("SELECT device_id, manufacturer FROM cpu_info"))
  end)
end)

describe("kernel_info", function()
  it("is what uname and /proc say", function()
    local row = here:rows("SELECT version, path, device, arguments FROM kernel_info")[1]
    assert.are.equal(tables.shell("uname -r"):match("%S+"), row[1])
    local words = {}
    for word in first_line("/proc/cmdline"):gmatch("%S+") do
      if not word:find("^root=") and not word:find("^BOOT_IMAGE=") then
        words[#words + 1] = word
      end
    end
    assert.are.equal(table.concat(words, " "), row[4])
  end)

  it("takes the command line apart", function()
    local made = over {
      ["/cmdline"] = "BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro  quiet\n", ["/sys/kernel/osrelease"] = "5.10\n",
    }
    assert.are.same({ { "5.10", "/boot/vmlinuz", "/dev/sda1", "ro quiet" } },
      made:rows("SELECT version, path, device, arguments FROM kernel_info"))
  end)
end)

describe("uptime, load_average, memory_info and cpu_time", function()
  it("are of now", function()
    local before = math.tointeger(first_line("/proc/uptime"):match("%d+"))
    local row = here:rows("SELECT total_seconds, days * 86400 + hours * 3600 + minutes * 60 + seconds FROM uptime")[1]
    assert.are.equal(row[1], row[2])
    assert.is_true(row[1] - before <= 5, row[1])
    assert.are.same({ "1m", "5m", "15m" }, here:list("SELECT period FROM load_average"))
    assert.are.equal(tables.shell("grep -c '^cpu[0-9]' /proc/stat"):match("%d+"),
      tostring(#here:rows("SELECT * FROM cpu_time")))
    assert.are.equal(tables.shell("grep SwapTotal /proc/meminfo"):match("%d+") * 1024,
      here:list("SELECT swap_total FROM memory_info")[1])
  end)

  it("read what the kernel writes", function()
    local made = over {
      ["/uptime"] = "93784.25 12.00\n", ["/loadavg"] = "0.50 1.25 10.00 1/200 4711\n",
      ["/meminfo"] = "MemTotal: 10 kB\nMemFree:  9 kB\nMemAvailable: 8 kB\nBuffers: 7 kB\nCached: 6 kB\nSwapCached: 5 kB\n"
        .. "Active: 4 kB\nInactive: 3 kB\nActive(anon): 99 kB\nSwapTotal: 2 kB\nSwapFree: 1 kB\n",
      ["/stat"] = "cpu  1 2 3\ncpu0 11 12 13 14 15 16 17 18 19 20\ncpu3 1 2 3 4\nintr 5\n",
    }
    assert.are.same({ { 1, 2, 3, 4, 93784 } },
      made:rows("SELECT days, hours, minutes, seconds, total_seconds FROM uptime"))
    assert.are.same({ { "1m", "0.50" }, { "5m", "1.25" }, { "15m", "10.00" } },
      made:rows("SELECT period, average FROM load_average"))
    local kib = {}
    for i = 1, 10 do
      kib[i] = (11 - i) * 1024
    end
    assert.are.same({ kib }, made:rows("SELECT * FROM memory_info"))
    assert.are.same({ { 0, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 },
      { 3, 1, 2, 3, 4, false, false, false, false, false, false } }, made:rows("SELECT * FROM cpu_time"))
  end)
end)

describe("kernel_modules", function()
  it("are those of /proc/modules", function()
    local expected = {}
    local file = io.open("/proc/modules")
    for line in file and file:lines() or function() end do
      expected[#expected + 1] = line:match("^%S+")
    end
    assert.are.same(expected, here:list("SELECT name FROM kernel_modules"))
    local made = over {
      ["/modules"] = "a 100 2 b,c, Live 0xffff\nb 5 0 - Loading 0x0 (OE)\nshort 1 2\n\n",
    }
    assert.are.same({ { "a", 100, "b,c", "Live", "0xffff" }, { "b", 5, "-", "Loading", "0x0" } },
      made:rows("SELECT * FROM kernel_modules"))
  end)
end)

describe("ulimit_info", function()
  it("is what the kernel says of this process", function()
    local names = { nofile = "Max open files", stack = "Max stack size", nproc = "Max processes", core = "Max core file size" }
    local limits = {}
    for line in io.lines("/proc/self/limits") do
      for name, text in pairs(names) do
        if line:sub(1, #text) == text then
          local soft, hard = line:sub(#text + 1):match("(%S+)%s+(%S+)")
          limits[name] = { soft, hard }
        end
      end
    end
    for name in pairs(names) do
      assert.are.same({ limits[name] },
        here:rows("SELECT soft_limit, hard_limit FROM ulimit_info WHERE type = '" .. name .. "'"), name)
    end
  end)
end)

describe("selinux_settings", function()
  it("reads the file system of SELinux", function()
    local at = "/sys/fs/selinux/"
    local made = tables.over {
      [at .. "enforce"] = "1", [at .. "mls"] = "0", [at .. "booleans/b1"] = "1 1", [at .. "booleans/b2"] = "0 0",
      [at .. "policy_capabilities/p"] = "1", [at .. "class/file/index"] = "6", [at .. "class/file/perms/read"] = "2",
    }
    assert.are.same({
      { "", "enforce", "1" }, { "", "mls", "0" }, { "booleans", "b1", "on" }, { "booleans", "b2", "off" },
      { "policy_capabilities", "p", "1" }, { "class", "file/perms", "read" },
    }, made:rows("SELECT scope, key, value FROM selinux_settings"))
    assert.are.same({}, tables.over({}):rows("SELECT * FROM selinux_settings"))
  end)
end)

describe("cgroup_limits", function()
  local COLUMNS = "version, path, memory_limit, memory_usage, swap_limit, oom_kills, cpu_quota, cpu_period, cpu_limit, "
    .. "cpu_usage, cpu_throttled_periods, cpu_throttled, pids_limit, pids_usage, io_read_bytes, io_write_bytes"

  local function row(cgroup, files)
    local root = {}
    for path, text in pairs(files) do
      root["/sys/fs/cgroup" .. path] = text
    end
    return over({ ["/self/cgroup"] = cgroup }, root):rows("SELECT " .. COLUMNS .. " FROM cgroup_limits")[1]
  end

  it("reads version 2, and the limits above", function()
    assert.are.same({ 2, "/pod/app", 1000, 500, 0, 3, 50000, 100000, 0.5, 7000, 2, 90, 100, 5, 30, 40 },
      row("0::/pod/app\n", {
        ["/pod/app/memory.max"] = "max\n", ["/pod/memory.max"] = "1000\n", ["/memory.max"] = "2000\n",
        ["/pod/app/memory.current"] = "500\n", ["/pod/memory.current"] = "800\n",
        ["/pod/app/memory.swap.max"] = "0\n", ["/pod/app/memory.events"] = "low 0\noom 9\noom_kill 3\n",
        ["/pod/app/cpu.max"] = "200000 100000\n", ["/pod/cpu.max"] = "50000 100000\n",
        ["/pod/app/cpu.stat"] = "usage_usec 7000\nuser_usec 1\nnr_throttled 2\nthrottled_usec 90\n",
        ["/pod/app/pids.max"] = "100\n", ["/pod/app/pids.current"] = "5\n",
        ["/pod/app/io.stat"] = "8:0 rbytes=10 wbytes=40 rios=1\n8:16 rbytes=20 wbytes=0\n",
      }))
  end)

  it("reads version 1, also when the group is mounted as the root", function()
    assert.are.same({ 1, "/ecs/task", 4096, 100, 1024, 0, 25000, 100000, 0.25, 3, 1, 2, 64, 8, 11, 22 },
      row("5:memory:/ecs/task\n4:cpu,cpuacct:/ecs/task\n3:pids:/ecs/task\n2:blkio:/\n1:name=systemd:/x\n0::/\n", {
        ["/memory/memory.limit_in_bytes"] = "4096\n", ["/memory/memory.usage_in_bytes"] = "100\n",
        ["/memory/memory.memsw.limit_in_bytes"] = "5120\n",
        ["/memory/memory.oom_control"] = "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
        ["/cpu,cpuacct/cpu.cfs_quota_us"] = "25000\n", ["/cpu,cpuacct/cpu.cfs_period_us"] = "100000\n",
        ["/cpu,cpuacct/cpuacct.usage"] = "3999\n",
        ["/cpu,cpuacct/cpu.stat"] = "nr_periods 4\nnr_throttled 1\nthrottled_time 2500\n",
        ["/pids/pids.max"] = "64\n", ["/pids/pids.current"] = "8\n",
        ["/blkio/blkio.throttle.io_service_bytes"] = "8:0 Read 11\n8:0 Write 22\n8:0 Total 33\nTotal 33\n",
      }))
  end)

  it("knows no limit as NULL", function()
    assert.are.same({ 1, "/", false, 7, false, false, false, false, false, false, false, false, false, false, false, false },
      row("5:memory:/\n", {
        ["/memory/memory.limit_in_bytes"] = "9223372036854771712\n", ["/memory/memory.usage_in_bytes"] = "7\n",
        ["/memory/memory.memsw.limit_in_bytes"] = "9223372036854771712\n",
      }))
    assert.is_nil(row("0::/../../etc\n", { ["/memory.max"] = "1" }))
    assert.is_nil(row("junk", {}))
  end)

  it("does not wait for a pipe", function()
    assert.are.same({ 2, "/", false }, { table.unpack(row("0::/\n", { ["/memory.max"] = { fifo = true } }), 1, 3) })
  end)
end)

describe("mounts", function()
  it("are those of the kernel, with the space statvfs tells", function()
    local expected = {}
    for line in io.lines("/proc/self/mounts") do
      local fields = tables.lines(line)[1]
      expected[#expected + 1] = { fields[1], (fields[2]:gsub("\\040", " ")), fields[3], fields[4] }
    end
    assert.are.same(expected, here:rows("SELECT device, path, type, flags FROM mounts"))
    local stat = tables.lines(tables.shell("stat -f -c '%S %b %c' /"))[1]
    local row = here:rows("SELECT blocks_size, blocks, inodes, blocks_free >= blocks_available FROM mounts WHERE path = '/'")
    row = row[#row]
    assert.are.same({ stat[1], stat[2], stat[3], 1 }, { tostring(row[1]), tostring(row[2]), tostring(row[3]), row[4] })
  end)

  it("are those of mount(8)", function()
    local before, shown, after
    local tries = 0
    repeat -- others on this machine mount things, too
      before = tables.shell("mount")
      shown = {}
      for i, row in ipairs(here:rows("SELECT device, path, type FROM mounts")) do
        shown[i] = ("%s on %s type %s"):format(row[1], row[2], row[3])
      end
      after = tables.shell("mount")
      tries = tries + 1
    until before == after or tries == 100
    local expected = {}
    for line in before:gmatch("[^\n]+") do
      expected[#expected + 1] = line:match("^(.*) %(.-%)$")
    end
    assert.is_true(#expected > 0)
    assert.are.same(expected, shown)
  end)

  it("ask those of a server by another process", function()
    local folder = tables.root {}
    local made = over {
      ["/self/mounts"] = ("server:/export %s nfs4 rw,addr=192.0.2.1 0 0\nx /none fuse.sshfs rw 0 0\n"
        .. "systemd-1 / autofs rw 0 0\nhalf a\n"):format(folder:gsub("tmp", "\\164mp")),
    }
    local rows = made:rows("SELECT device, path, type, blocks_size, blocks FROM mounts")
    assert.are.same({ "server:/export", folder, "nfs4" }, { table.unpack(rows[1], 1, 3) })
    assert.are.equal(tables.shell("stat -f -c %b " .. folder):match("%d+"), tostring(rows[1][5]))
    assert.are.same({ { "x", "/none", "fuse.sshfs", false, false }, { "systemd-1", "/", "autofs", false, false } },
      { rows[2], rows[3] })
    assert.are.equal(3, #rows)
    assert.are.equal("", made:warnings())
  end)
end)

describe("system_controls", function()
  it("have the values of /proc/sys", function()
    for _, name in ipairs { "kernel.pid_max", "vm.overcommit_memory", "net.ipv4.conf.lo.forwarding" } do
      assert.are.same({ { first_line("/proc/sys/" .. name:gsub("%.", "/")), name:match("^%a+") } },
        here:rows("SELECT current_value, subsystem FROM system_controls WHERE name = '" .. name .. "'"))
    end
    local all = here:rows("SELECT count(*), sum(subsystem = 'vm') FROM system_controls")[1]
    assert.is_true(all[1] > 100)
    assert.are.same({ all[2] }, here:list("SELECT count(*) FROM system_controls WHERE subsystem = 'vm'"))
    assert.are.same({}, here:rows("SELECT * FROM system_controls WHERE name = 'kernel.no_such'"))
    assert.are.same({}, here:rows("SELECT * FROM system_controls WHERE name IN ('//.//.uptime', '/', '', 'kernel')"))
  end)

  it("tell what is asked for, and no keys", function()
    local made = over({
      ["/sys/kernel/a"] = "1\n", ["/sys/net/conf/eth0.5/b"] = "2\t3\n", ["/sys/net/conf/all/stable_secret"] = "key\n",
      ["/sys/kernel/loop"] = { link = "../kernel" }, ["/sys/kernel/pipe"] = { fifo = true },
    }, {
      ["/etc/sysctl.conf"] = "# c\n; c\n-kernel.a = 9\nnet/conf/eth0.5/b=7 8\n", ["/etc/sysctl.d/x.conf"] = "kernel.a=1\n",
      ["/etc/sysctl.d/y.bak"] = "kernel.a=5\n",
    })
    assert.are.same({
      { "kernel.a", "kernel", "1", "9", "string" },
      { "net.conf.all.stable_secret", "net", false, "", "string" },
      { "net.conf.eth0/5.b", "net", "2\t3", "7 8", "string" },
    }, made:rows("SELECT name, subsystem, current_value, config_value, type FROM system_controls ORDER BY name"))
    assert.are.same({ "2\t3" },
      made:list("SELECT current_value FROM system_controls WHERE name = 'net.conf.eth0/5.b'"))
  end)
end)
