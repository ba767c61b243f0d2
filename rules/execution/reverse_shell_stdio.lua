local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- A connection over the network; a pair of sockets, as some programs take for pipes, has no such end.
local function is_connection(stream)
  return stream ~= nil and stream.type == "socket" and stream.remote_address ~= nil
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
    local process = event.process
    if not (match.named(process, lists.shells) or match.named(process, lists.interpreters)) then
      return false
    end
    return is_connection(process.stdin) and is_connection(process.stdout)
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
  },
}
