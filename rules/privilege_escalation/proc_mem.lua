local match = require "moonwatch.match"

--- Of "/proc/12/mem", 12.
local function pid_of(path)
  return tonumber(path:sub(7, -5))
end

return {
  id = "proc_mem",
  summary = "Memory of another process opened",
  why = "Through it secrets are read and code is written, without tracing.",
  on = { "file.open", "process.exec" },
  severity = "high",
  attack = { "T1055.009", "T1003.007" },
  message = "{process.cmdline} opened {file.path}",
  references = { "https://attack.mitre.org/techniques/T1055/009/", "https://attack.mitre.org/techniques/T1003/007/" },
  false_positives = { "Debuggers and profilers" },
  where = {
    { paths = "/proc/*/mem" },
    { names = { "dd", "cat", "cp", "xxd", "hexdump", "strings", "grep" }, cmdline = "/mem" },
  },
  match = function(event)
    local process = event.process
    if event.kind == "process.exec" then
      return match.contains(process.cmdline, "/proc/") and match.glob(process.cmdline, "*/proc/*/mem*")
        and not match.contains_any(process.cmdline, { "/proc/self/mem", "/memory", "/meminfo" })
    end
    local pid = pid_of(event.file.path)
    return process ~= nil and pid ~= nil and pid ~= process.pid
  end,
  exceptions = { { reason = "moonwatch itself", programs = "moonwatch" } },
  throttle = { by = { "process" }, period_s = 60 },
  examples = {
    { expect = true, event = { kind = "file.open", file = { path = "/proc/12/mem", write = true }, process = { pid = 40, name = "x" } } },
    { expect = true, event = { kind = "process.exec", process = { name = "dd", argv = { "dd", "if=/proc/12/mem", "of=/tmp/x" } } } },
    { expect = false, event = { kind = "file.open", file = { path = "/proc/40/mem" }, process = { pid = 40, name = "x" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/proc/12/mem" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "cat", argv = { "cat", "/proc/self/mem" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "cat", argv = { "cat", "/sys/fs/cgroup/memory.max" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "cat", argv = { "cat", "/tmp/mem" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "cat", argv = { "cat", "/proc/memory" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "grep", argv = { "grep", "x", "/mem", "/proc/cpuinfo" } } } },
    { expect = false, event = { kind = "file.open", file = { path = "/proc/self/mem" }, process = { pid = 40, name = "x" } } },
  },
}
