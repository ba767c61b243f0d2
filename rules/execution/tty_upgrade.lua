local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

return {
  id = "tty_upgrade",
  summary = "Terminal made for a shell that has none",
  why = "A shell that came through a hole has no terminal; these are the usual ways to give it one.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1059.004" },
  message = "{process.parent.name} made itself a terminal: {process.cmdline}",
  false_positives = { "Tests and tools that drive programs by script or expect" },
  where = {
    { names = lists.interpreters, cmdline = "pty.spawn" },
    { names = "script", cmdline = "/dev/null" },
    { names = "stty", arguments = "raw" },
  },
  match = function(event)
    local process = event.process
    if process.name == "script" then
      return match.glob(process.cmdline, "script *-*c* /dev/null*")
        or match.glob(process.cmdline, "script */dev/null *-*c*")
    end
    return process.name ~= "stty" or match.has_arg(process, "-echo")
  end,
  examples = {
    { expect = true, event = { process =
      { name = "python3", argv = { "python3", "-c", "import pty; pty.spawn('/bin/bash')" } } } },
    { expect = true, event = { process =
      { name = "script", argv = { "script", "-qc", "/bin/bash", "/dev/null" } } } },
    { expect = true, event = { process = { name = "stty", argv = { "stty", "raw", "-echo" } } } },
    { expect = false, event = { process = { name = "script", argv = { "script", "session.log" } } } },
    { expect = false, event = { process = { name = "python3", argv = { "python3", "pty.py" } } } },
    { expect = false, event = { process = { name = "stty", argv = { "stty", "size" } } } },
    { expect = true, event = { process = { name = "script", argv = { "script", "/dev/null", "-c", "bash" } } } },
    { expect = false, event = { process = { name = "script", argv = { "script", "/dev/null" } } } },
    { expect = false, event = { process = { name = "stty", argv = { "stty", "raw" } } } },
  },
}
