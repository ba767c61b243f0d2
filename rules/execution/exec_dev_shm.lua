local match = require "moonwatch.match"

return {
  id = "exec_dev_shm",
  summary = "Program run from shared memory",
  why = "No package puts programs into /dev/shm; it is writable, and leaves nothing on disk.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1059.004", "T1620" },
  message = "{process.exe} was run by {process.parent.name} as {process.user}",
  match = function(event)
    local process = event.process
    return match.inside(process.exe, "/dev/shm") or match.inside(process.exe, "/run/shm")
  end,
  examples = {
    { expect = true, event = { process = { name = "x", exe = "/dev/shm/x" } } },
    { expect = false, event = { process = { name = "x", exe = "/dev/shmem/x" } } },
    { expect = false, event = { process = { name = "cat", exe = "/usr/bin/cat", argv = { "cat", "/dev/shm/x" } } } },
  },
}
