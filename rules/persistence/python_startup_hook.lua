local exceptions = require "moonwatch.exceptions"

return {
  id = "python_startup_hook",
  summary = "File added that each Python program runs at its start",
  why = "Python runs sitecustomize and lines of .pth files before the program; a poisoned package hides there.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "medium",
  attack = { "T1546.018" },
  message = "{file.path} was written by {process.cmdline}",
  where = { paths = { "*/site-packages/*.pth", "*/dist-packages/*.pth", "*/sitecustomize.py", "*/usercustomize.py" }, is = "written" },
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
  },
  false_positives = { "Packages installed by tools that are not known as such" },
  references = { "https://attack.mitre.org/techniques/T1546/018/" },
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/usr/lib/python3/dist-packages/x.pth", closed = true,
      found_by = "inotify" } } },
    { expect = true, event = { kind = "file.modify", file = { path = "/app/venv/lib/python3.11/site-packages/sitecustomize.py",
      closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/app/x.pth", closed = true, found_by = "inotify" } } },
    { expect = false, event = { process = { name = "pip", lineage = { package_manager = true } }, kind = "file.modify",
      file = { path = "/a/site-packages/x.pth", closed = true, found_by = "inotify" } } },
  },
}
