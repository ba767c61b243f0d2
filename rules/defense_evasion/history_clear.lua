local match = require "moonwatch.match"

local removers = { rm = true, shred = true, truncate = true, ln = true }

return {
  id = "history_clear",
  summary = "Shell history switched off or removed",
  why = "Who removes the history of a shell has something to hide.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1070.003", "T1690" },
  message = "{process.parent.name} removes history: {process.cmdline}",
  where = { cmdline = { "HISTFILE", "HISTSIZE=0", "history -c", "_history", ".histfile" } },
  match = function(event)
    local process = event.process
    if match.contains_any(process.cmdline, { "HISTFILE=/dev/null", "HISTSIZE=0", "unset HISTFILE", "history -c" }) then
      return true
    end
    return removers[process.name] ~= nil and match.contains_any(process.cmdline, { "_history", ".histfile" })
  end,
  examples = {
    { expect = true, event = { process = { name = "bash", argv = { "bash", "-c", "unset HISTFILE; id" } } } },
    { expect = true, event = { process = { name = "rm", argv = { "rm", "/root/.bash_history" } } } },
    { expect = false, event = { process = { name = "cat", argv = { "cat", "/root/.bash_history" } } } },
    { expect = false, event = { process = { name = "rm", argv = { "rm", "/tmp/history" } } } },
  },
}
