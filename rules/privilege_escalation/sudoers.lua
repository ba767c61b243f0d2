local exceptions = require "moonwatch.exceptions"
local match = require "moonwatch.match"

return {
  id = "sudoers",
  summary = "Rights of sudo changed",
  why = "One line there is root for ever.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "high",
  attack = { "T1548.003" },
  message = "{file.path} was written by {process.cmdline}",
  references = { "https://attack.mitre.org/techniques/T1548/003/" },
  false_positives = { "Development containers that set themselves up late" },
  where = { paths = { "/etc/sudoers", "/etc/sudoers.d/", "/usr/local/etc/sudoers", "/usr/local/etc/sudoers.d/" }, is = "written",
    unless = "startup" },
  match = function(event)
    local name = match.base(event.file.path)
    return not match.starts(name, ".") and not match.ends(name, ".dpkg-new") and name ~= "README"
  end,
  exceptions = { exceptions.package_managers },
  examples = {
    { expect = true, event = { kind = "file.create", file = { path = "/etc/sudoers.d/x", found_by = "call" } } },
    { expect = true, event = { kind = "file.modify", file = { path = "/etc/sudoers", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/etc/sudo.conf", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/sudoers.d/README", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/sudoers.d/.x.swp", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/sudoers.dpkg-new", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/sudoers.d/x.dpkg-new", found_by = "call" } } },
  },
}
