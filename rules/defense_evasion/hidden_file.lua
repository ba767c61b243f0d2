local exceptions = require "moonwatch.exceptions"

return {
  id = "hidden_file",
  summary = "Hidden file made in a folder for temporary or system files",
  why = "Names that begin with a dot are not shown; in these folders hardly anything needs one.",
  on = { "file.create" },
  severity = "info",
  attack = { "T1564.001" },
  message = "{process.name} made {file.path}: {process.cmdline}",
  where = { paths = { "/tmp/.*", "/var/tmp/.*", "/dev/.*", "/dev/shm/.*", "/usr/.*", "/usr/bin/.*", "/usr/lib/.*" } },
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
    { reason = "what desktops, locks and languages leave", paths = { "/tmp/.X*", "/tmp/.ICE-unix*", "/tmp/.font-unix*",
      "/tmp/.dotnet*", "/tmp/.java_pid*", "/tmp/.org.*", "/tmp/.com.*", "/tmp/.ZendSem.*" } },
  },
  throttle = { by = { "process.exe" }, period_s = 3600 },
  references = { "https://attack.mitre.org/techniques/T1564/001/" },
  examples = {
    { expect = true, event = { file = { path = "/tmp/.x" } } },
    { expect = true, event = { file = { path = "/usr/bin/.ls" } } },
    { expect = false, event = { file = { path = "/tmp/.X0-lock" } } },
    { expect = false, event = { file = { path = "/home/a/.cache" } } },
    { expect = false, event = { phase = "startup", file = { path = "/tmp/.x" } } },
  },
}
