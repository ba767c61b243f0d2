-- How the tree comes into containers, and what happens where it cannot.
local containers = require "tests.system.containers"
local support = require "tests.system.support"

local podman, run, quote = containers.podman, support.run, support.quote

local CAPABILITY <const> = "--cap-add SYS_PTRACE"

describe("with the sensor before it, an application", function()
  local problem, seen

  local function of(name)
    if problem then
      pending(problem)
    end
    return seen[name]
  end

  local function must(result)
    assert(result.code == 0, result.err .. result.out)
    return result.out
  end

  setup(function()
    problem = containers.prepare("ways", { "busybox", "debian12", "distroless", "nginx" })
    if problem then
      return
    end
    local tree = containers.tree()
    local build = "build --quiet --pull=never --network=none "
    must(podman(build .. "-t localhost/moonwatch -f container/Dockerfile " .. quote(tree)))
    must(podman(build .. "-t localhost/web --build-arg MOONWATCH=localhost/moonwatch container/examples/nginx"))
    -- The sidecar: it ends at once, and what its image has in the volume stays.
    assert.matches("^moonwatch ", must(podman "run --name sidecar localhost/moonwatch"))
    -- A volume, and an init container that fills it.
    must(podman "run --rm -v filled:/target --cap-drop all localhost/moonwatch install /target")
    local broken = support.new_path()
    must(run(("mkdir %s && cp -r %s/. %s && chmod 644 %s/bin/moonwatch %s/bin/entrypoint"):format(broken, quote(tree), broken,
      broken, broken)))
    local opt = "/opt/moonwatch"
    seen = containers.run {
      build = { image = "nginx", words = { "/docker-entrypoint.sh", "nginx", "-g", "daemon off;" }, own = "web", wrapped = CAPABILITY,
        look = "/app/get", unlike = "%d+" },
      sidecar = { image = "debian12", tree = "--volumes-from sidecar:ro", wrapped = CAPABILITY, flags = "--read-only" },
      install = { image = "distroless", tree = "-v filled:/opt/moonwatch:ro", flags = "--user 1000:1000 --cap-drop all" },
      entrypoint = { image = "distroless", before = { opt .. "/bin/entrypoint" }, wrapped = CAPABILITY },
      script = { image = "busybox", before = { opt .. "/bin/entrypoint.sh", "--" }, wrapped = CAPABILITY },
      script_broken = { image = "busybox", before = { opt .. "/bin/entrypoint.sh", "--" }, tree = ("-v %s:%s:ro"):format(broken, opt),
        look = "" },
      script_noexec = { image = "busybox", before = { "/bin/sh", opt .. "/bin/entrypoint.sh" }, look = "",
        tree = ("-v %s:%s:ro,noexec"):format(quote(tree), opt) },
      broken = { image = "busybox", tree = ("-v %s:%s:ro"):format(broken, opt), look = "" },
      noexec = { image = "busybox", tree = ("-v %s:%s:ro,noexec"):format(quote(tree), opt), look = "" },
      full = { image = "distroless", wrapped = CAPABILITY, state = "/full/state", flags = "--tmpfs /full:size=16k",
        look = opt .. "/bin/moonwatch status" },
    }
  end)

  teardown(containers.clear)

  --- It was traced, and nothing was to be complained of.
  local function assert_well(one)
    containers.assert_same(one)
    containers.assert_seen(one, 0)
    assert.are.same({}, one.says)
    assert.are.equal("ptrace", containers.health(one, "sensor", "engine"))
  end

  it("is the same in an image that has it as a layer: nginx serves, and is stopped by its own signal", function()
    local one = of "build"
    containers.assert_same(one, 0)
    assert.matches("SIGQUIT", one.wrapped.err)
    for _, answer in ipairs { one.look.out, one.look_bare } do
      assert.matches("^HTTP/1.1 200 OK\r\n.*\r\n\r\nserved by nginx\n$", answer)
    end
    local started = support.filter(one.events, function(event)
      return event.kind == "process.exec" and event.process.pid == 1 and event.process.name == "nginx"
    end)
    assert.are.equal(1, #started)
  end)

  it("is the same with the volume of a sidecar that has ended", function()
    assert_well(of "sidecar")
  end)

  it("is the same with a volume that `moonwatch install` has filled, without any capability", function()
    local one = of "install"
    containers.assert_same(one)
    containers.assert_seen(one, 1000)
    assert.are.equal(1, #one.says)
  end)

  it("is the same behind bin/entrypoint and bin/entrypoint.sh", function()
    assert_well(of "entrypoint")
    assert_well(of "script")
  end)

  it("is the same when there is no room for the sensor's state, and it says so", function()
    local one = of "full"
    containers.assert_same(one)
    containers.assert_seen(one, 0)
    assert.are.equal(1, #one.says)
    assert.is_truthy(one.says[1]:find("full; what is seen is kept in memory only", 1, true))
    assert.is_truthy(one.look.out:find("its state is in memory", 1, true), one.look.out)
  end)

  it("starts without it where its program has no execute permission, or its volume is noexec, by entrypoint.sh", function()
    for _, name in ipairs { "script_broken", "script_noexec" } do
      local one = of(name)
      containers.assert_same(one)
      assert.are.equal(1, #one.says)
      assert.is_truthy(one.says[1]:find("does not start (has it its execute permission, is its volume mounted noexec", 1, true))
      assert.are.equal(0, #one.events)
    end
  end)

  it("is not started by the runtime in these cases otherwise, and the runtime names the file", function()
    for _, name in ipairs { "broken", "noexec" } do
      local one = of(name)
      assert.are.equal(126, one.wrapped.code)
      assert.are.equal("", one.wrapped.out)
      assert.is_truthy(one.wrapped.err:find("/opt/moonwatch/bin/moonwatch", 1, true), one.wrapped.err)
      assert.is_truthy(one.wrapped.err:find("permission denied", 1, true), one.wrapped.err)
    end
  end)

  it("has `moonwatch install` refuse volumes that are full, noexec or read-only, before anything is changed", function()
    if problem then
      pending(problem)
    end
    for flags, reason in pairs {
      ["--tmpfs /target:size=1m"] = "KiB are needed",
      ["--tmpfs /target:noexec"] = "mounted noexec",
      ["--tmpfs /target:ro"] = "mounted read-only",
    } do
      local result = podman(("run --rm %s -v %s:/tree:ro --entrypoint sh localhost/busybox -c %s"):format(flags,
        quote(containers.tree()), quote "/tree/bin/moonwatch install /target; echo $?; ls -A /target"))
      assert.are.equal("1\n", result.out, result.err)
      assert.is_truthy(result.err:find(reason, 1, true), result.err)
      assert.is_truthy(result.err:find("nothing was changed there\n", 1, true), result.err)
    end
  end)
end)
