local exceptions = require "moonwatch.exceptions"

local targets = { "/", "/etc", "/root", "/etc/shadow", "/etc/passwd", "/etc/sudoers", "/etc/gshadow", "/proc/1/root",
  "/proc/self/environ", "/root/.ssh" }

return {
  id = "link_sensitive",
  summary = "Link to a file or folder that is worth protecting",
  why = "A link makes a program with more rights read or write what it was not asked for.",
  on = { "file.symlink", "file.link" },
  severity = "medium",
  attack = { "T1555", "T1036" },
  message = "{process.name} linked {file.path} to {file.old_path}: {process.cmdline}",
  where = { fields = { ["file.old_path"] = targets } },
  match = function(event)
    local wanted = event.file.old_path
    for _, target in ipairs(targets) do
      if wanted == target then
        return true
      end
    end
    return false
  end,
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
  },
  false_positives = { "Programs that lay out a chroot" },
  references = { "https://attack.mitre.org/techniques/T1555/" },
  examples = {
    { expect = true, event = { kind = "file.symlink", file = { path = "/tmp/x", old_path = "/etc/shadow" } } },
    { expect = true, event = { kind = "file.link", file = { path = "/tmp/y", old_path = "/etc/passwd" } } },
    { expect = false, event = { kind = "file.symlink", file = { path = "/tmp/x", old_path = "/etc/ssl/certs/x.pem" } } },
    { expect = false, event = { phase = "startup", kind = "file.symlink", file = { path = "/tmp/x", old_path = "/etc/shadow" } } },
  },
}
