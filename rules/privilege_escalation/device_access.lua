local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local disk = match.regex [[^/dev/(sd|vd|xvd|hd)[a-z]+[0-9]*$|^/dev/(nvme[0-9]|dm-[0-9]|mmcblk)]]

return {
  id = "device_access",
  summary = "Disk, memory or kernel of the machine opened",
  why = "Devices are the machine itself; a container that opens one reads or changes what is outside.",
  on = { "file.open" },
  severity = "high",
  attack = { "T1611" },
  message = "{process.name} opened {file.path}: {process.cmdline}",
  where = { paths = { "/dev/sd*", "/dev/vd*", "/dev/xvd*", "/dev/hd*", "/dev/nvme*", "/dev/dm-*", "/dev/mmcblk*", "/dev/mem",
    "/dev/kmem", "/dev/port", "/proc/kcore", "/proc/sysrq-trigger", "/proc/kallsyms" } },
  match = function(event)
    local path = event.file.path
    if match.starts(path, "/dev/") then
      return disk(path) or path == "/dev/mem" or path == "/dev/kmem" or path == "/dev/port"
    end
    return path ~= "/proc/kallsyms" or match.ancestor(event.process, lists.shells, 1) ~= nil
  end,
  throttle = { by = { "process", "file.path" }, period_s = 60 },
  false_positives = { "Profilers that read /proc/kallsyms" },
  references = { "https://attack.mitre.org/techniques/T1611/" },
  examples = {
    { expect = true, event = { process = { name = "dd" }, file = { path = "/dev/nvme0n1" } } },
    { expect = true, event = { process = { name = "x" }, file = { path = "/proc/sysrq-trigger", write = true } } },
    { expect = true, event = { process = { name = "debugfs" }, file = { path = "/dev/sda1" } } },
    { expect = true, event = { process = { name = "cat", parent = { name = "sh" } }, file = { path = "/proc/kallsyms" } } },
    { expect = true, event = { process = { name = "x" }, file = { path = "/dev/mem" } } },
    { expect = true, event = { process = { name = "x" }, file = { path = "/dev/kmem" } } },
    { expect = true, event = { process = { name = "x" }, file = { path = "/dev/port" } } },
    { expect = false, event = { process = { name = "cat" }, file = { path = "/dev/null" } } },
    { expect = false, event = { process = { name = "x" }, file = { path = "/dev/sdk-config" } } },
    { expect = false, event = { process = { name = "perf", parent = { name = "init" } }, file = { path = "/proc/kallsyms" } } },
  },
}
