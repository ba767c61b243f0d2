local match = require "moonwatch.match"

local doubled = match.regex [[\.(pdf|docx?|xlsx?|jpe?g|png|txt|log|zip)\.(sh|py|pl|elf|bin|run|so|php)$]]

return {
  id = "odd_name",
  summary = "Program with a name made to mislead",
  why = "A blank at the end, two extensions, or a name of three dots is meant to be overlooked.",
  on = { "process.exec" },
  severity = "low",
  attack = { "T1036.006", "T1036.007" },
  message = "{process.parent.name} started {process.exe}, whose name misleads: {process.cmdline}",
  where = { exes = { "* ", "*/.../*", "*/.. /*", "*/...", "*.sh", "*.py", "*.pl", "*.elf", "*.bin", "*.run", "*.so", "*.php" } },
  match = function(event)
    local process = event.process
    local exe = process.exe
    local name = match.base(exe)
    return match.ends(name, " ") or match.contains(exe, "/.../") or match.contains(exe, "/.. /") or name == "..." or doubled(name)
      or process.script ~= nil and doubled(match.base(process.script))
  end,
  references = { "https://attack.mitre.org/techniques/T1036/006/", "https://attack.mitre.org/techniques/T1036/007/" },
  examples = {
    { expect = true, event = { process = { name = "ls ", exe = "/tmp/ls " } } },
    { expect = true, event = { process = { name = "x", exe = "/tmp/.../x" } } },
    { expect = true, event = { process = { name = "x", exe = "/bin/sh", script = "/tmp/letter.doc.sh" } } },
    { expect = false, event = { process = { name = "x", exe = "/bin/sh", script = "/tmp/letter.sh" } } },
    { expect = true, event = { process = { name = "x", exe = "/tmp/report.pdf.sh" } } },
    { expect = true, event = { process = { name = "x", exe = "/tmp/.. /x" } } },
    { expect = false, event = { process = { name = "run.sh", exe = "/opt/app/run.sh" } } },
    { expect = true, event = { process = { name = "...", exe = "/tmp/..." } } },
    { expect = true, event = { process = { name = "...", exe = "/tmp/..." } } },
    { expect = false, event = { process = { name = "ls", exe = "/bin/ls" } } },
    { expect = false, event = { process = { name = "x" } } },
  },
}
