-- java_packages: archives in archives, what tells of packages in them, and what is made to hurt.
local worlds = require "tests.spec.sql.world"

local has_python = os.execute("command -v python3 >/dev/null 2>&1")

local function rows_of(world, directory)
  return world:lines(([[
    SELECT group_id, name, version, path FROM java_packages WHERE path LIKE '%s/%%' ORDER BY path, name]]):format(directory))
end

describe("java_packages", function()
  local world

  setup(function()
    world = worlds.new {}
    if has_python then
      assert(os.execute(("python3 tests/spec/sql/jars.py '%s'"):format(world.root)))
    end
  end)

  teardown(function()
    world:close()
  end)

  local function test(name, body)
    it(name, function()
      if not has_python then
        return pending("no python3 here, which makes the archives")
      end
      body()
    end)
  end

  test("reads pom.properties", function()
    local rows, warnings = rows_of(world, "/opt/plain")
    assert.are.equal("org.apache.logging.log4j|log4j-core|2.14.1|/opt/plain/log4j-core-2.14.1.jar\n", rows)
    assert.is_nil(warnings)
    assert.are.equal("Apache-2.0\n", (world:lines("SELECT license FROM java_packages WHERE directory = '/opt/plain'")))
  end)

  test("lists all that a shaded archive holds", function()
    assert.are.equal("com.example|app|1.0|/opt/shaded/app-1.0.jar\n" ..
      "com.google.guava|guava|31.1-jre|/opt/shaded/app-1.0.jar\n" ..
      "com.example|called|2|/opt/shaded/renamed.jar\n", (rows_of(world, "/opt/shaded")))
  end)

  test("reads manifests, whose lines go on", function()
    assert.are.equal("org.osgi|bundle|7.1.0|/opt/manifest/bundle.jar\n" ..
      "com.example|tool|3.4.5-with-a-long-tail-that-goes on|/opt/manifest/tool.jar\n", (rows_of(world, "/opt/manifest")))
    assert.are.equal("Example, Inc.|The Tool\n", (world:lines(
      "SELECT vendor, title FROM java_packages WHERE path = '/opt/manifest/tool.jar'")))
  end)

  test("else takes what the file is called", function()
    assert.are.equal("|commons-lang3|3.12.0|/opt/names/commons-lang3-3.12.0.jar\n" ..
      "|empty|1|/opt/names/empty-1.jar\n" ..
      "|inside|1.0|/opt/names/folder.jar/inside-1.0.jar\n" ..
      "|nothing||/opt/names/nothing.jar\n", (rows_of(world, "/opt/names")))
  end)

  test("reads archives in archives, packed or not, behind a script, and in Zip64", function()
    local rows, warnings = rows_of(world, "/srv")
    assert.are.equal("com.example|boot|3|/srv/boot-3.jar\n" ..
      "org.apache.logging.log4j|log4j-core|2.14.1|/srv/boot-3.jar!/BOOT-INF/lib/log4j-core-2.14.1.jar\n" ..
      "com.example|large|6|/srv/large-6.jar\n" ..
      "|shop|2|/srv/shop-2.ear\n" ..
      "|stored|5|/srv/shop-2.ear!/lib/stored-5.jar\n" ..
      "|web|1|/srv/shop-2.ear!/web-1.war\n" ..
      "org.apache.logging.log4j|log4j-core|2.14.1|" ..
      "/srv/shop-2.ear!/web-1.war!/WEB-INF/lib/log4j-core-2.14.1.jar\n", rows)
    assert.is_nil(warnings)
    assert.are.equal("2|2.14.1\n", (world:lines([[
      SELECT depth, version FROM java_packages
      WHERE path = '/srv/shop-2.ear!/web-1.war!/WEB-INF/lib/log4j-core-2.14.1.jar']])))
  end)

  test("goes five archives deep, and says so", function()
    local rows, warnings = world:lines("SELECT name, depth FROM java_packages WHERE directory = '/deep' ORDER BY depth")
    assert.are.equal("level-0|0\nlevel-1|1\nlevel-2|2\nlevel-3|3\nlevel-4|4\nlevel-5|5\n", rows)
    assert.is_truthy(warnings:find("/deep/level%-0%-1%.jar.*more than 5 deep"))
    assert.are.equal(1, select(2, warnings:gsub("\n?[^\n]+", "")))
  end)

  test("stops at what unpacks to much more than it is, with one warning a file", function()
    local before = os.clock()
    local rows, warnings = rows_of(world, "/bombs")
    assert.is_true(os.clock() - before < 5)
    assert.is_truthy(rows:find("bomb|before|1|/bombs/bomb-1.jar\n", 1, true))
    assert.is_truthy(rows:find("bomb|first|1|/bombs/liar-1.jar\n", 1, true))
    assert.is_truthy(rows:find("|nested|1|/bombs/nested-1.jar\n", 1, true))
    for _, name in ipairs { "bomb", "nested", "liar" } do
      assert.are.equal(1, select(2, warnings:gsub("/bombs/" .. name .. "%-1%.jar", "")), name .. ": " .. warnings)
    end
  end)

  test("tells of damaged ones, and what can be had of them", function()
    local rows, warnings = rows_of(world, "/bad")
    assert.are.equal("bad|good|1|/bad/crc-1.jar\n", rows)
    for _, name in ipairs { "cut", "none", "crc", "directory" } do
      assert.are.equal(1, select(2, warnings:gsub("/bad/" .. name .. "%-1%.jar", "")), name .. ": " .. warnings)
    end
    assert.is_nil(warnings:find("zero", 1, true))
  end)
end)
