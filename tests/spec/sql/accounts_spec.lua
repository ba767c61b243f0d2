-- Users, groups and sessions, beside what getent(1) says of this machine and over files made up.
local tables = dofile("tests/spec/tables.lua")

local here = tables.open()

describe("users", function()
  it("are those of getent", function()
    local expected = {}
    for _, line in ipairs(tables.lines(tables.shell("getent -s files passwd"), ":")) do
      expected[#expected + 1] =
        { line[1], math.tointeger(line[3]), math.tointeger(line[4]), line[5], line[6], line[7] }
    end
    assert.is_true(#expected > 0)
    assert.are.same(expected,
      here:rows("SELECT username, uid, gid, description, directory, shell FROM users"))
  end)

  it("are found by id and by name", function()
    assert.are.same({ { "root", 0, 0, 0 } },
      here:rows("SELECT username, gid, gid_signed, pid_with_namespace FROM users WHERE uid = 0"))
    assert.are.same({ 0 }, here:list("SELECT uid FROM users WHERE username = 'root'"))
    assert.are.same({}, here:list("SELECT uid FROM users WHERE username = 'ROOT'"))
    assert.are.same({}, here:list("SELECT uid FROM users WHERE uid = 'x'"))
  end)

  it("may be many with one id, and large", function()
    local made = tables.over {
      ["/etc/passwd"] = "root:x:0:0:r:/root:/bin/sh\ntoor:x:0:0::/root:\n# no\njunk\n\n"
        .. "nobody:x:4294967294:65534:n:/:/bin/false",
    }
    assert.are.same({ { "root" }, { "toor" } }, made:rows("SELECT username FROM users WHERE uid = 0"))
    assert.are.same({ { 4294967294, -2, 65534 } },
      made:rows("SELECT uid, uid_signed, gid FROM users WHERE username = 'nobody'"))
  end)

  it("are those of another process's root", function()
    assert.are.same(here:list("SELECT username FROM users"),
      here:list("SELECT username FROM users WHERE pid_with_namespace = 1"))
    assert.are.same({}, here:list("SELECT username FROM users WHERE pid_with_namespace = 99999999"))
    assert.are.same({}, here:list("SELECT username FROM users WHERE pid_with_namespace = -1"))
  end)
end)

describe("groups", function()
  it("are those of getent", function()
    local expected = {}
    for i, line in ipairs(tables.lines(tables.shell("getent -s files group"), ":")) do
      expected[i] = { line[1], math.tointeger(line[3]) }
    end
    assert.are.same(expected, here:rows("SELECT groupname, gid FROM groups"))
    assert.are.same({ "root" }, here:list("SELECT groupname FROM groups WHERE gid = 0"))
  end)
end)

describe("user_groups", function()
  it("are those of id", function()
    for _, line in ipairs(tables.lines(tables.shell("getent -s files passwd"), ":")) do
      local expected = {}
      for gid in tables.shell("id -G " .. line[1]):gmatch("%d+") do
        expected[#expected + 1] = math.tointeger(gid)
      end
      table.sort(expected)
      assert.are.same(expected, here:list(
        "SELECT gid FROM user_groups WHERE uid = " .. line[3] .. " ORDER BY gid"), line[1])
    end
  end)

  it("count whole names", function()
    local made = tables.over {
      ["/etc/passwd"] = "a:x:1:10::/:\nab:x:2:20::/:\n",
      ["/etc/group"] = "one:x:10:\ntwo:x:20:ab,abc\nthree:x:30:b,a\nfour:x:40:ab\n",
    }
    assert.are.same({ { 1, 10 }, { 1, 30 }, { 2, 20 }, { 2, 40 } },
      made:rows("SELECT uid, gid FROM user_groups"))
  end)
end)

-- A record of utmp(5), as glibc has it on this machine.
local function record(type, pid, line, user, host, time)
  local is_wide = tables.shell("uname -m"):find("aarch64")
  local text = string.pack("<hxxi4c32c4c32c256i2i2", type, pid, line, "id", user, host, 0, 0)
  return text .. (is_wide and string.pack("<i8i8i8", 0, time, 0) or string.pack("<i4i4i4", 0, time, 0))
    .. string.pack("<c16c20", "", "") .. (is_wide and string.pack("c4", "") or "")
end

describe("logged_in_users and last", function()
  local log = record(2, 0, "~", "reboot", "6.1", 1000) .. record(7, 50, "pts/0", "alice", "192.0.2.7", 2000)
    .. record(8, 50, "pts/0", "", "", 3000) .. record(7, 1, "x", "init", "", 1) .. record(77, 3, "y", "z", "", 4)
  local long = record(7, 9, "pts/9", ("u"):rep(32), ("h"):rep(256), 5)
  local made = tables.over { ["/run/utmp"] = log .. long .. "half a record", ["/var/log/wtmp"] = log }

  it("read records", function()
    assert.are.same({
      { "boot_time", "reboot", "~", "6.1", 1000, 0 },
      { "user", "alice", "pts/0", "192.0.2.7", 2000, 50 },
      { "dead", "", "pts/0", "", 3000, 50 },
      { "unknown", "z", "y", "", 4, 3 },
      { "user", ("u"):rep(32), "pts/9", ("h"):rep(256), 5, 9 },
    }, made:rows("SELECT type, user, tty, host, time, pid FROM logged_in_users"))
    assert.are.same({
      { "alice", "pts/0", 50, 7, "user-process", 2000, "192.0.2.7" },
      { "", "pts/0", 50, 8, "dead-process", 3000, "" },
      { "init", "x", 1, 7, "user-process", 1, "" },
    }, made:rows("SELECT username, tty, pid, type, type_name, time, host FROM last"))
    assert.are.equal("", made:warnings())
  end)

  it("agree with last(1)", function()
    if not tables.has("last") then
      pending("no program `last` here")
      return
    end
    local root = tables.root { ["/wtmp"] = log }
    local out = tables.shell("last -w -f " .. root .. "/wtmp")
    assert.is_truthy(out:find("alice +pts/0 +192%.0%.2%.7"), out)
  end)

  it("have no rows without a file, and do not wait for a pipe", function()
    local none = tables.over { ["/run/utmp"] = { fifo = true } }
    assert.are.same({}, none:rows("SELECT * FROM last"))
    assert.are.equal("", none:warnings())
    assert.are.same({}, none:rows("SELECT * FROM logged_in_users"))
    assert.is_truthy(none:warnings():find("/run/utmp", 1, true))
  end)
end)

describe("shadow", function()
  it("tells states, never hashes", function()
    local made <const> = tables.over {
      ["/etc/shadow"] = "root:*:19000:0:99999:7:::\na:$y$j9T$abc$def:19001:1:2:3:4:5:6\nb::1::::::\n"
        .. "c:!!:1::::::\nd:!$6$x:1::::::\ne:$6$salt$hash:::::::\nbroken\n:x:1:\n",
    }
    assert.are.same({
      { "root", "locked", false, 19000, 0, 99999, 7, -1, -1, -1 },
      { "a", "active", "y", 19001, 1, 2, 3, 4, 5, 6 },
      { "b", "empty", false, 1, -1, -1, -1, -1, -1, -1 },
      { "c", "not_set", false, 1, -1, -1, -1, -1, -1, -1 },
      { "d", "locked", false, 1, -1, -1, -1, -1, -1, -1 },
      { "e", "active", "6", -1, -1, -1, -1, -1, -1, -1 },
    }, made:rows("SELECT username, password_status, hash_alg, last_change, min, max, warning, inactive, "
      .. "expire, flag FROM shadow"))
  end)

  it("has a row for each user that has a line", function()
    if not io.open("/etc/shadow") then
      pending("/etc/shadow cannot be read here")
      return
    end
    local names = {}
    for line in io.lines("/etc/shadow") do
      names[#names + 1] = line:match("^[^:]+")
    end
    assert.are.same(names, here:list("SELECT username FROM shadow"))
  end)
end)
