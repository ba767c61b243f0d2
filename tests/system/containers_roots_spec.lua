-- Root file systems of every sort, under Docker's seccomp profile: as root with what a task definition may add, and as another
-- user, without any capability, on a root that is read-only.
local containers = require "tests.system.containers"
local support = require "tests.system.support"

local images = { "debian11", "debian12", "debian13", "musl", "busybox", "distroless", "scratch", "jre", "node", "python" }

describe("with the sensor before it, an application in", function()
  local problem, seen

  setup(function()
    problem = containers.prepare("roots", images)
    if problem then
      return
    end
    local cases, docker = {}, containers.docker_seccomp()
    for _, image in ipairs(images) do
      cases[image .. "-root"] = { image = image, flags = docker, wrapped = "--cap-add SYS_PTRACE" }
      cases[image .. "-user"] = { image = image, flags = docker .. " --user 1000:1000 --read-only --cap-drop all" }
    end
    seen = containers.run(cases)
  end)

  teardown(containers.clear)

  for _, image in ipairs(images) do
    it(image .. " is the same, and seen, as root", function()
      if problem then
        pending(problem)
        return
      end
      local one = seen[image .. "-root"]
      assert.are.same({}, one.says)
      containers.assert_same(one)
      containers.assert_seen(one, 0)
      assert.are.equal("ptrace", containers.health(one, "sensor", "engine"))
      local rows = support.sql(one.state_dir, "SELECT cmdline FROM process_events WHERE cmdline LIKE '%marked%'")
      assert.are.equal(3, #rows)
    end)

    it(image .. " is the same, and seen, as another user with a root that is read-only", function()
      if problem then
        pending(problem)
        return
      end
      local one = seen[image .. "-user"]
      containers.assert_same(one)
      assert.are.equal(1, #one.says, table.concat(one.says))
      assert.is_truthy(one.says[1]:find("setuid programs", 1, true), one.says[1])
      containers.assert_seen(one, 1000)
      assert.are.equal("ptrace", containers.health(one, "sensor", "engine"))
    end)
  end
end)
