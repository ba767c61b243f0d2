local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local function is_in_memory(path)
  return match.inside(path, "/dev/shm") or match.inside(path, "/run/shm")
end

return {
  id = "exec_dev_shm",
  summary = "Program or script run from shared memory",
  why = "No package puts programs into /dev/shm; it is writable, and leaves nothing on disk.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1059.004", "T1620" },
  message = "{process.parent.name} ran {process.exe} as {process.user}: {process.cmdline}",
  where = {
    { exes = { "/dev/shm/", "/run/shm/" } },
    { names = { lists.shells, lists.interpreters }, cmdline = { "/dev/shm/", "/run/shm/" } },
  },
  match = function(event)
    local process = event.process
    return is_in_memory(process.exe) or is_in_memory(match.first_argument(process))
  end,
  examples = {
    { expect = true, event = { process = { name = "x", exe = "/dev/shm/x" } } },
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-e", "/dev/shm/x" } } } },
    { expect = false, event = { process = { name = "x", exe = "/dev/shmem/x" } } },
    { expect = false, event = { process = { name = "cat", exe = "/usr/bin/cat", argv = { "cat", "/dev/shm/x" } } } },
    { expect = true, event = { process = { name = "x", exe = "/run/shm/x" } } },
    { expect = false, event = { process = { name = "sh", exe = "/bin/sh", argv = { "sh", "x.sh", "/dev/shm/x" } } } },
  },
}
