-- php_packages: Composer's list, of its versions 1 and 2.
local worlds = require "tests.spec.sql.world"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local V2 = read("tests/fuzz/corpus/composer/2")
local V1 = read("tests/fuzz/corpus/composer/1")

describe("php_packages", function()
  it("reads what Composer 2 wrote", function()
    local world <close> = worlds.new { ["app/vendor/composer/installed.json"] = V2 }
    local rows, warnings = world:rows("SELECT * FROM php_packages ORDER BY name")
    assert.is_nil(warnings)
    local uid = worlds.output("id -u"):match("%d+")
    local at = "/app/vendor/composer/installed.json"
    assert.are.same({
      {
        "monolog/monolog", "2.9.1", "library", "Sends your logs to files", "Jordi Boggiano, Another", "MIT",
        "https://github.com/Seldaek/monolog", "https://github.com/Seldaek/monolog.git", at, "/app/vendor", uid,
      },
      { "symfony/polyfill", "v1.27.0", "metapackage", "", "", "MIT, BSD-3-Clause", "", "", at, "/app/vendor", uid },
    }, rows)
  end)

  it("reads what Composer 1 wrote, in a folder of any name", function()
    local world <close> = worlds.new {
      ["srv/lib/composer/installed.json"] = V1,
      ["srv/other/installed.json"] = V2,
      ["srv/lib/composer/composer/x/installed.json"] = V2,
    }
    assert.are.equal("psr/log|1.1.4|/srv/lib\n", world:lines("SELECT name, version, directory FROM php_packages"))
    assert.are.equal("psr/log\n", world:lines("SELECT name FROM php_packages WHERE directory = '/srv/lib'"))
    assert.are.equal("", world:lines("SELECT name FROM php_packages WHERE directory = '/srv'"))
  end)

  it("agrees with composer show", function()
    local world <close> = worlds.new {
      ["app/composer.json"] = "{}",
      ["app/vendor/composer/installed.json"] = V2,
    }
    local theirs = worlds.output("composer show --working-dir='" .. world.root .. "/app' --format=json")
    if not theirs then
      return pending("no composer here")
    end
    local lines = {}
    for _, package in ipairs(require("cjson").decode(theirs).installed) do
      lines[#lines + 1] = package.name .. "|" .. package.version .. "\n"
    end
    assert.are.equal("", worlds.difference(table.concat(lines), (world:lines("SELECT name, version FROM php_packages"))))
  end)

  it("has what a cut file still has, and tells once", function()
    local cut = V2:find('"symfony/polyfill"', 1, true)
    local world <close> = worlds.new { ["app/vendor/composer/installed.json"] = V2:sub(1, cut + 30) }
    local rows, warnings = world:lines("SELECT name FROM php_packages")
    assert.are.equal("monolog/monolog\n", rows)
    assert.are.equal("php_packages: /app/vendor/composer/installed.json: is no JSON that is understood; " ..
      "packages may be missing\n", warnings)
  end)
end)
