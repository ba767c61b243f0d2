-- What tasks may take away from a container, and how they may run it otherwise than plainly.
local containers = require "tests.system.containers"
local support = require "tests.system.support"

local SETUID <const> = "setuid programs"
local CAPABILITY <const> = "--cap-add SYS_PTRACE"

--- Docker's profile without ptrace: as it was for Linux before 4.8, and as somebody's own may be.
local function without_ptrace(docker)
  local path = support.new_path()
  local text, n = support.read(docker:match "'(.-)'"):gsub('"ptrace"', '"no_such_call"')
  assert(n > 0)
  support.write(path, text)
  return "--security-opt seccomp=" .. path
end

describe("with the sensor before it, an application", function()
  local problem, seen

  --- What was seen of a case; nothing can be where there are no containers.
  local function of(name)
    if problem then
      pending(problem)
    end
    return seen[name]
  end

  --- The sensor had no more to say than texts with these words.
  local function assert_says(one, ...)
    local wanted = { ... }
    assert.are.equal(#wanted, #one.says, table.concat(one.says))
    for i, words in ipairs(wanted) do
      assert.is_truthy(one.says[i]:find(words, 1, true), one.says[i])
    end
  end

  --- It traced, all the time.
  local function assert_traced(one)
    assert.are.equal("ptrace", containers.health(one, "sensor", "engine"))
    for _, name in ipairs { "sensor", "tracer" } do
      assert.are.equal(0, containers.health(one, name, "restarts"))
    end
  end

  setup(function()
    problem = containers.prepare("limits", { "busybox", "debian12", "distroless", "scratch", "s6" })
    if problem then
      return
    end
    local docker = containers.docker_seccomp()
    for _, name in ipairs { "holder", "holder_of_bare" } do
      local held = containers.podman(("run -d --name %s --entrypoint '[\"sleep\"]' localhost/busybox 300"):format(name))
      assert(held.code == 0, held.err)
    end
    -- A sensor looks after neighbours that have none, so those are elsewhere.
    local shared = { image = "busybox", bare = "--pid=container:holder_of_bare", wrapped = "--pid=container:holder " .. CAPABILITY,
      unlike = "pid %d+ " }
    local bare_bones = "--read-only --read-only-tmpfs=false "
    seen = containers.run {
      docker = { image = "debian12", flags = docker, wrapped = CAPABILITY },
      docker_no_capability = { image = "debian12", flags = docker },
      -- podman gives other users the capability so that it works; Docker does not.  Neither lets them drop it from what bounds them.
      user = { image = "distroless", flags = docker .. " --user 1000:1000", wrapped = CAPABILITY, unlike = "CapBnd:[^\n]*" },
      no_ptrace = { image = "debian12", flags = without_ptrace(docker) },
      no_tmp = { image = "scratch", flags = bare_bones, wrapped = CAPABILITY, state = "" },
      nothing = { image = "scratch", state = "", look = "/opt/moonwatch/bin/moonwatch status",
        flags = bare_bones .. "--ipc=none --user 1000:1000 --cap-drop all --security-opt no-new-privileges" },
      memory = { image = "distroless", words = { "/app/app", "hold", "48" }, flags = "--memory 64m --memory-swap 64m",
        wrapped = CAPABILITY },
      memory_used_up = { image = "distroless", words = { "/app/app", "hold", "61" }, flags = "--memory 64m --memory-swap 64m",
        wrapped = CAPABILITY, look = "" },
      memory_exceeded = { image = "distroless", words = { "/app/app", "hold", "80" }, flags = "--memory 64m --memory-swap 64m",
        wrapped = CAPABILITY },
      cpu = { image = "debian12", flags = "--cpus 0.25", wrapped = CAPABILITY },
      userns = { image = "busybox", flags = "--uidmap 0:100000:65536 --gidmap 0:100000:65536", wrapped = CAPABILITY },
      shared_pids_1 = shared,
      shared_pids_2 = shared,
      -- Threads of the runtime have used some process ids.
      init = { image = "debian12", flags = "--init", wrapped = CAPABILITY, unlike = "%f[%w]pid %d+ " },
      s6 = { image = "s6", wrapped = CAPABILITY, unlike = "pid %d+ " },
    }
  end)

  teardown(containers.clear)

  it("is the same, and seen, under Docker's seccomp profile with SYS_PTRACE", function()
    local one = of "docker"
    containers.assert_same(one)
    containers.assert_seen(one, 0)
    assert_says(one)
    assert_traced(one)
  end)

  it("is the same, and seen, under it without SYS_PTRACE; what that costs is said", function()
    local one = of "docker_no_capability"
    containers.assert_same(one)
    containers.assert_seen(one, 0)
    assert_says(one, SETUID)
    assert_traced(one)
  end)

  it("is the same, and seen, as another user with SYS_PTRACE", function()
    local one = of "user"
    containers.assert_same(one)
    containers.assert_seen(one, 1000)
    assert_says(one)
    assert_traced(one)
  end)

  it("is the same where ptrace is forbidden: it is looked at now and then, and health says so", function()
    local one = of "no_ptrace"
    containers.assert_same(one)
    assert_says(one, "ptrace")
    local engine = containers.health(one, "sensor", "engine")
    assert.are.equal("poll", engine)
    local found = support.filter(one.events, function(event)
      return event.process and event.process.pid == 1 and event.sampled
    end)
    assert.is_true(#found > 0)
  end)

  it("is the same, and seen, on a root that is read-only, without /tmp; where state is then is said", function()
    local one = of "no_tmp"
    containers.assert_same(one)
    containers.assert_seen(one, 0)
    assert_says(one, "/dev/shm/moonwatch-0 is used instead")
    assert_traced(one)
    assert.is_truthy(one.bare.out:find("/tmp No such file", 1, true))
  end)

  it("is the same, and seen, where no file at all can be written; status knows that it cannot know", function()
    local one = of "nothing"
    containers.assert_same(one)
    containers.assert_seen(one, 1000)
    assert_says(one, "state is kept in memory")
    assert.is_truthy(one.look.out:find("a sensor runs here", 1, true), one.look.out .. one.look.err)
  end)

  -- As in all containers here, and everywhere but in privileged ones.
  it("is the same, and seen, where /proc/sys cannot be written", function()
    local one = of "no_tmp"
    assert.is_truthy(one.bare.out:find("/proc/sys/kernel/hostname Read-only file system", 1, true), one.bare.out)
    containers.assert_seen(one, 0)
  end)

  it("is the same, and seen, within 64 MiB of which it uses 48", function()
    local one = of "memory"
    containers.assert_same(one)
    containers.assert_seen(one, 0)
    assert_traced(one)
  end)

  it("is the same within 64 MiB of which it uses 61: the sensor goes", function()
    containers.assert_same(of "memory_used_up")
  end)

  it("is killed when it exceeds them, as without the sensor", function()
    local one = of "memory_exceeded"
    assert.are.equal(137, one.bare.code)
    assert.are.same(one.bare, one.wrapped)
  end)

  it("is the same, and seen, with a quarter of a CPU", function()
    local one = of "cpu"
    containers.assert_same(one)
    containers.assert_seen(one, 0)
    assert_traced(one)
  end)

  it("is the same, and seen, in a user namespace", function()
    local one = of "userns"
    containers.assert_same(one)
    containers.assert_seen(one, 0)
    assert_traced(one)
  end)

  it("is the same, and seen, in a PID namespace it shares with others, each by its own sensor", function()
    for n = 1, 2 do
      local one = of("shared_pids_" .. n)
      containers.assert_same(one)
      containers.assert_seen(one, 0)
      assert_traced(one)
    end
  end)

  it("is the same, and seen, as the child of an init that the runtime puts before it", function()
    local one = of "init"
    containers.assert_same(one)
    assert.is_truthy(one.bare.out:find("ppid 1 ", 1, true), one.bare.out)
    containers.assert_seen(one, 0)
    assert_traced(one)
  end)

  it("is the same, and seen, below an init that insists on being the first process", function()
    local one = of "s6"
    containers.assert_same(one)
    assert.is_truthy(one.bare.out:find("app ended with 42", 1, true), one.bare.out)
    containers.assert_seen(one, 0)
    assert_traced(one)
  end)
end)
