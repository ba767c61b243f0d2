-- python_packages: what Python itself says, and every form of metadata.
local worlds = require "tests.spec.sql.world"

local SITE = "usr/lib/python3/dist-packages/"

local function metadata(name, version, more)
  return ("Metadata-Version: 2.1\nName: %s\nVersion: %s\n%s\nLong text.\n\nName: not this\n"):format(name, version,
    more or "")
end

-- importlib.metadata is what pip reads with, and always there.
local LIST = [[
import importlib.metadata, sys
for found in importlib.metadata.distributions(path=sys.argv[1:]):
    if found.metadata["Name"]:
        print(found.metadata["Name"], found.version, (found.metadata.get("Summary") or "").rstrip(), sep="|")
]]

local function python(directory)
  return worlds.output("python3 -c '" .. LIST .. "' '" .. directory .. "'")
end

local function where(directory)
  return "SELECT name, version, summary FROM python_packages WHERE directory = '" .. directory .. "'"
end

local TREE = {
  [SITE .. "flask-3.0.0.dist-info/METADATA"] = metadata("Flask", "3.0.0",
    "Summary: A framework\nAuthor-email: Pal <p@example.org>\nLicense-Expression: BSD-3-Clause\nHome-page: UNKNOWN\n"),
  [SITE .. "flask-3.0.0.dist-info/RECORD"] = "x",
  [SITE .. "old-1.0.egg-info"] = metadata("old", "1.0", "Author: Someone\nAuthor-email: s@example.org\nLicense: GPL\n"),
  [SITE .. "mid.egg-info/PKG-INFO"] = metadata("mid", "2.0.post1"),
  ["opt/venv/lib/python3.11/site-packages/egg-4.0-py3.11.egg/EGG-INFO/PKG-INFO"] = metadata("egg", "4.0"),
}

describe("python_packages", function()
  it("has what importlib.metadata has of this machine", function()
    local folders = worlds.output("python3 -c 'import sys; print(*[x for x in sys.path if \"packages\" in x], sep=\"\\n\")'")
    if not folders then
      return pending("no python3 here")
    end
    local world <close> = worlds.at()
    local compared = 0
    for folder in (folders .. "/usr/lib/python3/dist-packages\n"):gmatch("[^\n]+") do
      local theirs = python(folder)
      assert.are.equal("", worlds.difference(theirs, (world:lines(where(folder)))))
      compared = compared + #theirs
    end
    if compared == 0 then
      return pending("no packages of Python here")
    end
  end)

  it("has the packages of pip list", function()
    local directory = "/usr/lib/python3/dist-packages"
    local theirs = worlds.output("python3 -m pip list --format=freeze --disable-pip-version-check --path " .. directory)
    if not theirs or not theirs:find("==", 1, true) then
      return pending("no pip here, or nothing that it lists")
    end
    local world <close> = worlds.at()
    -- pip writes names as PyPI has them, the same but for case, dots and dashes; and what it lists twice, once.
    local ours = world:lines("SELECT DISTINCT name, version FROM python_packages WHERE directory = '" .. directory .. "'")
    local function plain(text)
      return (text:lower():gsub("==", "|"):gsub("([^|\n]+)|", function(name)
        return name:gsub("[-_.]+", "-") .. "|"
      end))
    end
    assert.are.equal("", worlds.difference(plain(theirs), plain(ours)))
  end)

  it("reads every form", function()
    local world <close> = worlds.new(TREE)
    local theirs = python(world.root .. "/" .. SITE)
    local rows, warnings = world:lines(where("/usr/lib/python3/dist-packages"))
    assert.is_nil(warnings)
    if theirs then
      assert.are.equal("", worlds.difference(theirs, rows))
    end
    local uid = worlds.output("id -u"):match("%d+")
    local site = "/" .. SITE:sub(1, -2)
    local venv = "/opt/venv/lib/python3.11/site-packages"
    assert.are.same({
      { "Flask", uid, "3.0.0", "A framework", "Pal <p@example.org>", "BSD-3-Clause", site .. "/flask-3.0.0.dist-info", site },
      { "egg", uid, "4.0", "", "", "", venv .. "/egg-4.0-py3.11.egg", venv },
      { "mid", uid, "2.0.post1", "", "", "", site .. "/mid.egg-info", site },
      { "old", uid, "1.0", "", "Someone", "GPL", site .. "/old-1.0.egg-info", site },
    }, (world:rows("SELECT * FROM python_packages ORDER BY name")))
    assert.are.equal("4\n", world:lines("SELECT count(*) FROM python_packages WHERE uid = " .. uid))
    assert.are.equal("egg\n", world:lines("SELECT name FROM python_packages WHERE directory = '" .. venv .. "/'"))
  end)

  it("has what broken files still have, with a warning for each", function()
    local world <close> = worlds.new {
      [SITE .. "long.dist-info/METADATA"] = "Name: long\nSummary: " .. ("x"):rep(1 << 20) .. "\n" ..
        (" more\n"):rep(100000) .. "Version: 1\n",
      [SITE .. "none.dist-info/METADATA"] = "\0\1\2",
      [SITE .. "huge.egg-info"] = "Name: huge\nVersion: 2\n" .. ("X: y\n"):rep(2 << 20),
    }
    world:shell("mkdir -p " .. SITE .. "f.dist-info && mkfifo " .. SITE .. "f.dist-info/METADATA")
    local rows, warnings = world:lines("SELECT name, version FROM python_packages ORDER BY name")
    assert.are.equal("huge|2\nlong|1\n", rows)
    assert.are.equal("python_packages: /" .. SITE .. "huge.egg-info: cannot be read to its end: File too large\n" ..
      "python_packages: /" .. SITE .. "none.dist-info/METADATA: names no package\n", warnings)
  end)
end)
