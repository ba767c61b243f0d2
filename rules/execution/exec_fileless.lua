local match = require "moonwatch.match"

--- That of memfd_exec and exec_dev_shm, which say more.
local function is_told_elsewhere(process)
  return process.memfd or match.inside(process.exe, "/dev/shm") or match.inside(process.exe, "/run/shm")
end

return {
  id = "exec_fileless",
  summary = "Program or script run from a file without a name",
  why = "What is unlinked before it runs, or handed over as a descriptor, leaves nothing to find or scan.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1070.004", "T1620" },
  message = "{process.parent.name} ran {process.exe} as {process.user}, whose program has no name: {process.cmdline}",
  false_positives = { "Programs that start themselves again after an update has replaced their file" },
  where = { is = "fileless", unless = "late" },
  match = function(event)
    return not is_told_elsewhere(event.process)
  end,
  examples = {
    { expect = true, event = { process = { name = "x", exe = "/tmp/x (deleted)", deleted = true, fileless = true } } },
    { note = "a script in memory", expect = true, event = { process = { name = "3", exe = "/usr/bin/bash",
      script = "/dev/fd/3", fileless = true, argv = { "/bin/bash", "/dev/fd/3" } } } },
    { expect = false, event = { process = { name = "x", exe = "/memfd:x (deleted)", memfd = true, deleted = true,
      fileless = true } } },
    { expect = false, event = { process = { name = "x", exe = "/dev/shm/x", fileless = true } } },
    { note = "replaced while it ran", expect = false, event = { process = { name = "x", exe = "/usr/bin/x (deleted)",
      deleted = true, fileless = true, observed_late = true } } },
    { expect = false, event = { process = { name = "x", exe = "/tmp/x" } } },
  },
}
