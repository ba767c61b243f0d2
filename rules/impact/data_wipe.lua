local match = require "moonwatch.match"

local wipers = { shred = true, wipe = true, srm = true }
local harmless = { " of=/dev/null", " of=/dev/stdout", " of=/dev/fd/", " of=/dev/shm/" }

return {
  id = "data_wipe",
  summary = "Tool that destroys data",
  why = "Wiping tools have no place in a service; the first sign may be the last.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1485" },
  message = "{process.parent.name} ran {process.cmdline} as {process.user}",
  false_positives = { "Start scripts that make a file system on a new volume" },
  where = {
    { names = wipers },
    { names = "mkfs*" },
    { names = "dd", cmdline = " of=/dev/" },
  },
  match = function(event)
    return not match.contains_any(event.process.cmdline, harmless)
  end,
  examples = {
    { expect = true, event = { process = { name = "shred", argv = { "shred", "/data/x" } } } },
    { expect = true, event = { process = { name = "dd", argv = { "dd", "if=/dev/zero", "of=/dev/sda" } } } },
    { expect = false, event = { process = { name = "dd", argv = { "dd", "if=/dev/zero", "of=/tmp/x" } } } },
    { expect = false, event = { process = { name = "dd", argv = { "dd", "if=x", "of=/dev/null" } } } },
    { expect = false, event = { process = { name = "rm" } } },
    { expect = true, event = { process = { name = "mkfs.ext4", argv = { "mkfs.ext4", "/dev/sdb" } } } },
  },
}
