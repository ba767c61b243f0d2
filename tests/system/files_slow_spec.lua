-- Where there is hardly any processor: what is done for files must not be what the application, or the last event, waits for.
local support = require "tests.system.support"
local files = require "tests.system.files"

local PERCENT = 5

--- Processes that hold tens of thousands of descriptors: to be gone through to see how many inotify watches they use.
local HOLDERS = [[
import os, resource, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
each = min(hard - 20, 20000)
for number in range(min(40, 60000 // each)):
    if os.fork() == 0:
        null = os.open("/dev/null", os.O_RDONLY)
        for i in range(each):
            os.dup(null)
        open(sys.argv[1] + "." + str(number), "w").close()
        time.sleep(120)
        os._exit(0)
open(sys.argv[1], "w").write(str(min(40, 60000 // each)))
]]

--- A cgroup that may use so much of one processor; nil and why where none can be made.
local function make_cgroup()
  local made = support.run(([[
p=$$
if grep -qs cpu /sys/fs/cgroup/cgroup.controllers; then
  echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
  g=/sys/fs/cgroup/moonwatch-test-$p
  mkdir $g && echo "%d 100000" >$g/cpu.max && echo $g
else
  g=/sys/fs/cgroup/cpu/moonwatch-test-$p
  mkdir $g && echo 100000 >$g/cpu.cfs_period_us && echo %d >$g/cpu.cfs_quota_us && echo $g
fi]]):format(PERCENT * 1000, PERCENT * 1000))
  local path = made.out:match "%S+"
  if not path or made.code ~= 0 then
    return nil, "no cgroup with a share of the processor can be made: " .. made.err
  end
  return path
end

describe("files on a slow machine", function()
  local cgroup, why = make_cgroup()

  teardown(function()
    if cgroup then
      files.until_true("the cgroup is empty", function()
        return support.run("rmdir " .. cgroup).code == 0
      end)
    end
  end)

  --- What was told when the application had ended, with a share of the processor.
  local function run(flags)
    local events = support.new_path()
    local command = "sh -c 'echo 0 >%s/cgroup.procs; exec \"$@\"' sh %s run --state_dir=%s "
      .. "--outputs=events/json:file=%s,alerts/json:file=%s %s -- sleep 1"
    local result = support.run(command:format(cgroup, support.moonwatch, support.new_path(), events,
      support.new_path(), flags))
    -- At once: all must be there.
    local list = io.open(events) and support.json_lines(events) or {}
    return result, support.of_kind(list, "process.exit"), list
  end

  it("do not keep the sensor from its start and the last event", function()
    if not cgroup then
      return pending(why)
    end
    local script, ready = support.new_path(), support.new_path()
    support.write(script, HOLDERS)
    assert(os.execute(("python3 %s %s"):format(script, ready)))
    local count = tonumber(support.read(ready))
    for i = 0, count - 1 do
      support.await(ready .. "." .. i)
    end
    local dir = support.new_path()
    assert(os.execute(("mkdir %s; cd %s; seq 3000 | xargs touch"):format(dir, dir)))
    local profile = support.new_path()
    support.write(profile, ([[return { extends = "default",
      flags = { allow_inotify_file_events = true, file_baseline = true, file_baseline_hashes = true },
      file_paths = { w = { "%s/%%%%" } } }]]):format(dir))
    -- Where others want the processors, too, a round or two may come too late; without what is tested here, all do.
    local is_told
    for _ = 1, 6 do
      local result, exits = run("--attach_timeout_ms=3000 --profile=" .. profile)
      assert.are.equal(0, result.code)
      is_told = #support.filter(exits, function(event)
        return event.process.exe and event.process.exe:find "sleep$"
      end) == 1
      if is_told then
        break
      end
    end
    assert.is_true(is_told, "the end was never told in time")
  end)
end)
