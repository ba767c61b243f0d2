local exceptions = require "moonwatch.exceptions"
local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

return {
  id = "exec_dropped",
  summary = "Program or script that is not of the image",
  why = "A container runs what its image brought; what was written after its start came some other way.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1204", "T1105" },
  message = "{process.parent.name} ran, as {process.user}, what was made after the container's start: {process.cmdline} ({process.exe})",
  false_positives = { "Applications that write programs or scripts and run them", "Software installed at run time" },
  where = { is = "dropped", unless = "memfd" }, -- that is no file at all: memfd_exec
  match = function(event)
    return not match.named(event.process.parent, lists.package_managers)
  end,
  exceptions = { exceptions.runc },
  examples = {
    { expect = true, event = { process = { name = "x", exe = "/tmp/x", dropped = true, parent = { name = "java" } } } },
    { expect = true, event = { process = { name = "x.sh", exe = "/usr/bin/bash", script = "/tmp/x.sh", dropped = true,
      argv = { "/bin/bash", "/tmp/x.sh" }, parent = { name = "nginx" } } } },
    { expect = false, event = { process = { name = "3", exe = "/memfd:x (deleted)", memfd = true, dropped = true } } },
    { expect = false, event = { process = { name = "x", exe = "/tmp/x", parent = { name = "java" } } } },
    { expect = false, event = { process = { name = "x.postinst", exe = "/usr/bin/dash", dropped = true,
      parent = { name = "dpkg" } } } },
    { note = "found on its way into the container", expect = false, event = { process = { name = "runc:[2:INIT]", dropped = true,
      exe = "/memfd:runc_cloned:/proc/self/exe (deleted)", observed_late = true } } },
  },
}
