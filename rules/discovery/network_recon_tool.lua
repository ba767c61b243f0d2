local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

return {
  id = "network_recon_tool",
  summary = "Tool that scans or listens to the network",
  why = "Scanners and sniffers have no place in a service container.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1046", "T1040" },
  message = "{process.parent.name} ran {process.cmdline} as {process.user}",
  false_positives = { "Start scripts that wait for a port with nc other than by -z" },
  where = { names = lists.recon_tools },
  match = function(event)
    return not match.has_arg(event.process, "-z")
  end,
  examples = {
    { expect = true, event = { process = { name = "nmap", argv = { "nmap", "-sS", "10.0.0.0/8" } } } },
    { expect = true, event = { process = { name = "tcpdump" } } },
    { expect = false, event = { process = { name = "nc", argv = { "nc", "-z", "db", "5432" } } } },
    { expect = false, event = { process = { name = "ping" } } },
  },
}
