local exceptions = require "moonwatch.exceptions"

return {
  id = "setuid_file",
  summary = "File given the setuid or setgid bit",
  why = "A setuid program is a way back to root that outlives the hole.",
  on = { "file.attributes", "file.create" },
  severity = "medium",
  attack = { "T1548.001" },
  message = "{process.name} made {file.path} run with the rights of its owner",
  where = { is = "setuid", fields = { ["file.directory"] = false } },
  match = function(event)
    return event.call == nil or event.call.error == nil
  end,
  exceptions = {
    { reason = "setuid_bit tells of it, and the group's bit is for folders", names = "chmod" },
    exceptions.startup,
    exceptions.package_managers,
  },
  false_positives = { "Installers run by hand" },
  references = { "https://attack.mitre.org/techniques/T1548/001/" },
  examples = {
    { expect = true, event = { kind = "file.attributes", process = { name = "python3" }, file = { path = "/tmp/sh",
      mode = 0x9ed }, call = { name = "fchmodat" } } },
    { expect = true, event = { kind = "file.attributes", process = { name = "x" }, file = { path = "/usr/bin/x", mode = 0x9ed } } },
    { expect = false, event = { kind = "file.attributes", process = { name = "chmod" }, file = { path = "/tmp/sh", mode = 0x9ed } } },
    { expect = false, event = { kind = "file.attributes", process = { name = "x" }, file = { path = "/tmp/sh", mode = 0x1ed } } },
    { note = "gone before it was looked at", expect = false, event = { kind = "file.attributes", process = { name = "x" },
      file = { path = "/tmp/sh" } } },
    { expect = false, event = { kind = "file.create", process = { name = "x" }, file = { path = "/tmp/d", mode = 0x5ed,
      directory = true } } },
    { expect = false, event = { kind = "file.attributes", process = { name = "x" }, file = { path = "/tmp/sh", mode = 0x9ed },
      call = { name = "chmod", error = "EPERM" } } },
  },
}
