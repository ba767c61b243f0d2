local lists = require "moonwatch.lists"

--- A connection over the network; a pair of sockets, as some programs take for pipes, has no such end.
local function is_connection(stream)
  return stream.remote_address ~= nil
end

return {
  id = "reverse_shell_stdio",
  summary = "Shell or interpreter with a network connection in the place of its input and output",
  why = "However a reverse or bind shell was made, this is what it ends in.",
  on = { "process.exec" },
  severity = "critical",
  attack = { "T1059.004", "T1095" },
  message = "{process.name} (pid {process.pid}, {process.user}) talks to {process.stdin.remote_address}:" ..
    "{process.stdin.remote_port}: {process.cmdline}",
  false_positives = { "Services started with a connection, by inetd or a socket of systemd" },
  where = {
    names = { lists.shells, lists.interpreters },
    fields = { ["process.stdin.type"] = "socket", ["process.stdout.type"] = "socket" },
  },
  match = function(event)
    return is_connection(event.process.stdin) and is_connection(event.process.stdout)
  end,
  examples = {
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-i" },
      stdin = { type = "socket", remote_address = "203.0.113.5", remote_port = 4444 },
      stdout = { type = "socket", remote_address = "203.0.113.5", remote_port = 4444 } } } },
    { expect = true, event = { process = { name = "python3.11", argv = { "python3" },
      stdin = { type = "socket", remote_address = "2001:db8::5", remote_port = 4444 },
      stdout = { type = "socket", remote_address = "2001:db8::5", remote_port = 4444 } } } },
    { note = "a socket pair", expect = false, event = { process = { name = "sh", argv = { "sh", "-c", "id" },
      stdin = { type = "socket" }, stdout = { type = "socket" } } } },
    { note = "only its output", expect = false, event = { process = { name = "sh", argv = { "sh", "-c", "id" },
      stdin = { type = "null" },
      stdout = { type = "socket", remote_address = "203.0.113.5", remote_port = 4444 } } } },
    { expect = false, event = { process = { name = "in.ftpd", argv = { "in.ftpd" },
      stdin = { type = "socket", remote_address = "203.0.113.5", remote_port = 4444 },
      stdout = { type = "socket", remote_address = "203.0.113.5", remote_port = 4444 } } } },
    { note = "its input alone", expect = false, event = { process = { name = "sh", argv = { "sh" },
      stdin = { type = "socket", remote_address = "203.0.113.5" }, stdout = { type = "socket" } } } },
  },
}
