local lists = require "moonwatch.lists"

local fetchers = lists.set { "curl", "wget", "nc", "ncat", "netcat", "socat", "ftp", "tftp", "scp", "sftp", "rsync", "aws" }

return {
  id = "download_and_run",
  summary = "File downloaded, then run",
  why = "What a tool has just fetched from the network and is run at once came with nobody's image.",
  severity = "high",
  attack = { "T1105", "T1204.002" },
  message = "{process.parent.name} ran {process.exe}, which had just been downloaded: {process.cmdline}",
  sequence = {
    within_s = 120,
    { on = { "file.create", "file.modify" }, where = { names = fetchers }, by = { "file.path" } },
    { on = { "process.exec" }, where = { is = "dropped" }, by = { "process.exe" } },
  },
  false_positives = { "Programs that update themselves by curl" },
  references = { "https://attack.mitre.org/techniques/T1105/" },
  examples = {
    { expect = true, before = { { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/x" } } },
      event = { kind = "process.exec", process = { name = "x", exe = "/tmp/x", dropped = true } } },
    { expect = false, before = { { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/y" } } },
      event = { kind = "process.exec", process = { name = "x", exe = "/tmp/x", dropped = true } } },
    { expect = false, before = { { kind = "file.create", process = { name = "tar" }, file = { path = "/tmp/x" } } },
      event = { kind = "process.exec", process = { name = "x", exe = "/tmp/x", dropped = true } } },
  },
}
