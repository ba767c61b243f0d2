local exceptions = require "moonwatch.exceptions"

return {
  id = "write_bin_dirs",
  summary = "Program put among those of the system",
  why = "Programs come with the image; one that is put there later is run by name, by people and scripts who trust it.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "high",
  attack = { "T1036.005", "T1543" },
  message = "{file.path} was written by {process.cmdline}",
  references = { "https://attack.mitre.org/techniques/T1036/005/" },
  false_positives = { "Tools that update themselves", "Installers piped into a shell" },
  where = { paths = { "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/" }, is = "written",
    unless = "startup" },
  exceptions = {
    exceptions.package_managers,
    { reason = "links of alternatives", names = { "update-alternatives", "alternatives", "dpkg*", "ldconfig", "busybox" } },
  },
  throttle = { by = { "file.path" }, period_s = 60 },
  examples = {
    { expect = true, event = { kind = "file.create", file = { path = "/usr/bin/kworker", found_by = "call" },
      process = { name = "curl" } } },
    { expect = true, event = { kind = "file.rename", file = { path = "/usr/local/bin/ls", old_path = "/tmp/ls" },
      process = { name = "mv" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/usr/bin/x", found_by = "call" },
      process = { name = "dpkg", lineage = { package_manager = true } } } },
    { expect = false, event = { kind = "file.create", file = { path = "/usr/share/bin/x", found_by = "call" },
      process = { name = "cp" } } },
    { expect = false, event = { kind = "file.create", phase = "startup", file = { path = "/usr/bin/x", found_by = "call" },
      process = { name = "cp" } } },
    { note = "nobody knows who", expect = true, event = { kind = "file.create",
      file = { path = "/usr/bin/x", size = 9, found_by = "inotify" } } },
  },
}
