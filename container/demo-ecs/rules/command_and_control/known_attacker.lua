return {
  id = "known_attacker",
  summary = "Connection to the machine of an attack that is going on",
  why = "Somebody who looks into an attack has found its address; whoever else talks to it is part of it.",
  on = { "socket.connect" },
  severity = "critical",
  attack = { "T1071" },
  message = "{process.cmdline} connected to {socket.remote_address}:{socket.remote_port}, known from an attack",
  where = { addresses = { "203.0.113.66/32" } },
  examples = {
    { expect = true, event = { socket = { family = "ipv4", remote_address = "203.0.113.66", remote_port = 80 } } },
    { expect = false, event = { socket = { family = "ipv4", remote_address = "203.0.113.67", remote_port = 80 } } },
  },
}
