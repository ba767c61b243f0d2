local exceptions = require "moonwatch.exceptions"
local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local carriers = lists.set { "awk", "gawk", "mawk", "find", "vi", "vim", "nvim", "ed", "less", "more", "man", "tar", "zip",
  "git", "flock", "nice",
  "ionice", "stdbuf", "timeout", "setarch", "xargs", "watch", "taskset", "expect", "nano", "rlwrap" }

return {
  id = "lolbin_shell",
  summary = "Shell started by a program that is not for that",
  why = "Many tools can start a shell; that is how restrictions on what may be run, and lists of what was run, are passed by.",
  on = { "process.exec" },
  severity = "low",
  attack = { "T1059.004", "T1548" },
  message = "{process.parent.name} started {process.cmdline} as {process.user}",
  where = { names = lists.shells, parents = carriers },
  match = function(event)
    -- What runs one command is their everyday work.
    return not match.has_arg(event.process, "-c", "-ec", "-xc", "-e")
  end,
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
  },
  false_positives = { "Jobs run by xargs or find that are shell scripts" },
  references = { "https://gtfobins.github.io/" },
  examples = {
    { expect = true, event = { process = { name = "sh", argv = { "/bin/sh" }, parent = { name = "find" } } } },
    { expect = true, event = { process = { name = "bash", argv = { "bash", "-p" }, parent = { name = "vim" } } } },
    { expect = false, event = { process = { name = "sh", argv = { "sh", "-c", "ls" }, parent = { name = "awk" } } } },
    { expect = false, event = { process = { name = "sh", argv = { "sh" }, parent = { name = "sshd" } } } },
  },
}
