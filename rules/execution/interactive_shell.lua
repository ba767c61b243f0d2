local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- Without a script or a command to run: options only, and none of them -c.
local function waits_for_commands(process)
  if match.has_arg(process, "-i") then
    return true
  end
  for i, argument in ipairs(process.argv or {}) do
    local is_option = match.starts(argument, "-")
    local is_long = match.starts(argument, "--")
    if i > 1 and (not is_option or (not is_long and match.contains(argument, "c"))) then
      return false
    end
  end
  return true
end

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
  where = { names = lists.shells, is = "tty" },
  match = function(event)
    return event.process.parent ~= nil and waits_for_commands(event.process)
  end,
  examples = {
    { expect = true, event = { process = { name = "bash", tty = "pts/0", parent = { name = "script" } } } },
    { expect = true, event = { process =
      { name = "bash", tty = "pts/0", argv = { "-bash", "-l" }, parent = { name = "su" } } } },
    { expect = false, event = { process = { name = "bash", parent = { name = "script" } } } },
    { expect = false, event = { process = { name = "run.sh", exe = "/usr/bin/dash", tty = "pts/0",
      argv = { "/bin/sh", "./run.sh" }, parent = { name = "make" } } } },
    { expect = false, event = { process = { name = "bash", tty = "pts/0" } } },
    { expect = false, event = { process =
      { name = "sh", tty = "pts/0", argv = { "sh", "-c", "date" }, parent = { name = "make" } } } },
    { expect = true, event = { process = { name = "bash", tty = "pts/0", argv = { "bash", "-i", "x" }, parent = { name = "su" } } } },
    { expect = true, event = { process = { name = "bash", tty = "pts/0", argv = { "bash", "--norc" }, parent = { name = "su" } } } },
  },
}
