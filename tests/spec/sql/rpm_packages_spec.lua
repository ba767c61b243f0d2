-- rpm_packages: the three formats of the database, against what rpm says of them.
local worlds = require "tests.spec.sql.world"

local FIXTURES = "tests/fixtures/rpmdb"
local FORMAT = "%{NAME}|%{EPOCH}|%{VERSION}|%{RELEASE}|%{ARCH}|%{SOURCERPM}|%{SIZE}|%{SHA1HEADER}|%{INSTALLTIME}|" ..
  "%{VENDOR}|%{GROUP}\\n"
local QUERY = [[
  SELECT name, coalesce(epoch, '(none)'), version, release, arch, source, size, sha1, install_time,
    iif(vendor = '', '(none)', vendor), package_group
  FROM rpm_packages]]

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

--- What rpm says of the database below a root.
local function rpm(root, backend)
  return worlds.output(("rpm --root '%s' --dbpath /var/lib/rpm --define '_db_backend %s' -qa --qf '%s'")
    :format(root, backend, FORMAT))
end

local DATABASES = {
  sqlite = "var/lib/rpm/rpmdb.sqlite",
  bdb = "var/lib/rpm/Packages",
  ndb = "var/lib/rpm/Packages.db",
}

describe("rpm_packages", function()
  for kind in pairs(DATABASES) do
    it("reads " .. kind, function()
      local world <close> = worlds.at(FIXTURES .. "/" .. kind)
      local rows, warnings = world:lines(QUERY)
      assert.is_nil(warnings)
      if kind ~= "ndb" then
        assert.are.equal("", worlds.difference(read(FIXTURES .. "/" .. kind .. ".txt"), rows))
        return
      end
      -- The same two packages as in the others, installed at another time.
      local function timeless(text)
        return (text:gsub("|%d%d%d%d%d%d%d%d%d%d|", "|T|"))
      end
      assert.are.equal("", worlds.difference(timeless(read(FIXTURES .. "/sqlite.txt")), timeless(rows)))
    end)
  end

  for kind, backend in pairs { sqlite = "sqlite", bdb = "bdb_ro" } do
    it("says of " .. kind .. " what the rpm of this machine says", function()
      -- A copy: rpm makes lock files beside it.
      local world <close> = worlds.new {
        [DATABASES[kind]] = read(FIXTURES .. "/" .. kind .. "/" .. DATABASES[kind]),
      }
      local theirs = rpm(world.root, backend)
      if not theirs then
        return pending("no rpm here")
      end
      assert.are.equal("", worlds.difference(theirs, (world:lines(QUERY))))
    end)
  end

  it("agrees with rpm on a database that this machine's rpm made", function()
    if not worlds.output("rpmbuild --version") then
      return pending("no rpmbuild here")
    end
    local world <close> = worlds.new {
      ["plain.spec"] = "Name: plain\nVersion: 2.0~rc1\nRelease: 3%{?dist}\nSummary: no epoch\nLicense: MIT\n" ..
        "BuildArch: noarch\n%description\nText.\n%files\n",
      ["epoch.spec"] = "Name: epoch\nEpoch: 7\nVersion: 1^git\nRelease: 1\nSummary: an epoch\nLicense: GPL-2.0-only\n" ..
        "Vendor: Räuber & Co\nGroup: Applications/Text\nBuildArch: noarch\n%description\nText.\n%files\n",
    }
    world:shell("for spec in *.spec; do rpmbuild -bb --define \"_topdir $PWD/build\" $spec; done >log 2>&1")
    world:shell("rpm --root $PWD --dbpath /var/lib/rpm --define '_db_backend sqlite' --initdb >>log 2>&1 && " ..
      "rpm --root $PWD --dbpath /var/lib/rpm --define '_db_backend sqlite' -i --nodeps --noscripts --nosignature " ..
      "build/RPMS/noarch/*.rpm >>log 2>&1")
    local rows, warnings = world:lines(QUERY)
    assert.is_nil(warnings)
    assert.are.equal("", worlds.difference(assert(rpm(world.root, "sqlite")), rows))
    assert.is_truthy(rows:find("^[^\n]+\n[^\n]+\n$"), rows)
  end)

  it("can be searched by its keys", function()
    local world <close> = worlds.at(FIXTURES .. "/sqlite")
    assert.are.equal("mw-other|1\n",
      world:lines("SELECT name, epoch FROM rpm_packages WHERE name = 'mw-other' AND epoch = 1 AND arch = 'noarch'"))
    assert.are.equal("", world:lines("SELECT name FROM rpm_packages WHERE release = '5'"))
  end)

  it("finds the database where newer systems have it, once", function()
    local world <close> = worlds.new {
      ["usr/lib/sysimage/rpm/rpmdb.sqlite"] = read(FIXTURES .. "/sqlite/" .. DATABASES.sqlite),
    }
    assert.are.equal("2\n", world:lines("SELECT count(*) FROM rpm_packages"))
    world:shell("mkdir -p var/lib && ln -s ../../usr/lib/sysimage/rpm var/lib/rpm")
    assert.are.equal("2\n", world:lines("SELECT count(*) FROM rpm_packages"))
  end)

  for kind, path in pairs(DATABASES) do
    it("has what a truncated " .. kind .. " still has, and tells once", function()
      local whole = read(FIXTURES .. "/" .. kind .. "/" .. path)
      local seen = {}
      for _, bytes in ipairs { 0, 10, 100, 4096, 5000, 8192, #whole // 2, #whole - 1 } do
        local world <close> = worlds.new { [path] = whole:sub(1, bytes) }
        local rows, warnings = world:rows("SELECT name, version FROM rpm_packages")
        assert.is_true(#rows <= 2)
        for _, row in ipairs(rows) do
          assert.is_truthy(row[1] == "mw-sample" or row[1] == "mw-other")
          assert.are.equal("1.2.3", row[2])
        end
        seen[#rows] = true
        if #rows < 2 then
          assert.is_truthy(warnings, kind .. " of " .. bytes .. " bytes")
          assert.is_truthy(warnings:find("^rpm_packages: /" .. path:gsub("%p", "%%%0") .. ": [^\n]+\n$"), warnings)
        end
      end
      assert.is_true(seen[0])
    end)
  end

  it("is not held by a FIFO or a folder", function()
    for _, line in ipairs { "mkfifo", "mkdir" } do
      local world <close> = worlds.new { ["var/lib/rpm/x"] = "" }
      world:shell(line .. " var/lib/rpm/rpmdb.sqlite")
      local rows, warnings = world:lines("SELECT name FROM rpm_packages")
      assert.are.equal("", rows)
      assert.are.equal("rpm_packages: /var/lib/rpm/rpmdb.sqlite: cannot be read: not a file\n", warnings)
    end
  end)
end)
