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
    if match.starts(name, "kworker/") or name == "kthreadd" then
      return process.exe ~= nil
    end
    return match.starts(process.cmdline, "[") and match.ends(process.argv[1], "]")
      and name ~= "[" and process.exe ~= nil
  end,
  examples = {
    { expect = true, event = { process = { name = "x", exe = "/tmp/x", argv = { "[kworker/0:1]" } } } },
    { expect = true, event = { process = { name = "kthreadd", exe = "/tmp/kthreadd" } } },
    { expect = false, event = { process = { name = "[", exe = "/usr/bin/[", argv = { "[", "a", "]" } } } },
    { expect = false, event = { process = { name = "kworker/0:1" } } },
  },
}
