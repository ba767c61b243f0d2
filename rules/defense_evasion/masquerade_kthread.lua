local match = require "moonwatch.match"

return {
  id = "masquerade_kthread",
  summary = "Program that looks like a kernel thread",
  why = "Names in brackets stand for kernel threads in ps; a program with a file that " ..
    "bears one hides.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1036.004" },
  message = "{process.exe} calls itself {process.cmdline}",
  where = { { names = { "kthreadd" } }, { names = "kworker/*" }, { cmdline = "[" } },
  match = function(event)
    local process = event.process
    local name = process.name
    if process.exe == nil or name == "[" then
      return false
    end
    return match.starts(name, "kworker/") or name == "kthreadd"
      or (match.starts(process.cmdline, "[") and match.ends(process.argv[1], "]"))
  end,
  examples = {
    { expect = true, event = { process = { name = "x", exe = "/tmp/x", argv = { "[kworker/0:1]" } } } },
    { expect = true, event = { process = { name = "kthreadd", exe = "/tmp/kthreadd" } } },
    { expect = false, event = { process = { name = "[", exe = "/usr/bin/[", argv = { "[", "a", "]" } } } },
    { expect = false, event = { process = { name = "kworker/0:1" } } },
    { expect = true, event = { process = { name = "kworker/0:1", exe = "/tmp/x" } } },
    { expect = false, event = { process = { name = "test", exe = "/bin/x", argv = { "test", "[x]" } } } },
    { expect = false, event = { process = { name = "x", exe = "/bin/x", argv = { "[x", "y]" } } } },
  },
}
