-- Containers of runc alone, made by hand, for what podman does otherwise than Docker and Kubernetes.
local cjson = require "cjson"
local containers = require "tests.system.containers"
local support = require "tests.system.support"

local run, quote = support.run, support.quote

-- What Docker gives, and a task may add.
local BOUNDING <const> = { "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP" }

local function with_ptrace()
  local list = { table.unpack(BOUNDING) }
  list[#list + 1] = "CAP_SYS_PTRACE"
  return list
end

-- $1: name; $2: folder of runc's own; $3: bundle.  Waits until the application is ready, ends it, and says its exit code.
local RUN <const> = [[runc --root $2 run --bundle $3 $1 >$3/out 2>$3/err </dev/null & child=$!
  deadline=$(($(date +%s) + 30))
  until grep -q ready $3/out || ! kill -0 $child || [ $(date +%s) -gt $deadline ]; do sleep 0.05; done
  until runc --root $2 kill $1 TERM || ! kill -0 $child; do sleep 0.05; done
  wait $child; echo $?]]

describe("with the sensor before it, in a container made by hand, an application", function()
  local problem
  local folder = support.new_path()

  --- One run; `change` edits the configuration that runc proposes.
  local function once(name, is_wrapped, change)
    local bundle = ("%s/%s"):format(folder, name)
    assert.are.equal(0, run(("mkdir -p %s/rootfs && cd %s/rootfs && mkdir -p app dev opt/moonwatch proc seen sys && cp %s/app app/ "
      .. "&& cd .. && mkdir -m 1777 seen && runc spec"):format(bundle, bundle, folder)).code)
    local config = cjson.decode(support.read(bundle .. "/config.json"))
    local process = config.process
    process.terminal, process.rlimits, process.capabilities = false, nil, {}
    process.args = { "/app/app" }
    config.mounts[#config.mounts + 1] = { destination = "/seen", type = "bind", source = bundle .. "/seen", options = { "rbind", "rw" } }
    if is_wrapped then
      process.args = { "/opt/moonwatch/bin/moonwatch", "run", "--", "/app/app" }
      config.mounts[#config.mounts + 1] = { destination = "/opt/moonwatch", type = "bind", source = containers.tree(),
        options = { "rbind", "ro" } }
    end
    for _, variable in ipairs { "MOONWATCH_STATE_DIR=/seen/state",
      "MOONWATCH_OUTPUTS=events/json:file=/seen/events,alerts/json:file=/seen/alerts" } do
      process.env[#process.env + 1] = variable
    end
    change(config, process, is_wrapped)
    support.write(bundle .. "/config.json", cjson.encode(config))
    local result = run(("sh -c %s sh %s-%s %s %s"):format(quote(RUN), name, folder:match "moonwatch%-test%.(%w+)" or "test",
      folder .. "/runc", bundle))
    return { out = support.read(bundle .. "/out"):gsub("pipe:%[%d+%]", "pipe"), err = support.read(bundle .. "/err"),
      code = tonumber(result.out) }, bundle
  end

  --- Bare and wrapped, as of containers.run.
  local function both(name, change, unlike)
    if problem then
      pending(problem)
    end
    local seen = { bare = once(name .. "-bare", false, change) }
    local bundle
    seen.wrapped, bundle = once(name .. "-wrapped", true, change)
    for _, result in ipairs { seen.bare, seen.wrapped } do
      result.out = result.out:gsub(unlike or "$^", "")
    end
    seen.says = containers.take_ours(seen.wrapped)
    assert(seen.wrapped.code == seen.bare.code, seen.wrapped.err .. seen.bare.err .. table.concat(seen.says))
    seen.events = support.json_lines(bundle .. "/seen/events")
    seen.state_dir = bundle .. "/seen/state"
    return seen
  end

  local function engine_of(seen)
    local rows = support.sql(seen.state_dir, "SELECT text FROM moonwatch_health WHERE component = 'sensor' AND name = 'engine'")
    return rows[1] and rows[1].text
  end

  setup(function()
    problem = containers.prepare("bundles", { "busybox" })
    if not problem then
      local made = run(("mkdir -p %s && chmod 711 %s %s && gcc -O1 -D_GNU_SOURCE -static tests/containers/apps/app.c -o %s/app"):format(
        folder, support.tmp, folder, folder))
      assert(made.code == 0, made.err)
    end
  end)

  teardown(containers.clear)

  it("of another user, whose capabilities are bounded by SYS_PTRACE and yet none, is the same and seen", function()
    local seen = both("bounded", function(_, process, is_wrapped)
      process.user = { uid = 1000, gid = 1000 }
      process.noNewPrivileges = false
      process.capabilities = { bounding = is_wrapped and with_ptrace() or BOUNDING }
    end, "CapBnd:[^\n]*")
    containers.assert_same(seen)
    containers.assert_seen(seen, 1000)
    assert.are.equal(1, #seen.says)
    assert.is_truthy(seen.says[1]:find("setuid programs", 1, true))
    assert.are.equal("ptrace", engine_of(seen))
  end)

  it("without a capability, with no_new_privs, a root that is read-only and no /dev/shm is the same and seen", function()
    local seen = both("bereft", function(config, process)
      process.user = { uid = 1000, gid = 1000 }
      config.root.readonly = true
      config.mounts = support.filter(config.mounts, function(mount)
        return mount.destination ~= "/dev/shm" and mount.destination ~= "/dev/mqueue"
      end)
    end)
    containers.assert_same(seen)
    containers.assert_seen(seen, 1000)
    assert.are.same({}, seen.says)
    assert.are.equal("ptrace", engine_of(seen))
  end)

  it("in a user namespace of its own is the same and seen", function()
    local map = { { containerID = 0, hostID = 100000, size = 65536 } }
    local seen = both("userns", function(config, process, is_wrapped)
      local all = is_wrapped and with_ptrace() or BOUNDING
      process.capabilities = { bounding = all, permitted = all, effective = all }
      config.linux.namespaces[#config.linux.namespaces + 1] = { type = "user" }
      config.linux.uidMappings, config.linux.gidMappings = map, map
    end)
    containers.assert_same(seen)
    containers.assert_seen(seen, 0)
    assert.are.equal("ptrace", engine_of(seen))
  end)
end)
