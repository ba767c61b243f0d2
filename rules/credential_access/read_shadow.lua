local exceptions = require "moonwatch.exceptions"
local match = require "moonwatch.match"

local checkers = { "login", "su", "sudo", "sshd", "passwd", "chpasswd", "chage", "newusers", "useradd", "usermod", "userdel",
  "groupadd", "groupmod", "adduser", "vipw", "pwck", "grpck", "unix_chkpwd", "cron", "crond", "systemd*", "nscd", "getty",
  "shadowconfig", "moonwatch*" }

return {
  id = "read_shadow",
  summary = "File of passwords or of rights read",
  why = "Nothing in a service reads the hashes of passwords; who does wants to guess them, or to see who may what.",
  on = { "file.open" },
  severity = "medium",
  attack = { "T1003.008" },
  message = "{process.cmdline} opened {file.path}",
  where = { paths = { "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d/" },
    unless = { "write", "startup" } },
  match = function(event)
    return event.process ~= nil and not match.ends(event.file.path, "/README")
  end,
  exceptions = {
    exceptions.package_managers,
    { reason = "programs that check passwords and rights", names = checkers },
  },
  throttle = { by = { "process", "file.path" }, period_s = 60 },
  examples = {
    { expect = true, event = { file = { path = "/etc/shadow" }, process = { name = "cat", argv = { "cat", "/etc/shadow" } } } },
    { expect = true, event = { file = { path = "/etc/sudoers.d/app" }, process = { name = "python3" } } },
    { expect = false, event = { file = { path = "/etc/shadow" }, process = { name = "sshd" } } },
    { expect = false, event = { file = { path = "/etc/passwd" }, process = { name = "cat" } } },
    { expect = false, event = { file = { path = "/etc/shadow", write = true }, process = { name = "vi" } } },
    { note = "nobody knows who", expect = false, event = { file = { path = "/etc/shadow" } } },
    { expect = false, event = { file = { path = "/etc/sudoers.d/README" }, process = { name = "cat" } } },
  },
}
