local match = require "moonwatch.match"

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
  where = { names = { tunnels, "ssh", "socat" } },
  match = function(event)
    local process = event.process
    if process.name == "ssh" then
      return match.has_arg(process, "-R", "-L", "-D", "-w")
    end
    return tunnels[process.name] ~= nil or (process.name == "socat" and match.contains(process.cmdline, "TCP-LISTEN"))
  end,
  examples = {
    { expect = true, event = { process = { name = "chisel", argv = { "chisel", "client", "x" } } } },
    { expect = true, event = { process = { name = "ssh", argv = { "ssh", "-R", "80:localhost:80", "x" } } } },
    { expect = false, event = { process = { name = "ssh", argv = { "ssh", "git@host" } } } },
  },
}
