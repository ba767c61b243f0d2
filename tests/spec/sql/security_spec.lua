-- Who may log in, what runs by itself, and with whose rights: files made up, and this machine's own tools.
local tables = dofile("tests/spec/tables.lua")

local here = tables.open()

local USERS = "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n"
local ME = math.tointeger(tables.shell("id -u"):match("%d+"))

--- Tables over these files, and users root, alice and bob.
local function over(files)
  files["/etc/passwd"] = USERS
  return tables.over(files)
end

describe("a user-based table", function()
  local made = over {
    ["/home/alice/.ssh/known_hosts"] = "a ssh-rsa AAAA\n", ["/home/bob/.ssh/known_hosts"] = "b ssh-rsa BBBB\n",
    ["/root/.ssh/known_hosts"] = "r ssh-rsa CCCC\n", ["/home/bob/.ssh/config"] = "Port 1\n",
  }

  it("gives the current user's rows, or those asked for", function()
    assert.are.same(ME == 0 and { "r ssh-rsa CCCC" } or {}, made:list "SELECT key FROM known_hosts")
    assert.are.same({ "a ssh-rsa AAAA" }, made:list "SELECT key FROM known_hosts WHERE uid = 1000")
    assert.are.same({ "a ssh-rsa AAAA", "b ssh-rsa BBBB" },
      made:list "SELECT key FROM known_hosts WHERE uid IN (1000, 1001, 7) ORDER BY key")
    assert.are.same({}, made:list "SELECT key FROM known_hosts WHERE uid = 'alice'")
  end)

  it("gives all users' in a join, whatever the order of its tables", function()
    local expected = { { "alice", "a ssh-rsa AAAA" }, { "bob", "b ssh-rsa BBBB" }, { "root", "r ssh-rsa CCCC" } }
    for _, from in ipairs {
      "users JOIN known_hosts USING (uid)", "known_hosts JOIN users USING (uid)", "known_hosts k, users u WHERE k.uid = u.uid",
      "users u CROSS JOIN known_hosts k ON k.uid = u.uid",
    } do
      assert.are.same(expected, made:rows("SELECT username, key FROM " .. from .. " ORDER BY username"), from)
    end
    assert.are.same({ { "bob", "b ssh-rsa BBBB" } },
      made:rows "SELECT username, key FROM known_hosts JOIN users USING (uid) WHERE username = 'bob'")
    -- Two such tables have no plan that gives each a user, but there is one.
    assert.are.same({ { "b ssh-rsa BBBB", "port 1" } }, made:rows [[SELECT key, option FROM users
      JOIN known_hosts USING (uid) JOIN ssh_configs USING (uid)]])
    assert.are.equal("table", type(made:rows "SELECT * FROM known_hosts JOIN ssh_configs USING (uid)"))
  end)

  it("does not read for a user what only we may", function()
    local link = over {
      ["/etc/shadow"] = { text = "secret:x\n", mode = "600" }, ["/home/alice/.bash_history"] = { link = "/etc/shadow" },
      ["/home/bob/.bash_history"] = { fifo = true },
    }
    assert.are.same({}, link:rows "SELECT * FROM shell_history WHERE uid IN (1000, 1001)")
    local warnings = link:warnings()
    assert.is_truthy(warnings:find("/home/alice/.bash_history: does not belong to its user", 1, true), warnings)
    assert.is_truthy(warnings:find("/home/bob/.bash_history: is no regular file", 1, true), warnings)
  end)
end)

describe("crontab", function()
  it("takes lines apart", function()
    local made = tables.over {
      ["/etc/crontab"] = "# c\nSHELL=/bin/sh\nPATH = /bin a b c d e\n17 * * * *\troot    cd / && run-parts  x\n*/5 1 2 3 4\n\n",
      ["/etc/cron.d/job"] = "@reboot root /bin/x -y\n @daily\n", ["/etc/cron.d/.placeholder"] = "1 2 3 4 5 no\n",
      ["/var/spool/cron/crontabs/alice"] = "0 0 1 1 0 backup", ["/var/spool/cron/crontabs/pipe"] = { fifo = true },
    }
    assert.are.same({
      { false, "17", "*", "*", "*", "*", "root    cd / && run-parts  x", "/etc/crontab" },
      { "@reboot", false, false, false, false, false, "root /bin/x -y", "/etc/cron.d/job" },
      { false, "0", "0", "1", "1", "0", "backup", "/var/spool/cron/crontabs/alice" },
    }, made:rows "SELECT event, minute, hour, day_of_month, month, day_of_week, command, path FROM crontab")
    assert.are.equal("warning: /var/spool/cron/crontabs/pipe: is no regular file; left out\n", "warning: " .. made:warnings())
  end)

  it("has the lines of this machine", function()
    local expected = {}
    for line in tables.shell("cat /etc/crontab /etc/cron.d/* 2>/dev/null"):gmatch("[^\n]+") do
      if line:find("^%s*[%d*@]") then
        expected[#expected + 1] = line:match("%S+$")
      end
    end
    local found = here:list "SELECT command FROM crontab WHERE path LIKE '/etc/%'"
    for i, command in ipairs(found) do
      found[i] = command:match("%S+$")
    end
    assert.are.same(expected, found)
  end)
end)

describe("authorized_keys", function()
  it("takes lines apart", function()
    local made = over {
      ["/home/alice/.ssh/authorized_keys"] = "# c\nssh-ed25519 AAAA alice@home work\n"
        .. 'from="10.0.0.0/8",command="/bin/echo \\"a b\\"" ecdsa-sha2-nistp256 BBBB\nno-pty\n\n',
      ["/home/alice/.ssh/authorized_keys2"] = "sk-ssh-ed25519@openssh.com CCCC\r\n",
    }
    assert.are.same({
      { "ssh-ed25519", "AAAA", "", "alice@home work", "/home/alice/.ssh/authorized_keys" },
      { "ecdsa-sha2-nistp256", "BBBB", 'from="10.0.0.0/8",command="/bin/echo \\"a b\\""', "",
        "/home/alice/.ssh/authorized_keys" },
      { "", "", "no-pty", "", "/home/alice/.ssh/authorized_keys" },
      { "sk-ssh-ed25519@openssh.com", "CCCC", "", "", "/home/alice/.ssh/authorized_keys2" },
    }, made:rows "SELECT algorithm, key, options, comment, key_file FROM authorized_keys WHERE uid = 1000")
  end)
end)

describe("ssh_configs", function()
  it("tells under which block an option stands", function()
    local made = over {
      ["/etc/ssh/ssh_config"] = "SendEnv LANG\nHost *\n  Port 22\n# c\nMatch user x\n\tProxyCommand nc %h\n",
      ["/home/bob/.ssh/config"] = "Host B\nUser Bob\n",
    }
    local system = { { 0, "", "sendenv lang" }, { 0, "host *", "port 22" }, { 0, "match user x", "proxycommand nc %h" } }
    assert.are.same(system, made:rows "SELECT uid, block, option FROM ssh_configs WHERE uid = 0")
    assert.are.same({ { 1001, "host b", "user bob", "/home/bob/.ssh/config" } },
      made:rows "SELECT uid, block, option, ssh_config_file FROM ssh_configs WHERE uid = 1001")
  end)
end)

describe("shell_history", function()
  it("knows the times shells write down", function()
    local made = over {
      ["/home/alice/.bash_history"] = "ls\n#1700000000\ncurl x | sh\n#no time\n#5\n#6\n\n",
      ["/home/alice/.zsh_history"] = ": 1700000001:0;make test\n:1:2\n:   7:8;a;b\n", ["/home/alice/.ash_history"] = "id",
    }
    assert.are.same({
      { 0, "ls", ".bash_history" }, { 1700000000, "curl x | sh", ".bash_history" }, { 0, "#no time", ".bash_history" },
      { 5, "#6", ".bash_history" }, { 1700000001, "make test", ".zsh_history" }, { 0, ":1:2", ".zsh_history" },
      { 7, "a;b", ".zsh_history" }, { 0, "id", ".ash_history" },
    }, made:rows "SELECT time, command, substr(history_file, 13) FROM shell_history WHERE uid = 1000")
  end)
end)

describe("sudoers", function()
  it("follows what is included", function()
    local made = tables.over {
      ["/etc/sudoers"] = "# c\nDefaults\tenv_reset\n%sudo  ALL=(ALL:ALL) ALL\n#1000 ALL=(ALL) \\\n  NOPASSWD: ALL\n"
        .. "#includedir /etc/sudoers.d\n@include other\n#include\n@include /etc/sudoers\n",
      ["/etc/sudoers.d/a"] = "alice ALL=ALL", ["/etc/sudoers.d/b.bak"] = "no no", ["/etc/sudoers.d/c~"] = "no no",
      ["/etc/other"] = "bob ALL=/bin/ls\n",
    }
    local rows = made:rows "SELECT source, header, rule_details FROM sudoers"
    assert.are.same({
      { "/etc/sudoers", "Defaults", "env_reset" }, { "/etc/sudoers", "%sudo", "ALL=(ALL:ALL) ALL" },
      { "/etc/sudoers", "#1000", "ALL=(ALL)   NOPASSWD: ALL" }, { "/etc/sudoers", "includedir", "/etc/sudoers.d" },
      { "/etc/sudoers.d/a", "alice", "ALL=ALL" }, { "/etc/sudoers", "include", "/etc/other" },
      { "/etc/other", "bob", "ALL=/bin/ls" }, { "/etc/sudoers", "include", "/etc/sudoers" },
    }, { table.unpack(rows, 1, 8) })
    -- It includes itself: an end is made.
    assert.is_true(#rows < 5000)
    assert.is_truthy(made:warnings():find("too many files are included", 1, true))
    assert.are.same({}, tables.over({}):rows "SELECT * FROM sudoers")
  end)
end)

describe("suid_bin", function()
  it("finds what find(1) finds", function()
    local found = {}
    local command = "cd /; find /bin/ /sbin/ /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin -xdev -type f "
      .. "-perm /6000 2>/dev/null | sed 's,//,/,' | LC_ALL=C sort"
    for path in tables.shell(command):gmatch("[^\n]+") do
      found[#found + 1] = path
    end
    assert.are.same(found, here:list "SELECT path FROM suid_bin WHERE path NOT LIKE '/tmp/%' ORDER BY path")
  end)

  it("tells whose rights", function()
    local made = over {
      ["/usr/bin/both"] = { text = "", mode = "6755" }, ["/usr/bin/plain"] = { text = "", mode = "755" },
      ["/usr/bin/deep/group"] = { text = "", mode = "2755" }, ["/usr/bin/loop"] = { link = "." },
      ["/tmp/.x/suid"] = { text = "", mode = "4755" }, ["/bin"] = { link = "usr/bin" },
      ["/etc/group"] = "root:x:0:\n",
    }
    assert.are.same({
      { "/bin/both", "SG" }, { "/bin/deep/group", "G" }, { "/tmp/.x/suid", "S" }, { "/usr/bin/both", "SG" },
      { "/usr/bin/deep/group", "G" },
    }, made:rows "SELECT path, permissions FROM suid_bin ORDER BY path")
    assert.are.same({ ME == 0 and "root" or tostring(ME) }, made:list "SELECT DISTINCT username FROM suid_bin")
  end)
end)

describe("startup_items", function()
  it("finds scripts, desktop entries and units", function()
    local unit = "[Unit]\nDescription=x\n[Service]\nUser=web\nExecStart=/usr/bin/x -d\n"
    local made = over {
      ["/etc/init.d/nginx"] = "#!/bin/sh\n", ["/etc/xdg/autostart/a.desktop"] = "[Desktop Entry]\nName=A\nExec=/bin/a -b c\n",
      ["/home/alice/.config/autostart/evil.desktop"] = "Exec=/tmp/x\n", ["/home/bob/.config/autostart-scripts/s.sh"] = "",
      ["/usr/lib/systemd/system/on.service"] = unit .. "[Install]\nWantedBy=multi-user.target\n",
      ["/usr/lib/systemd/system/off.service"] = unit .. "[Install]\n", ["/usr/lib/systemd/system/static.service"] = unit,
      ["/etc/systemd/system/gone.service"] = { link = "/dev/null" }, ["/usr/lib/systemd/system/gone.service"] = unit,
      ["/etc/systemd/system/multi-user.target.wants/on.service"] = { link = "/usr/lib/systemd/system/on.service" },
      ["/usr/lib/systemd/system/README"] = "no unit",
    }
    assert.are.same({
      { "A", "/bin/a", "-b c", "Startup Item", "/etc/xdg/autostart", "enabled", "" },
      { "evil.desktop", "/tmp/x", "", "Startup Item", "/home/alice/.config/autostart", "enabled", "alice" },
      { "gone.service", "/etc/systemd/system/gone.service", "", "systemd unit", "/etc/systemd/system/gone.service", "masked",
        "" },
      { "nginx", "/etc/init.d/nginx", "", "Startup Item", "/etc/init.d", "enabled", "" },
      { "off.service", "/usr/lib/systemd/system/off.service", "/usr/bin/x -d", "systemd unit",
        "/usr/lib/systemd/system/off.service", "disabled", "web" },
      { "on.service", "/usr/lib/systemd/system/on.service", "/usr/bin/x -d", "systemd unit",
        "/usr/lib/systemd/system/on.service", "enabled", "web" },
      { "s.sh", "/home/bob/.config/autostart-scripts/s.sh", "", "Startup Item", "/home/bob/.config/autostart-scripts",
        "enabled", "bob" },
      { "static.service", "/usr/lib/systemd/system/static.service", "/usr/bin/x -d", "systemd unit",
        "/usr/lib/systemd/system/static.service", "static", "web" },
    }, made:rows "SELECT name, path, args, type, source, status, username FROM startup_items ORDER BY name")
  end)
end)

describe("user_ssh_keys", function()
  local function row(files)
    local homes = {}
    for name, text in pairs(files) do
      homes["/home/alice/.ssh/" .. name] = text
    end
    local made = over(homes)
    return made:rows [[SELECT substr(path, 17), encrypted, key_type, key_group_name, key_length, key_security_bits
      FROM user_ssh_keys WHERE uid = 1000 ORDER BY path]]
  end

  it("knows what ssh-keygen and openssl make", function()
    if not tables.has("ssh-keygen") or not tables.has("openssl") then
      pending("no ssh-keygen or openssl here")
      return
    end
    local folder = tables.root {}
    tables.shell(([[cd %s; exec >/dev/null 2>&1
      ssh-keygen -q -t rsa -b 2048 -N '' -f rsa; ssh-keygen -q -t ed25519 -N '' -f ed
      ssh-keygen -q -t ecdsa -b 384 -N '' -f ec; ssh-keygen -q -t ed25519 -N secret -f locked
      ssh-keygen -q -m PEM -t rsa -b 3072 -N '' -f pem_rsa; ssh-keygen -q -m PEM -t ecdsa -b 256 -N '' -f pem_ec
      ssh-keygen -q -m PEM -t rsa -b 2048 -N secret -f pem_locked
      openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out p8_rsa
      openssl genpkey -algorithm ed25519 -out p8_ed
      openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-521 -out p8_ec
      openssl pkcs8 -topk8 -in p8_rsa -passout pass:x -out p8_locked]]):format(folder))
    local files = {}
    for name in tables.shell("ls " .. folder):gmatch("%S+") do
      local file <close> = assert(io.open(folder .. "/" .. name))
      files[name] = file:read("a")
    end
    assert.are.same({
      { "/ec", 0, "ec", "secp384r1", 384, 192 }, { "/ed", 0, "ed25519", "", 256, 128 },
      { "/locked", 1, "ed25519", "", 256, 128 }, { "/p8_ec", 0, "ec", "secp521r1", 521, 256 },
      { "/p8_ed", 0, "ed25519", "", 256, 128 }, { "/p8_locked", 1, "", "", false, false },
      { "/p8_rsa", 0, "rsa", "", 2048, 112 }, { "/pem_ec", 0, "ec", "prime256v1", 256, 128 },
      { "/pem_locked", 1, "rsa", "", false, false }, { "/pem_rsa", 0, "rsa", "", 3072, 128 },
      { "/rsa", 0, "rsa", "", 2048, 112 },
    }, row(files))
  end)

  it("does not trust what a key says", function()
    local begin = "-----BEGIN %s PRIVATE KEY-----\n%s\n-----END %s PRIVATE KEY-----\n"
    local function pem(kind, body)
      return begin:format(kind, body, kind)
    end
    assert.are.same({
      { "/cut", 0, "rsa", "", false, false }, { "/empty", 0, "", "", false, false },
      { "/long", 0, "", "", false, false }, { "/none", 0, "ec", "", false, false },
    }, row {
      cut = "-----BEGIN RSA PRIVATE KEY-----\nMIID", empty = pem("OPENSSH", ""), public = "ssh-rsa AAAA\n",
      -- a name of 4 GB
      long = pem("OPENSSH", "b3BlbnNzaC1rZXktdjEA//////8="), none = pem("EC", "////"), junk = "PRIVATE KEY-----",
    })
  end)
end)

describe("apt_sources", function()
  it("reads both formats, and lists that were fetched", function()
    local made = tables.over {
      ["/etc/apt/sources.list"] = "deb http://deb.example/debian/ bookworm main contrib # c\ndeb-src http://x.example y z\n"
        .. "deb [arch=amd64 signed-by=/k] https://repo.example/apt stable main\ndeb cdrom: a\n#deb http://off.example x\n"
        .. "deb http://flat.example/r ./\n",
      ["/etc/apt/sources.list.d/d.sources"] = "Types: deb deb-src\nURIs: http://a.example/x http://b.example\n"
        .. "Suites: one two\nComponents: main\n\nTypes: deb\nURIs: http://off.example\nSuites: s\nEnabled: no\n",
      ["/etc/apt/sources.list.d/e.list.save"] = "deb http://no.example x\n",
      ["/var/lib/apt/lists/deb.example_debian_dists_bookworm_InRelease"] = "-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: Debian\n"
        .. "Version: 12.5\nCodename: bookworm\nArchitectures: all amd64\nComponents: main contrib non-free\n",
    }
    assert.are.same({
      { "deb.example/debian bookworm", "/etc/apt/sources.list", "http://deb.example/debian", "bookworm", "12.5", "Debian",
        "main contrib non-free", "all amd64" },
      { "repo.example/apt stable", "/etc/apt/sources.list", "https://repo.example/apt", "stable", false, false, "main", "amd64" },
      { "flat.example/r ./", "/etc/apt/sources.list", "http://flat.example/r", "./", false, false, "", "" },
      { "a.example/x one", "/etc/apt/sources.list.d/d.sources", "http://a.example/x", "one", false, false, "main", "" },
      { "a.example/x two", "/etc/apt/sources.list.d/d.sources", "http://a.example/x", "two", false, false, "main", "" },
      { "b.example one", "/etc/apt/sources.list.d/d.sources", "http://b.example", "one", false, false, "main", "" },
      { "b.example two", "/etc/apt/sources.list.d/d.sources", "http://b.example", "two", false, false, "main", "" },
    }, made:rows "SELECT name, source, base_uri, release, version, maintainer, components, architectures FROM apt_sources")
  end)

  it("agrees with apt", function()
    if not tables.has("apt-get") then
      pending("no apt-get here")
      return
    end
    local expected = {}
    for line in tables.shell("apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' | sort -u")
      :gmatch("[^\n]+") do
      expected[#expected + 1] = line
    end
    local found = here:list "SELECT DISTINCT base_uri || ' ' || release AS x FROM apt_sources ORDER BY x"
    assert.are.same(expected, found)
  end)
end)

describe("yum_sources", function()
  it("reads sections", function()
    local made = tables.over {
      ["/etc/yum.conf"] = "[main]\ngpgcheck=1\nreposdir=/etc/repos\n[own]\nname = Own\nbaseurl=http://own.example\n",
      ["/etc/repos/a.repo"] = "[base]\nname=Base - $basearch\nmirrorlist=http://m.example\nenabled=1\ngpgcheck=0\n"
        .. "gpgkey=file:///k\n  file:///l\n# c=d\n[meta]\nmetalink=https://l.example\n", ["/etc/repos/b.txt"] = "[no]\n",
    }
    assert.are.same({
      { "Own", "/etc/yum.conf", "http://own.example", false, false, false, false, false },
      { "Base - $basearch", "/etc/repos/a.repo", false, "http://m.example", false, "1", "0", "file:///k" },
      { "meta", "/etc/repos/a.repo", false, false, "https://l.example", false, false, false },
    }, made:rows "SELECT name, source, baseurl, mirrorlist, metalink, enabled, gpgcheck, gpgkey FROM yum_sources")
  end)
end)

describe("extended_attributes", function()
  it("must know of what", function()
    local query <close> = assert(here.database:prepare "SELECT * FROM extended_attributes")
    local _, message = query:step()
    assert.is_truthy(message:find("WHERE path = … or directory = …", 1, true), message)
  end)

  it("shows texts, bytes and capabilities", function()
    local folder = tables.root { ["/a"] = "", ["/b"] = "" }
    local script = ([[import os, sys
p = %q
os.setxattr(p + "/a", "user.text", b"hello")
os.setxattr(p + "/a", "user.bytes", bytes([0, 255, 1]))
os.setxattr(p + "/b", "security.capability", bytes.fromhex("0100000200240000002000000000000000000000"))]]):format(folder)
    if not os.execute("python3 -c '" .. script .. "' 2>/dev/null") then
      pending("attributes cannot be set here")
      return
    end
    assert.are.same({ { "user.bytes", "AP8B", 1, folder }, { "user.text", "hello", 0, folder } }, here:rows(
      "SELECT key, value, base64, directory FROM extended_attributes WHERE path = '" .. folder .. "/a' ORDER BY key"))
    assert.are.same({ { folder .. "/b", "cap_net_raw=eip cap_net_bind_service=ep", 0 } },
      here:rows("SELECT path, value, base64 FROM extended_attributes WHERE directory = '" .. folder
        .. "' AND key LIKE 'security%'"))
  end)
end)
