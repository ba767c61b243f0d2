local tunnels = { chisel = true, frpc = true, ngrok = true, cloudflared = true, gost = true, tmate = true }

return {
  id = "tunnel",
  summary = "Tunnel out of the container",
  why = "A tunnel makes the container a way into the network behind it.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1572", "T1090" },
  message = "{process.parent.name} opens a tunnel: {process.cmdline}",
  false_positives = { "Services whose database is reached by an SSH tunnel" },
  where = {
    { names = { tunnels } },
    { names = "ssh", arguments = { "-R", "-L", "-D", "-w" } },
    { names = "socat", cmdline = "TCP-LISTEN" },
  },
  examples = {
    { expect = true, event = { process = { name = "chisel", argv = { "chisel", "client", "x" } } } },
    { expect = true, event = { process = { name = "ssh", argv = { "ssh", "-R", "80:localhost:80", "x" } } } },
    { expect = false, event = { process = { name = "ssh", argv = { "ssh", "git@host" } } } },
    { expect = true, event = { process = { name = "socat", argv = { "socat", "TCP-LISTEN:1", "TCP:db:2" } } } },
    { expect = false, event = { process = { name = "socat", argv = { "socat", "-", "UNIX:/run/x" } } } },
  },
}
