-- The portable tree (`make dist`): in a root that has nothing else, and the same bytes when it is built elsewhere.
local backends = require "tests.system.backend"
local support = require "tests.system.support"
local watched = require "tests.system.watched"

local machine = support.run("uname -m").out:match "%S+"
local folder = "dist/" .. machine
local tree = folder .. "/opt/moonwatch"

local function run(command)
  return support.run(command)
end

--- Without the tree nothing can be said of it; `make test` makes it, and says there why it could not.
local function has_tree()
  if io.open(tree .. "/bin/moonwatch") then
    return true
  end
  pending("there is no " .. tree .. ": `make dist ARCH=" .. machine .. "` failed, or was not run")
  return false
end

describe("the portable tree", function()
  local root = support.tmp .. "/root"
  local server

  teardown(function()
    watched.end_all()
    server:stop()
  end)

  setup(function()
    server = backends.start()
    run(("mkdir -p %s/opt %s/tmp && cp -a %s %s/opt/"):format(root, root, tree, root))
  end)

  it("has what it should, in 8 MiB", function()
    if not has_tree() then
      return
    end
    local parts = "bin/moonwatch bin/entrypoint bin/entrypoint.sh lua/moonwatch rules policies certs/ca.pem"
    for name in parts:gmatch "%S+" do
      assert.are.equal(0, run(("test -e %s/%s"):format(tree, name)).code, name .. " is missing")
    end
    local kib = tonumber(run("du -sk " .. tree).out:match "%d+")
    assert.is_true(kib <= 8192, kib .. " KiB")
    -- Every library has its version in the list, and its licence beside.
    local sources = support.read(folder .. "/SOURCES")
    for name in ("openssl curl sqlite3 lua5.4 lua-cjson nghttp2 c-ares zlib libzstd pcre2 libyaml"):gmatch "%S+" do
      assert.is_truthy(sources:find("\t" .. name .. "\t", 1, true), name .. " is not in SOURCES")
      assert.are.equal(0, run(("test -s %s/licenses/%s"):format(folder, name)).code, "no licence of " .. name)
    end
  end)

  it("runs in a root that is empty else: version, SQL, rules", function()
    if not has_tree() then
      return
    end
    local inside = ("chroot %s /opt/moonwatch/bin/moonwatch "):format(root)
    local version = run(inside .. "version")
    if version.err:find "^chroot: cannot change root" then
      pending("no right to change the root: " .. version.err)
      return
    end
    assert.are.equal("moonwatch", version.out:match "^%S+", version.err)
    local answer = run(inside .. [[sql --json "select sqrt(16) as r, sha256('a') as h, regex_match('abc', 'b', 0) as m"]])
    assert.is_truthy(answer.out:find("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", 1, true), answer.err)
    assert.are.equal(0, run(inside .. "rules test").code)
  end)

  it("speaks HTTPS there, and believes only whom it should", function()
    if not has_tree() then
      return
    end
    support.write(root .. "/tmp/ask.lua", ([[
      local tls = require "moonwatch.tls"
      local ca = arg[1]
      local answer, why, code = require("moonwatch.loop").run(tls.request, { url = "https://%s/", ca_file = ca })
      print(answer and answer.status or code, why)]]):format(server.hostname))
    assert(run(("cp %s %s/tmp/ca.pem"):format(server.ca, root)).code == 0)
    local ask = ("chroot %s /opt/moonwatch/bin/moonwatch lua /tmp/ask.lua "):format(root)
    local trusted = run(ask .. "/tmp/ca.pem")
    if trusted.err:find "^chroot: cannot change root" then
      pending("no right to change the root: " .. trusted.err)
      return
    end
    -- It knows no such page: any answer came by TLS.
    assert.is_truthy(trusted.out:match "^%d%d%d", trusted.out .. trusted.err)
    server:ask "clear"
    -- What is in the tree are the certificates of public authorities.
    assert.are.equal("EKEYREJECTED", run(ask).out:match "^%S+")
  end)

  it("enrols with a backend, and sees what an application does", function()
    if not has_tree() then
      return
    end
    support.moonwatch = tree .. "/bin/moonwatch"
    local app = watched.start(server:flags())
    server:wait { where = { endpoint = "enroll", accepted = true } }
    app:run "/bin/echo marker"
    server:wait { line = { ["columns.cmdline"] = { match = "echo marker" } } }
    assert.are.equal(0, app:stop())
    server:check()
  end)

  it("is the same, byte for byte, when it is built in another folder", function()
    if not has_tree() then
      return
    end
    local elsewhere = support.tmp .. "/elsewhere/deeper"
    -- The libraries are there already: this is about what is ours.  No cache of the compiler's may answer.
    local built = run(([[mkdir -p %s && cp -a CMakeLists.txt cmake container core lua policies rules setup tests docs %s &&
      CCACHE_DISABLE=1 SOURCE_DATE_EPOCH=1 %s/cmake/dist/tree %s]]):format(elsewhere, elsewhere, elsewhere, machine))
    assert.are.equal(0, built.code, built.err)
    local sums = "cd %s && find . -type f ! -path './SOURCES' | LC_ALL=C sort | xargs sha256sum"
    local here, there = run(sums:format(tree)), run(sums:format(elsewhere .. "/" .. tree))
    assert.is_truthy(here.out:find("bin/moonwatch", 1, true))
    assert.are.equal(here.out, there.out)
  end)
end)
