-- apk_packages: Alpine's database.  Its format is text; apk itself is in no Debian.
local worlds = require "tests.spec.sql.world"

local SEED = "tests/fuzz/corpus/apk/installed"

local function seed()
  local file <close> = assert(io.open(SEED))
  return file:read("a")
end

describe("apk_packages", function()
  it("reads the database", function()
    local world <close> = worlds.new { ["lib/apk/db/installed"] = seed() }
    local rows, warnings = world:rows("SELECT * FROM apk_packages")
    assert.is_nil(warnings)
    assert.are.same({
      {
        "alpine-baselayout", "3.6.5-r0", "x86_64", "alpine-baselayout", "315392", "GPL-2.0-only",
        "Alpine base dir structure and init scripts",
        "https://git.alpinelinux.org/cgit/aports/tree/main/alpine-baselayout",
        "Natanael Copa <ncopa@alpinelinux.org>", "1714981135", "Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=",
        "/lib/apk/db/installed",
      },
      {
        "musl", "1.2.5-r0", "x86_64", "musl", "667648", "MIT",
        "the musl c library (libc) implementation", "https://musl.libc.org/",
        "Timo Teräs <timo.teras@iki.fi>", "1709333222", "Q1Tydj7mNUNVVHEPYf1H4DPOQ4n28=",
        "/lib/apk/db/installed",
      },
    }, rows)
  end)

  it("reads the one below /usr, and none twice", function()
    local world <close> = worlds.new { ["usr/lib/apk/db/installed"] = seed() }
    assert.are.equal("2\n", world:lines("SELECT count(*) FROM apk_packages"))
    world:shell("ln -s usr/lib lib")
    assert.are.equal("2\n", world:lines("SELECT count(*) FROM apk_packages"))
  end)

  it("has what a broken one still has, and tells once", function()
    local world <close> = worlds.new {
      ["lib/apk/db/installed"] = "P:a\nV:1\nT:" .. ("x"):rep(1 << 20) .. "\n" .. ("R:file\n"):rep(100000) ..
        "\nnonsense\n\0\0\n\nP:b\nV:2\n\nP:c\nV:",
    }
    local rows, warnings = world:lines("SELECT name, version FROM apk_packages")
    assert.are.equal("a|1\nb|2\nc|\n", rows)
    assert.are.equal("apk_packages: /lib/apk/db/installed: line 3 is too long and cut\n", warnings)
  end)
end)
