local exceptions = require "moonwatch.exceptions"

local files = { "*/.bashrc", "*/.bash_profile", "*/.bash_login", "*/.bash_logout", "*/.profile", "*/.zshrc", "*/.zprofile", "*/.zshenv",
  "/etc/profile", "/etc/profile.d/", "/etc/bash.bashrc", "/etc/bashrc", "/etc/zsh/", "/etc/zshrc" }

return {
  id = "shell_profile",
  summary = "Start-up file of shells written",
  why = "What stands there runs whenever somebody opens a shell: a way to come back, and to catch what is typed.",
  on = { "file.open", "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "medium",
  attack = { "T1546.004" },
  message = "{file.path} was written by {process.cmdline}",
  false_positives = { "Installers of language runtimes (nvm, rustup, conda) in development containers" },
  where = {
    { paths = files, is = "written", unless = "startup" },
    -- Homes are not watched: it is the opening that is seen.
    { paths = files, is = "write", unless = { "failed", "startup" } },
  },
  exceptions = {
    exceptions.package_managers,
    { reason = "accounts are made with copies of /etc/skel", names = { "useradd", "adduser", "newusers", "usermod" } },
  },
  throttle = { by = { "process", "file.path" }, period_s = 60 },
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/root/.bashrc", closed = true, found_by = "inotify" } } },
    { expect = true, event = { kind = "file.create", file = { path = "/etc/profile.d/x.sh", found_by = "call" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/home/a/.bashrc", closed = true, found_by = "inotify" },
      process = { name = "useradd" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/etc/profiles", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", phase = "startup",
      file = { path = "/root/.profile", closed = true, found_by = "inotify" } } },
    { expect = true, event = { kind = "file.open", file = { path = "/root/.bashrc", write = true }, call = { result = 3 },
      process = { name = "sh" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/root/.bashrc" }, process = { name = "bash" } } },
  },
}
