return {
  id = "self_delete",
  summary = "Program that removes its own file",
  why = "A program without a file cannot be found, hashed or sent in; installers and malware do it.",
  on = { "file.delete" },
  severity = "high",
  attack = { "T1070.004" },
  message = "{process.name} removed its own program {file.path}: {process.cmdline}",
  where = { is = "dropped" },
  match = function(event)
    local process = event.process
    return process.exe ~= nil and event.file.path == process.exe
  end,
  false_positives = { "Self-extracting installers" },
  references = { "https://attack.mitre.org/techniques/T1070/004/" },
  examples = {
    { expect = true, event = { process = { name = "x", exe = "/tmp/x", dropped = true }, file = { path = "/tmp/x" } } },
    { expect = false, event = { process = { name = "x", exe = "/tmp/x", dropped = true }, file = { path = "/tmp/y" } } },
    { expect = false, event = { process = { name = "x", dropped = true }, file = { path = "/tmp/x" } } },
    { expect = false, event = { process = { name = "rm", exe = "/usr/bin/rm" }, file = { path = "/usr/bin/rm" } } },
  },
}
