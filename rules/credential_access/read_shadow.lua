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
    { reason = "perl's getpwnam() looks there as well; its scripts are of the image", programs = "perl*", unless = "dropped",
      match = function(event)
        local script = match.first_argument(event.process)
        return script ~= nil and script == event.process.argv[2]
      end },
  },
  throttle = { by = { "process", "file.path" }, period_s = 60 },
  examples = {
    { expect = true, event = { file = { path = "/etc/shadow" }, process = { name = "cat", argv = { "cat", "/etc/shadow" } } } },
    { expect = true, event = { file = { path = "/etc/sudoers.d/app" }, process = { name = "python3" } } },
    { expect = false, event = { file = { path = "/etc/shadow" }, process = { name = "sshd" } } },
    { expect = false, event = { file = { path = "/etc/passwd" }, process = { name = "cat" } } },
    { expect = false, event = { file = { path = "/etc/shadow", write = true }, process = { name = "vi" } } },
    { note = "Debian's wrapper of psql and its like", expect = false, event = { file = { path = "/etc/shadow" }, process =
      { name = "pg_isready", exe = "/usr/bin/perl", argv = { "/usr/bin/perl", "/usr/bin/pg_isready", "-U", "x" } } } },
    { expect = true, event = { file = { path = "/etc/shadow" }, process = { name = "perl", exe = "/usr/bin/perl",
      argv = { "perl", "-ne", "print", "/etc/shadow" } } } },
    { expect = true, event = { file = { path = "/etc/shadow" }, process = { name = "perl", exe = "/usr/bin/perl" } } },
    { note = "nobody knows who", expect = false, event = { file = { path = "/etc/shadow" } } },
    { expect = false, event = { file = { path = "/etc/sudoers.d/README" }, process = { name = "cat" } } },
  },
}
