local match = require "moonwatch.match"

return {
  id = "dropped_exe_connects",
  summary = "Connection by a program that came after the container's start",
  why = "What is not of the image and talks to the network is a payload until somebody says otherwise.",
  on = { "socket.connect" },
  severity = "high",
  attack = { "T1071" },
  message = "{process.exe} connects to {socket.remote_address}:{socket.remote_port}: {process.cmdline}",
  where = { is = "dropped", fields = { ["socket.family"] = { "ipv4", "ipv6" } } },
  match = function(event)
    local address = event.socket.remote_address
    return not (match.in_network(address, "127.0.0.0/8") or address == "::1")
  end,
  throttle = { by = { "process.exe", "socket.remote_address" }, period_s = 3600 },
  false_positives = { "Programs that the start script downloads or builds, helpers that are unpacked at run time" },
  references = { "https://attack.mitre.org/techniques/T1071/" },
  examples = {
    { expect = true, event = { process = { name = "x", exe = "/tmp/x", dropped = true }, socket = { family = "ipv4",
      remote_address = "203.0.113.9", remote_port = 443 } } },
    { expect = false, event = { process = { name = "x", exe = "/tmp/x", dropped = true }, socket = { family = "ipv4",
      remote_address = "127.0.0.1", remote_port = 443 } } },
    { expect = false, event = { process = { name = "x", exe = "/tmp/x", dropped = true }, socket = { family = "ipv6",
      remote_address = "::1", remote_port = 443 } } },
    { expect = false, event = { process = { name = "x", exe = "/app/x" }, socket = { family = "ipv4",
      remote_address = "203.0.113.9", remote_port = 443 } } },
  },
}
