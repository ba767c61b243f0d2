local match = require "moonwatch.match"

local packet_filters = { iptables = true, ip6tables = true, ["iptables-nft"] = true, ["iptables-legacy"] = true }

return {
  id = "firewall_off",
  summary = "Packet filter emptied or switched off",
  why = "Nothing in a service opens what was closed.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1686", "T1562.004" },
  message = "{process.parent.name} ran {process.cmdline}",
  false_positives = { "Proxies and VPN containers that set up their own rules" },
  where = {
    { names = { packet_filters, "nft", "ufw" }, unless = "startup" },
    { names = { "systemctl", "service" }, cmdline = { "iptables", "nftables", "ufw", "firewalld" } },
  },
  match = function(event)
    local process = event.process
    if match.named(process, packet_filters) then
      return match.has_arg(process, "-F", "--flush", "-X", "--delete-chain") or match.contains(process.cmdline, "-P INPUT ACCEPT")
        or match.contains(process.cmdline, "-P OUTPUT ACCEPT")
    elseif match.named(process, { nft = true }) then
      return match.has_arg(process, "flush")
    elseif match.named(process, { ufw = true }) then
      return match.has_arg(process, "disable", "reset")
    end
    return match.has_arg(process, "stop", "disable", "mask")
  end,
  examples = {
    { expect = true, event = { process = { name = "iptables", argv = { "iptables", "-F" } } } },
    { expect = true, event = { process = { name = "iptables", argv = { "iptables", "-P", "INPUT", "ACCEPT" } } } },
    { expect = true, event = { process = { name = "iptables", argv = { "iptables", "-P", "OUTPUT", "ACCEPT" } } } },
    { expect = true, event = { process = { name = "nft", argv = { "nft", "flush", "ruleset" } } } },
    { expect = true, event = { process = { name = "ufw", argv = { "ufw", "disable" } } } },
    { expect = true, event = { process = { name = "systemctl", argv = { "systemctl", "stop", "firewalld" } } } },
    { expect = false, event = { process = { name = "iptables", argv = { "iptables", "-L" } } } },
    { expect = false, event = { process = { name = "nft", argv = { "nft", "list", "ruleset" } } } },
    { expect = false, event = { process = { name = "systemctl", argv = { "systemctl", "status", "firewalld" } } } },
  },
}
