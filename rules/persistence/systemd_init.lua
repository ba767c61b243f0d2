local exceptions = require "moonwatch.exceptions"
local match = require "moonwatch.match"

return {
  id = "systemd_init",
  summary = "Service or start script of the system written",
  why = "What stands there starts with the system; in a container it is made by packages, or by who takes it for a machine.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "medium",
  attack = { "T1543.002", "T1037.004" },
  message = "{file.path} was written by {process.cmdline}",
  where = { paths = { "/etc/systemd/system/", "/etc/systemd/user/", "/usr/lib/systemd/system/", "/lib/systemd/system/",
    "/run/systemd/system/", "*/.config/systemd/user/*", "/etc/init.d/", "/etc/rc.local", "/etc/rc.d/", "/etc/rc?.d/*",
    "/etc/inittab", "/etc/runlevels/", "/etc/local.d/" }, is = "written", unless = "startup" },
  match = function(event)
    return not match.starts(match.base(event.file.path), ".")
  end,
  exceptions = { exceptions.package_managers },
  examples = {
    { expect = true, event = { kind = "file.create", file = { path = "/etc/systemd/system/x.service", found_by = "call" } } },
    { expect = true, event = { kind = "file.modify", file = { path = "/etc/rc.local", closed = true, found_by = "inotify" } } },
    { expect = true, event = { kind = "file.symlink", file = { path = "/etc/rc2.d/S99x" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/systemd/system.conf.d/x", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/init.d/.placeholder", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/systemd/system/x.service", found_by = "call" },
      process = { name = "systemctl", lineage = { package_manager = true } } } },
  },
}
