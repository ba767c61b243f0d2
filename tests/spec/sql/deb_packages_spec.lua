-- deb_packages: what dpkg-query says, and what broken databases still tell.
local worlds = require "tests.spec.sql.world"

local STANZA = [[
Package: %s
Status: %s
Priority: optional
Section: libs
Installed-Size: 42
Maintainer: Jane Doe <jane@example.org>
Architecture: amd64
Version: %s
Description: short
 long,
 .
 longer

]]

local function stanza(name, version, status)
  return STANZA:format(name, status or "install ok installed", version)
end

describe("deb_packages", function()
  it("has the rows of dpkg-query", function()
    local format = "${Package}|${Version}|${Source}|${Installed-Size}|${Architecture}|${Status}|" ..
      "${Maintainer}|${Section}|${Priority}\\n"
    local theirs = worlds.output("dpkg-query -W -f '" .. format .. "'")
    if not theirs then
      return pending("no dpkg here")
    end
    local world <close> = worlds.at()
    local ours, warnings = world:lines [[
      SELECT name, version, source, coalesce(size, ''), arch, status, maintainer, section, priority FROM deb_packages]]
    assert.is_nil(warnings)
    assert.are.equal("", worlds.difference(theirs, ours))
    assert.is_truthy(ours:find("\ndpkg|", 1, true))
  end)

  it("tells revisions and sources", function()
    local world <close> = worlds.new {
      ["var/lib/dpkg/status"] = stanza("a", "1:2.0-rc1-3+b1") .. "Source: src (1.9)\n" .. stanza("native", "4.2"),
    }
    assert.are.equal("a|1:2.0-rc1-3+b1|3+b1|\nnative|4.2||src (1.9)\n",
      world:lines("SELECT name, version, revision, source FROM deb_packages"))
  end)

  it("lists what is left of removed packages, but not what was never there", function()
    local world <close> = worlds.new {
      ["var/lib/dpkg/status"] = stanza("rest", "1", "deinstall ok config-files") ..
        stanza("never", "1", "unknown ok not-installed"),
    }
    assert.are.equal("rest|deinstall ok config-files\n", world:lines("SELECT name, status FROM deb_packages"))
  end)

  it("reads status.d of images without dpkg", function()
    local world <close> = worlds.new {
      ["var/lib/dpkg/status.d/bGliYzY"] = stanza("libc6", "2.36-9"):gsub("Status:[^\n]*\n", ""),
      ["var/lib/dpkg/status.d/libssl3"] = stanza("libssl3", "3.0.15-1"):gsub("Status:[^\n]*\n", ""),
      ["var/lib/dpkg/status.d/libssl3.md5sums"] = "0123  usr/lib/libssl.so.3\n",
    }
    local rows, warnings = world:lines("SELECT name, version, status FROM deb_packages ORDER BY name")
    assert.are.equal("libc6|2.36-9|\nlibssl3|3.0.15-1|\n", rows)
    assert.is_nil(warnings)
  end)

  it("looks into another admindir", function()
    local world <close> = worlds.new { ["opt/db/status"] = stanza("x", "1") }
    assert.are.equal("", world:lines("SELECT name FROM deb_packages"))
    assert.are.equal("x|/opt/db\n",
      world:lines("SELECT name, admindir FROM deb_packages WHERE admindir IN ('/opt/db', '/nowhere')"))
  end)

  it("survives stanzas and lines of megabytes, and tells once", function()
    local world <close> = worlds.new {
      ["var/lib/dpkg/status"] = stanza("first", "1") ..
        "Package: huge\nVersion: 2\nX-Line: " .. ("x"):rep(1 << 20) .. "\n" .. (" more\n"):rep(200000) ..
        "garbage\n\0\1\2\n\n" .. ("Package: " .. ("n"):rep(1 << 20) .. "\n\n") .. stanza("last", "3"),
    }
    local rows, warnings = world:lines("SELECT substr(name, 1, 5), version FROM deb_packages")
    assert.are.equal("first|1\nhuge|2\nnnnnn|\nlast|3\n", rows)
    assert.are.equal("deb_packages: /var/lib/dpkg/status: line 16 is too long and cut\n", warnings)
  end)

  it("has what a truncated file still has", function()
    local text = stanza("whole", "1") .. stanza("cut", "2")
    local world <close> = worlds.new { ["var/lib/dpkg/status"] = text:sub(1, #text - 25) }
    assert.are.equal("whole|1\ncut|2\n", world:lines("SELECT name, version FROM deb_packages"))
  end)

  it("is not held by a FIFO, a folder or a link to itself", function()
    for _, line in ipairs { "mkfifo status", "mkdir status", "ln -s status status" } do
      local world <close> = worlds.new { ["var/lib/dpkg/status.d/good"] = stanza("good", "1") }
      world:shell("cd var/lib/dpkg && " .. line)
      local rows, warnings = world:lines("SELECT name FROM deb_packages")
      assert.are.equal("good\n", rows)
      assert.is_truthy(warnings:find("^deb_packages: /var/lib/dpkg/status: cannot be read: [^\n]+\n$"), warnings)
    end
  end)

  it("does not leave the root by a link", function()
    local world <close> = worlds.new { ["etc/status"] = stanza("inside", "1") }
    world:shell("mkdir -p var/lib/dpkg && ln -s /etc/status var/lib/dpkg/status")
    local rows = world:lines("SELECT name FROM deb_packages")
    -- Before openat2(2), the link leads to the machine's own.
    assert.is_truthy(rows == "inside\n" or rows == "")
  end)
end)

describe("more packages than a table may hold", function()
  it("are cut off, which is told", function()
    local stanzas = {}
    for i = 1, 270000 do
      stanzas[i] = ("Package: p%d\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"):format(i)
    end
    local world <close> = worlds.new { ["var/lib/dpkg/status"] = table.concat(stanzas) }
    local rows, warnings = world:rows "SELECT count(*), max(CAST(substr(name, 2) AS INTEGER)) FROM deb_packages"
    local count = math.tointeger(rows[1][1])
    assert.is_true(count > 100000 and count < 270000)
    assert.are.equal(rows[1][1], rows[1][2])
    assert.are.equal(("deb_packages: only the first %d rows; constrain the query\n"):format(count), warnings)
  end)
end)
