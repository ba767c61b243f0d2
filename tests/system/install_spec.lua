-- A tree that `moonwatch install` made, as an application's container has it: read-only, and for another user.
local support = require "tests.system.support"

local tree = support.tmp .. "/opt/moonwatch"
local USER <const> = "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all --bounding-set -all"

local function run(command)
  return support.run("cd / && " .. command)
end

describe("an installed tree", function()
  local can_change_user = false

  setup(function()
    local result = support.run(("%s install %s && chmod 711 %s"):format(support.moonwatch, tree, support.tmp))
    assert(result.code == 0, result.err)
    can_change_user = support.run(USER .. " true").code == 0
  end)

  it("starts an application of another user, and sees what it does", function()
    if not can_change_user then
      pending "the user cannot be changed here"
      return
    end
    local folder = support.new_path()
    support.run(("mkdir %s && chown 65534:65534 %s"):format(folder, folder))
    local events = folder .. "/events"
    local result = run(("%s %s/bin/moonwatch run --state_dir=%s/state --outputs=events/json:file=%s -- %s")
      :format(USER, tree, folder, events, "sh -c 'id -u; /bin/echo seen; exit 7'"))
    assert.are.equal("65534\nseen\n", result.out, result.err)
    assert.are.equal(7, result.code)
    support.await(events)
    local echo = support.filter(support.json_lines(events), function(event)
      return event.process and event.process.argv and event.process.argv[2] == "seen"
    end)
    assert.is_truthy(#echo > 0, "no event of echo")
  end)

  it("does so from a volume that is mounted read-only", function()
    local result = run(("unshare -m --propagation unchanged sh -c 'mount --bind %s %s && mount -o remount,bind,ro %s && exec %s'")
      :format(tree, tree, tree, ("%s/bin/entrypoint --state_dir=%s -- sh -c \"exit 5\""):format(tree, support.new_path())))
    if result.err:find "^unshare" or result.err:find "^mount" then
      pending "no mount namespaces here"
      return
    end
    assert.are.equal(5, result.code, result.err)
  end)

  it("starts by entrypoint.sh, with the sensor", function()
    local state = support.new_path()
    local result = run(("%s/bin/entrypoint.sh --state_dir=%s -- sh -c 'grep TracerPid /proc/$$/status; exit 3'")
      :format(tree, state))
    assert.are.equal(3, result.code, result.err)
    assert.is_nil(result.err:find("cannot run here", 1, true))
    local tracer = result.out:match "TracerPid:%s+(%d+)"
    assert.is_truthy(tracer and tracer ~= "0", result.out .. result.err)
  end)

  it("starts the application by entrypoint.sh where the sensor cannot run, and says so in one line", function()
    local broken = support.new_path()
    support.run(("mkdir %s && cp %s/bin/entrypoint.sh %s"):format(broken, tree, broken))
    for _, damage in ipairs { "true", "echo garbage >moonwatch; chmod 755 moonwatch", "chmod 644 moonwatch",
      "printf '#!/nonexistent' >moonwatch; chmod 755 moonwatch", "rm moonwatch; mkdir moonwatch" } do
      assert.are.equal(0, support.run(("cd %s && %s"):format(broken, damage)).code)
      for _, words in ipairs { "-- sh", "--state_dir=/x -- sh", "sh", "--no-such-flag sh" } do
        local result = run(("%s/entrypoint.sh %s -c 'echo \"$1\"; exit 9' -- 'a  b'"):format(broken, words))
        assert.are.equal("a  b\n", result.out, damage .. result.err)
        assert.are.equal(9, result.code)
        assert.is_truthy(result.err:find("^moonwatch: .*cannot run here; the application starts without the sensor\n$"),
          result.err)
      end
    end
    local result = run(broken .. "/entrypoint.sh --")
    assert.are.equal(2, result.code)
  end)
end)
