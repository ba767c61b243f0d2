local exceptions = require "moonwatch.exceptions"

return {
  id = "account_file",
  summary = "Files of users and passwords changed",
  why = "A line more in these files is a user more; one with number 0 is root by another name.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "medium",
  attack = { "T1136.001", "T1098" },
  message = "{file.path} was written by {process.cmdline}",
  where = { paths = { "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow" }, is = "written" },
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
    { reason = "account_change tells of the tool", names = { "useradd", "adduser", "usermod", "passwd", "chpasswd", "groupadd",
      "addgroup", "userdel", "groupdel", "vipw", "groupmod" } },
  },
  false_positives = { "Start scripts that add the user that the platform chose, later than usual" },
  references = { "https://attack.mitre.org/techniques/T1136/001/", "https://attack.mitre.org/techniques/T1098/" },
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/etc/passwd", closed = true, found_by = "inotify" } } },
    { expect = true, event = { kind = "file.rename", file = { path = "/etc/shadow", old_path = "/etc/shadow+" } } },
    { expect = false, event = { process = { name = "useradd" }, kind = "file.modify", file = { path = "/etc/passwd",
      closed = true, found_by = "inotify" } } },
    { expect = false, event = { phase = "startup", kind = "file.modify", file = { path = "/etc/passwd", closed = true,
      found_by = "inotify" } } },
    { expect = false, event = { process = { name = "dpkg", lineage = { package_manager = true } }, kind = "file.modify",
      file = { path = "/etc/passwd", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/etc/passwd-", closed = true, found_by = "inotify" } } },
  },
}
