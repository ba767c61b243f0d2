local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

return {
  id = "new_listener",
  summary = "Port opened by what is not the service",
  why = "A netcat, a shell's child or a program that was dropped and waits for connections waits for its master.",
  on = { "socket.listen" },
  severity = "medium",
  attack = { "T1571", "T1205" },
  message = "{process.cmdline} listens on {socket.local_address}:{socket.local_port}",
  false_positives = { "Somebody tries a server in an ECS Exec session" },
  where = {
    { names = lists.netcats, unless = "startup" },
    { is = "dropped", unless = "startup" },
    { lineage = "session", unless = "startup" },
  },
  match = function(event)
    local socket = event.socket
    return socket ~= nil and socket.family ~= "unix" and not match.starts(socket.local_address, "127.") and socket.local_address ~= "::1"
  end,
  throttle = { by = { "process" }, period_s = 60 },
  examples = {
    { expect = true, event = { process = { name = "nc" }, socket = { family = "ipv4", local_address = "0.0.0.0", local_port = 4444 } } },
    { expect = true, event = { process = { name = "x", dropped = true }, socket = { family = "ipv4", local_address = "0.0.0.0",
      local_port = 8443 } } },
    { expect = true, event = { process = { name = "python3", lineage = { session = true } },
      socket = { family = "ipv6", local_address = "::", local_port = 8000 } } },
    { expect = false, event = { process = { name = "nginx" }, socket = { family = "ipv4", local_address = "0.0.0.0", local_port = 80 } } },
    { expect = false, event = { process = { name = "nc" }, socket = { family = "unix", path = "/tmp/x" } } },
    { expect = false, event = { process = { name = "nc" }, socket = { family = "ipv4", local_address = "127.0.0.1", local_port = 1 } } },
    { expect = false, event = { process = { name = "nc" }, socket = { family = "ipv6", local_address = "::1", local_port = 1 } } },
    { expect = false, event = { process = { name = "nc" } } },
  },
}
