return {
  id = "loader_preload",
  summary = "Library put into every program by /etc/ld.so.preload",
  why = "What the file names is loaded into each program that starts, before its own libraries: rootkits hide so.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "critical",
  attack = { "T1574.006" },
  message = "{file.path} was written by {process.cmdline}",
  where = { paths = "/etc/ld.so.preload", is = "written" },
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/etc/ld.so.preload", closed = true,
      found_by = "inotify" } } },
    { expect = true, event = { kind = "file.rename", file = { path = "/etc/ld.so.preload", old_path = "/etc/x" } } },
    { expect = true, event = { kind = "file.create", file = { path = "/etc/ld.so.preload", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", file = { path = "/etc/ld.so.preload", found_by = "inotify",
      size = 0 } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/etc/ld.so.cache", closed = true } } },
  },
}
