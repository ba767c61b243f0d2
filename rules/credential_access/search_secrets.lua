local searchers = { find = true, grep = true, egrep = true, fgrep = true, rg = true, ag = true, locate = true, strings = true }
local signs = { "id_rsa", "id_ed25519", "PRIVATE KEY", "aws_secret_access_key", "AWS_SECRET", ".aws/credentials",
  "password=", ".git-credentials" }

return {
  id = "search_secrets",
  summary = "Search for keys and passwords in files",
  why = "Looking for keys across the file system comes right after getting in.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1552.001", "T1552.004" },
  message = "{process.parent.name} searches for secrets: {process.cmdline}",
  where = { names = searchers, cmdline = signs },
  examples = {
    { expect = true, event = { process = { name = "find", argv = { "find", "/", "-name", "id_rsa" } } } },
    { expect = true, event = { process = { name = "grep", argv = { "grep", "-r", "aws_secret_access_key", "/" } } } },
    { expect = false, event = { process = { name = "find", argv = { "find", "/etc", "-name", "*.conf" } } } },
    { expect = false, event = { process = { name = "ssh", argv = { "ssh", "-i", "id_rsa", "host" } } } },
  },
}
