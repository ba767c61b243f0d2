-- go_packages: what `go version -m` says, of programs built here, stripped ones too, and of old and broken ones.
local worlds = require "tests.spec.sql.world"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- Two modules, one of which stands in the place of a third.
local SOURCES = {
  ["src/go.mod"] = "module example.com/program\n\ngo 1.18\n\nrequire example.com/wanted v1.2.3\n\n" ..
    "replace example.com/wanted v1.2.3 => ./instead\n",
  ["src/main.go"] = "package main\n\nimport \"example.com/wanted\"\n\nfunc main() { wanted.Say() }\n",
  ["src/instead/go.mod"] = "module example.com/wanted\n\ngo 1.18\n",
  ["src/instead/wanted.go"] = "package wanted\n\nfunc Say() { println(\"said\") }\n",
}

--- `go version -m` as our rows: name, version, checksum, replaces; settings.
local function theirs(text)
  local rows, settings = {}, {}
  for line in text:gmatch("[^\n]+") do
    local key, rest = line:match("^\t(%S+)\t(.*)$")
    if key == "mod" or key == "dep" then
      local name, version, sum = rest:match("^([^\t]*)\t?([^\t]*)\t?([^\t]*)")
      rows[#rows + 1] = { name, version, sum, "" }
    elseif key == "=>" then
      local name, version, sum = rest:match("^([^\t]*)\t?([^\t]*)\t?([^\t]*)")
      rows[#rows] = { name, version, sum, rows[#rows][1] .. "@" .. rows[#rows][2] }
    elseif key == "build" then
      settings[#settings + 1] = rest
    end
  end
  for i, row in ipairs(rows) do
    rows[i] = table.concat(row, "|") .. "\n"
  end
  return table.concat(rows), table.concat(settings, "\n")
end

describe("go_packages", function()
  it("has what go version -m says, of stripped programs too", function()
    if not worlds.output("go version") then
      return pending("no Go here")
    end
    local world <close> = worlds.new(SOURCES)
    world:write("bin/here", "")
    local build = "cd src && GOFLAGS=-mod=mod GOWORK=off GOTOOLCHAIN=local GOPATH=%s/go GOCACHE=%s/cache CGO_ENABLED=0 " ..
      "go build -buildvcs=false %s -o ../bin/%s . 2>&1"
    world:shell(build:format(world.root, world.root, "", "whole"))
    world:shell(build:format(world.root, world.root, "-ldflags='-s -w'", "stripped"))
    -- Cut behind the segments: without its table of sections.
    world:shell("cp bin/stripped bin/headless")
    for _, name in ipairs { "whole", "stripped" } do
      local rows, settings = theirs(worlds.output("go version -m " .. world.root .. "/bin/" .. name))
      assert.is_truthy(rows:find("|example.com/wanted@v1.2.3\n", 1, true))
      local ours, warnings = world:lines(([[
        SELECT name, version, checksum, replaces FROM go_packages
        WHERE path = '/bin/%s' AND scope != 'toolchain']]):format(name))
      assert.is_nil(warnings)
      assert.are.equal("", worlds.difference(rows, ours))
      assert.are.equal(settings .. "\n", (world:lines(
        ("SELECT settings FROM go_packages WHERE path = '/bin/%s' AND scope = 'main'"):format(name))))
    end
    local version = worlds.output("go env GOVERSION"):gsub("%s", "")
    assert.are.equal(("stdlib|%s|%s|example.com/program\n"):format(version:gsub("^go", ""), version), (world:lines([[
      SELECT name, version, go_version, main FROM go_packages WHERE path = '/bin/whole' AND scope = 'toolchain']])))

    -- The table of sections is what strippers of firmware take away.
    local program = read(world.root .. "/bin/stripped")
    world:write("bin/headless", program:sub(1, 40) .. ("\0"):rep(8) .. program:sub(49, 58) .. ("\0"):rep(6) .. program:sub(65))
    assert.are.equal("example.com/program\n", (world:lines(
      "SELECT name FROM go_packages WHERE path = '/bin/headless' AND scope = 'main'")))
  end)

  it("reads pointers of before Go 1.18, in other byte orders", function()
    local world <close> = worlds.new {
      ["bin/old"] = read("tests/fuzz/corpus/go/pointers"),
      ["bin/new"] = read("tests/fuzz/corpus/go/inline"),
      ["bin/not_executable"] = read("tests/fuzz/corpus/go/inline"),
    }
    world:shell("chmod 755 bin/old bin/new")
    for name, version in pairs { old = "1.16", new = "1.22.1" } do
      local rows, warnings = world:lines(([[
        SELECT name, version, scope, replaces, checksum FROM go_packages WHERE path = '/bin/%s' ORDER BY name]]):format(name))
      assert.is_nil(warnings)
      assert.are.equal("example.com/a|v1.0.0|main||h1:x=\n" ..
        "example.com/c|v0.2.0|dependency|example.com/b@v0.1.0|h1:y=\n" ..
        "example.com/d|v3.0.0|dependency||h1:z=\n" ..
        "stdlib|" .. version .. "|toolchain||\n", rows)
    end
    assert.are.equal("0\n", (world:lines("SELECT count(*) FROM go_packages WHERE path LIKE '/bin/not%'")))
  end)

  it("takes what is broken for what it is", function()
    local good = read("tests/fuzz/corpus/go/inline")
    local at = assert(good:find("\xff Go buildinf:", 1, true))
    local world <close> = worlds.new {
      ["bin/wild_sections"] = good:sub(1, 40) .. ("\xff"):rep(8) .. good:sub(49),
      ["bin/wild_string"] = good:sub(1, at + 31) .. "\xff\xff\x7f" .. good:sub(at + 35),
      ["bin/cut"] = good:sub(1, at + 45),
      ["bin/empty"] = "",
      ["bin/script"] = "#!/bin/sh\n",
      ["bin/magic_alone"] = "\x7fELF",
    }
    world:shell("chmod 755 bin/*; mkfifo bin/pipe; ln -s bin/pipe bin/link; ln -s . bin/loop")
    local rows, warnings = world:lines("SELECT * FROM go_packages")
    assert.are.equal("", rows)
    assert.are.equal("go_packages: /bin/wild_string: Go's build information is damaged",
      (warnings:gsub("%s+$", "")))
  end)
end)
