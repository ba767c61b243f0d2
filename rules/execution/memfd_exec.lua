local match = require "moonwatch.match"

return {
  id = "memfd_exec",
  summary = "Program run from memory, without a file",
  why = "A program that never was a file cannot be found or scanned; loaders of malware " ..
    "work this way.",
  on = { "process.exec" },
  severity = "critical",
  attack = { "T1620" },
  message = "{process.parent.name} ran a program from memory: {process.exe} ({process.cmdline})",
  false_positives = { "Container runtimes that clone themselves" },
  where = { exes = "/memfd:*" },
  match = function(event)
    return not match.starts(event.process.exe, "/memfd:runc_cloned")
  end,
  examples = {
    { expect = true, event = { process = { name = "3", exe = "/memfd:payload (deleted)" } } },
    { expect = false, event = { process = { name = "runc", exe = "/memfd:runc_cloned:/proc/self/exe (deleted)" } } },
    { expect = false, event = { process = { name = "x", exe = "/usr/bin/memfd:x" } } },
  },
}
