local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

return {
  id = "interactive_shell",
  summary = "Shell on a terminal",
  why = "Nobody types into a container in production but operators, and intruders who " ..
    "got that far.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1059.004", "T1609" },
  message = "{process.name} on terminal {process.tty} as {process.user}, started by {process.parent.name}",
  false_positives = { "Debugging by an operator: see ecs_exec_session" },
  match = function(event)
    local process = event.process
    return match.named(process, lists.shells) and process.tty ~= nil and process.parent ~= nil
      and not match.has_arg(process, "-c")
  end,
  examples = {
    { expect = true, event = { process = { name = "bash", tty = "pts/0", parent = { name = "script" } } } },
    { expect = false, event = { process = { name = "bash", parent = { name = "script" } } } },
    { expect = false, event = { process = { name = "bash", tty = "pts/0" } } },
    { expect = false, event = { process =
      { name = "sh", tty = "pts/0", argv = { "sh", "-c", "date" }, parent = { name = "make" } } } },
  },
}
