local exceptions = require "moonwatch.exceptions"
local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

return {
  id = "shell_opens_connection",
  summary = "Connection opened by a shell itself",
  why = "Shells start programs that talk; one that talks by itself (/dev/tcp) has somebody at the other end.",
  on = { "socket.connect" },
  severity = "high",
  attack = { "T1059.004", "T1095" },
  message = "{process.cmdline} connected to {socket.remote_address}:{socket.remote_port}",
  references = { "https://attack.mitre.org/techniques/T1059/004/" },
  false_positives = { "Scripts that wait for a server by /dev/tcp, long after the start" },
  -- Found by looking, it may as well be one that the shell was given by whoever started it.
  where = { programs = lists.shells, unless = { "startup", "sampled" }, fields = { ["socket.family"] = { "ipv4", "ipv6" } } },
  match = function(event)
    local address = event.socket.remote_address
    return address ~= nil and event.socket.protocol ~= "udp" and not match.in_network(address, "127.0.0.0/8") and address ~= "::1"
  end,
  exceptions = {
    exceptions.health_checks,
    { reason = "scripts that wait for a server", cmdline = { "wait-for", "wait_for", "waitfor", "dockerize" } },
  },
  examples = {
    { expect = true, event = { process = { name = "bash", exe = "/usr/bin/bash", argv = { "bash", "-i" } },
      socket = { family = "ipv4", protocol = "tcp", remote_address = "198.51.100.1", remote_port = 4444 } } },
    { expect = false, event = { process = { name = "bash", exe = "/usr/bin/bash" },
      socket = { family = "ipv4", protocol = "tcp", remote_address = "127.0.0.1", remote_port = 80 } } },
    { expect = false, event = { process = { name = "bash", exe = "/usr/bin/bash" },
      socket = { family = "ipv4", protocol = "udp", remote_address = "10.0.0.2", remote_port = 53 } } },
    { expect = false, event = { process = { name = "curl", exe = "/usr/bin/curl" },
      socket = { family = "ipv4", protocol = "tcp", remote_address = "198.51.100.1", remote_port = 443 } } },
    { expect = false, event = { process = { name = "bash", exe = "/usr/bin/bash", argv = { "bash", "/wait-for-it.sh", "db:5432" } },
      socket = { family = "ipv4", protocol = "tcp", remote_address = "10.0.0.9", remote_port = 5432 } } },
    { expect = false, event = { phase = "startup", process = { name = "bash", exe = "/usr/bin/bash" },
      socket = { family = "ipv4", protocol = "tcp", remote_address = "10.0.0.9", remote_port = 5432 } } },
    { expect = false, event = { process = { name = "bash", exe = "/usr/bin/bash" }, socket = { family = "ipv4" } } },
    { expect = false, event = { sampled = true, process = { name = "bash", exe = "/usr/bin/bash", argv = { "bash", "-i" } },
      socket = { family = "ipv4", protocol = "tcp", remote_address = "198.51.100.1", remote_port = 4444 } } },
    { expect = false, event = { process = { name = "bash", exe = "/usr/bin/bash" },
      socket = { family = "ipv6", protocol = "tcp", remote_address = "::1", remote_port = 80 } } },
  },
}
