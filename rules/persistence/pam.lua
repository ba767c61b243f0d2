local exceptions = require "moonwatch.exceptions"

return {
  id = "pam",
  summary = "How people log in changed",
  why = "A changed module or configuration of PAM lets in whoever knows a word, and writes down the passwords of the others.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "high",
  attack = { "T1556.003" },
  message = "{file.path} was written by {process.cmdline}",
  where = { paths = { "/etc/pam.d/", "/etc/pam.conf", "/etc/security/", "/etc/nsswitch.conf", "*/pam_*.so", "/lib/security/",
    "/usr/lib/security/" }, is = "written" },
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
  },
  false_positives = { "pam-auth-update, used on purpose" },
  references = { "https://attack.mitre.org/techniques/T1556/003/" },
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/etc/pam.d/sshd", closed = true, found_by = "inotify" } } },
    { expect = true, event = { kind = "file.modify", file = { path = "/usr/lib/x86_64-linux-gnu/security/pam_unix.so",
      closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/etc/hosts", closed = true, found_by = "inotify" } } },
    { expect = false, event = { phase = "startup", kind = "file.modify", file = { path = "/etc/nsswitch.conf", closed = true,
      found_by = "inotify" } } },
    { expect = false, event = { process = { name = "dpkg", lineage = { package_manager = true } }, kind = "file.modify",
      file = { path = "/etc/pam.d/x", closed = true, found_by = "inotify" } } },
  },
}
