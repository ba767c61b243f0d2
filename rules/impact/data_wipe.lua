local match = require "moonwatch.match"

local wipers = { shred = true, wipe = true, srm = true }

return {
  id = "data_wipe",
  summary = "Tool that destroys data",
  why = "Wiping tools have no place in a service; the first sign may be the last.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1485" },
  message = "{process.parent.name} ran {process.cmdline} as {process.user}",
  false_positives = { "dd to /dev/null, by scripts that measure" },
  match = function(event)
    local process = event.process
    local name = process.name
    return wipers[name] ~= nil or match.starts(name, "mkfs") or (name == "dd" and match.contains(process.cmdline, " of=/dev/"))
  end,
  examples = {
    { expect = true, event = { process = { name = "shred", argv = { "shred", "/data/x" } } } },
    { expect = true, event = { process = { name = "dd", argv = { "dd", "if=/dev/zero", "of=/dev/sda" } } } },
    { expect = false, event = { process = { name = "dd", argv = { "dd", "if=/dev/zero", "of=/tmp/x" } } } },
    { expect = false, event = { process = { name = "rm" } } },
  },
}
