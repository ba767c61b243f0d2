local match = require "moonwatch.match"

local owners = { "ssh", "scp", "sftp", "sshd", "ssh-*", "sshfs", "git", "git-*", "rsync", "dropbear*", "autossh", "dockerd",
  "moonwatch*" }

return {
  id = "read_ssh_keys",
  summary = "Private key of ssh read",
  why = "Keys are read by ssh and what uses it; anything else takes them along.",
  on = { "file.open" },
  severity = "medium",
  attack = { "T1552.004" },
  message = "{process.cmdline} opened {file.path}",
  false_positives = { "Applications with an ssh client of their own (paramiko, libssh2, Go)" },
  where = { paths = { "*/.ssh/id_*", "*/.ssh/*.pem", "*/.ssh/*.key", "/etc/ssh/ssh_host_*_key" }, unless = { "write", "startup" } },
  match = function(event)
    return event.process ~= nil and not match.ends(event.file.path, ".pub")
  end,
  exceptions = { { reason = "ssh and what uses it", names = owners } },
  throttle = { by = { "process", "file.path" }, period_s = 60 },
  examples = {
    { expect = true, event = { file = { path = "/root/.ssh/id_ed25519" }, process = { name = "cat" } } },
    { expect = true, event = { file = { path = "/etc/ssh/ssh_host_rsa_key" }, process = { name = "tar" } } },
    { expect = false, event = { file = { path = "/root/.ssh/id_ed25519" }, process = { name = "ssh" } } },
    { expect = false, event = { file = { path = "/root/.ssh/id_ed25519.pub" }, process = { name = "cat" } } },
    { expect = false, event = { file = { path = "/root/.ssh/known_hosts" }, process = { name = "cat" } } },
    { expect = false, event = { file = { path = "/root/.ssh/id_rsa" } } },
  },
}
