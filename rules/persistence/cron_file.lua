local match = require "moonwatch.match"

local folders = { "/etc/cron.d/", "/etc/cron.hourly/", "/etc/cron.daily/", "/etc/cron.weekly/", "/etc/cron.monthly/",
  "/etc/crontabs/", "/etc/periodic/", "/var/spool/cron/" }

return {
  id = "cron_file",
  summary = "Job made that runs by the clock",
  why = "A container's jobs come with its image; one made later starts again what was ended.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "medium",
  attack = { "T1053.003" },
  message = "{file.path} was written by {process.cmdline}",
  false_positives = { "Start scripts that make their jobs from the environment", "Packages installed at the start" },
  where = { paths = { folders, "/etc/crontab" }, is = "written" },
  match = function(event)
    return not match.starts(match.base(event.file.path), ".")
  end,
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/etc/cron.d/x", closed = true,
      found_by = "inotify" } } },
    { expect = true, event = { kind = "file.rename", file = { path = "/var/spool/cron/crontabs/root",
      old_path = "/var/spool/cron/crontabs/tmp.1" } } },
    { expect = true, event = { kind = "file.create", file = { path = "/etc/crontab", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/cron.d/.placeholder", size = 9,
      found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/etc/cron.deny", closed = true } } },
  },
}
