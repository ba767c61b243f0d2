local match = require "moonwatch.match"

local readers = { cat = true, grep = true, strings = true, tr = true, xargs = true, sed = true, awk = true, head = true, more = true,
  less = true, dd = true, cp = true, base64 = true }

--- Of "/proc/12/environ", 12.
local function pid_of(path)
  return tonumber(path:sub(7, -9))
end

return {
  id = "read_environ",
  summary = "Environment of another process read",
  why = "Environments hold passwords and tokens; who reads another's is after those.",
  on = { "file.open", "process.exec" },
  severity = "medium",
  attack = { "T1552.007" },
  message = "{process.cmdline} reads an environment",
  where = {
    { paths = "/proc/*/environ" },
    { names = readers, cmdline = "/environ" },
  },
  match = function(event)
    local process, file = event.process, event.file
    if event.kind == "process.exec" then
      return match.contains(process.cmdline, "/proc/") and not match.contains(process.cmdline, "/proc/self/environ")
    end
    local pid = pid_of(file.path)
    return process ~= nil and pid ~= nil and pid ~= process.pid
  end,
  exceptions = { { reason = "lists of processes",
    programs = { "ps", "top", "htop", "pgrep", "pkill", "pidof", "systemd*", "moonwatch*" } } },
  throttle = { by = { "process.parent" }, period_s = 60 },
  examples = {
    { expect = true, event = { kind = "file.open", file = { path = "/proc/1/environ" }, process = { pid = 40, name = "python3" } } },
    { expect = true, event = { kind = "process.exec", process = { name = "cat", argv = { "cat", "/proc/1/environ" } } } },
    { expect = false, event = { kind = "file.open", file = { path = "/proc/40/environ" }, process = { pid = 40, name = "java" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/proc/1/environ" },
      process = { pid = 40, name = "ps", exe = "/usr/bin/ps" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "cat", argv = { "cat", "/proc/self/environ" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "cat", argv = { "cat", "/etc/environment" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "cat", argv = { "cat", "/srv/environ" } } } },
    { expect = false, event = { kind = "file.open", file = { path = "/proc/1/environ" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/proc/self/environ" }, process = { pid = 40, name = "x" } } },
  },
}
