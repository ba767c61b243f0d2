local match = require "moonwatch.match"

return {
  id = "exec_tmp_hidden",
  summary = "Hidden program run from a folder for temporary files",
  why = "Programs are dropped where everybody may write, under names that a listing does not show.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1564.001", "T1036.005" },
  message = "{process.parent.name} ran the hidden program {process.exe} as {process.user}",
  false_positives = { "AppImages, which mount themselves at /tmp/.mount_NAME" },
  where = { exes = { "/tmp/", "/var/tmp/" } },
  match = function(event)
    return match.contains(event.process.exe, "/.")
  end,
  examples = {
    { expect = true, event = { process = { name = ".x", exe = "/tmp/.x" } } },
    { expect = true, event = { process = { name = "x", exe = "/var/tmp/.../x" } } },
    { expect = false, event = { process = { name = "x", exe = "/tmp/x" } } },
    { expect = false, event = { process = { name = "node", exe = "/root/.nvm/bin/node" } } },
  },
}
