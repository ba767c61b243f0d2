local match = require "moonwatch.match"

--- SIGKILL, SIGSTOP, SIGTERM, SIGINT, SIGSEGV, SIGABRT, SIGQUIT: signal(7)
local deadly = { [9] = true, [19] = true, [15] = true, [2] = true, [11] = true, [6] = true, [3] = true }

return {
  id = "sensor_tamper",
  summary = "Somebody lays hands on moonwatch itself",
  why = "Nobody who works on the application touches the sensor; who wants to be unseen does.",
  on = { "file.create", "file.modify", "file.delete", "file.rename", "file.attributes", "process.kill", "process.ptrace", "process.exec" },
  severity = "critical",
  attack = { "T1685", "T1562.001" },
  message = "{process.cmdline} tampers with moonwatch",
  references = { "https://attack.mitre.org/techniques/T1562/001/" },
  false_positives = { "Images that are changed while they run, to try another version" },
  where = {
    { paths = { "/opt/moonwatch/", "/var/lib/moonwatch/", "/etc/moonwatch/" }, unless = "startup" },
    { fields = { ["call.target.name"] = "moonwatch*" } },
    { names = { "pkill", "killall", "systemctl", "service", "kill" }, cmdline = "moonwatch" },
  },
  match = function(event)
    if event.kind == "process.kill" then
      return deadly[event.call.number] == true
    elseif event.kind == "process.exec" then
      return not match.has_arg(event.process, "status", "-0", "-l")
    end
    return true
  end,
  exceptions = { { reason = "moonwatch at its own work", programs = "moonwatch" } },
  throttle = { by = { "process", "file.path" }, period_s = 60 },
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/opt/moonwatch/bin/moonwatch", found_by = "call" },
      process = { name = "sh" } } },
    { expect = true, event = { kind = "file.delete", file = { path = "/opt/moonwatch/rules/execution/memfd_exec.lua" } } },
    { expect = true, event = { kind = "process.kill", process = { name = "sh" },
      call = { name = "kill", number = 9, target = { name = "moonwatch-sens" } } } },
    { expect = true, event = { kind = "process.ptrace", process = { name = "gdb" },
      call = { name = "ptrace", text = "PTRACE_ATTACH", target = { name = "moonwatch-trace" } } } },
    { expect = true, event = { kind = "process.exec", process = { name = "pkill", argv = { "pkill", "moonwatch" } } } },
    { expect = false, event = { kind = "process.kill", process = { name = "sh" },
      call = { name = "kill", number = 0, target = { name = "moonwatch-sens" } } } },
    { expect = false, event = { kind = "process.kill", process = { name = "sh" },
      call = { name = "kill", number = 9, target = { name = "app" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "service", argv = { "service", "moonwatch", "status" } } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/opt/moon/x", found_by = "call" }, process = { name = "sh" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/var/lib/moonwatch/spool.db", found_by = "call" },
      process = { name = "moonwatch", exe = "/opt/moonwatch/bin/moonwatch" } } },
  },
}
