-- rust_packages: the list that cargo-auditable puts into a program; and lists that are broken.
local worlds = require "tests.spec.sql.world"

-- As its documentation has it; dependencies are indices.
local LIST = [[{"packages":[
  {"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[2,3]},
  {"name":"cc","version":"1.0.79","source":"crates.io","kind":"build"},
  {"name":"serde","version":"1.0.163","source":"crates.io","dependencies":[1],"features":["derive",{"x":null}]},
  {"name":"caf\u00e9","version":"2.0.0-rc.1","source":"git"}],"format":1}]]

local PACK = [[python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))']]

describe("rust_packages", function()
  it("reads the list in a program", function()
    if not (worlds.output("objcopy --version") and worlds.output("python3 --version")) then
      return pending("no objcopy or no python3 here, which put the list into a program")
    end
    local world <close> = worlds.new {
      list = LIST,
      broken = LIST:sub(1, -20),
      bomb = '{"packages":[{"name":"first","version":"1"},"' .. (" "):rep(20 << 20) .. '"]}',
      deep = '{"a":' .. ("["):rep(100000) .. '1}',
    }
    local add = "mkdir -p bin; %s <%s >%s.z; objcopy --add-section .dep-v0=%s.z /bin/true bin/%s"
    for _, name in ipairs { "list", "broken", "bomb", "deep" } do
      world:shell(add:format(PACK, name, name, name, name))
    end
    world:shell("objcopy --add-section .dep-v0=list /bin/true bin/unpacked; cp bin/list bin/stripped; strip bin/stripped")
    local listed = world:lines([[
      SELECT name, version, source, kind, root, directory FROM rust_packages WHERE path = '/bin/list' ORDER BY name]])
    assert.are.equal("app|0.1.0|local|runtime|1|/bin\n" ..
      "café|2.0.0-rc.1|git|runtime|0|/bin\n" ..
      "cc|1.0.79|crates.io|build|0|/bin\n" ..
      "serde|1.0.163|crates.io|runtime|0|/bin\n", listed)

    local rows, warnings = world:lines("SELECT path, count(*) FROM rust_packages GROUP BY path ORDER BY path")
    assert.are.equal("/bin/broken|3\n/bin/list|4\n/bin/stripped|4\n", rows)
    for _, name in ipairs { "broken", "bomb", "deep", "unpacked" } do
      assert.are.equal(1, select(2, warnings:gsub("/bin/" .. name .. ": ", "")), name .. ": " .. warnings)
    end
    assert.is_nil(warnings:find("/bin/list", 1, true))
  end)
end)
