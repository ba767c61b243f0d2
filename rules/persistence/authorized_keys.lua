local match = require "moonwatch.match"

return {
  id = "authorized_keys",
  summary = "Key added for logging in by ssh",
  why = "Nobody logs in to a container by ssh; whoever adds a key wants to come back.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "high",
  attack = { "T1098.004" },
  message = "{file.path} was written by {process.cmdline}",
  false_positives = { "Start scripts of containers that are made to be logged in to" },
  where = { paths = { "*/.ssh/authorized_keys", "*/.ssh/authorized_keys2" }, is = "written" },
  match = function(event)
    local file = event.file
    if not file then
      return false
    end
    return (match.ends(file.path, "/.ssh/authorized_keys") or match.ends(file.path, "/.ssh/authorized_keys2"))
      and match.written(event)
  end,
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/root/.ssh/authorized_keys", closed = true,
      found_by = "inotify" } } },
    { expect = true, event = { kind = "file.create", file = { path = "/home/a/.ssh/authorized_keys", size = 400,
      found_by = "scan" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/root/.ssh/known_hosts", closed = true } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/root/.ssh/authorized_keys",
      found_by = "inotify" } } },
  },
}
