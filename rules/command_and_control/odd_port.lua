local match = require "moonwatch.match"

--- Networks of one's own, RFC 1918, RFC 6598, RFC 4193 and the like.
local private = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7",
  "fe80::/10", "::1/128" }

return {
  id = "odd_port",
  summary = "Connection to a port that intruders like, out on the Internet",
  why = "4444, 1337 and their like are what kits for intruders and IRC begin with; services have no business there.",
  on = { "socket.connect" },
  severity = "medium",
  attack = { "T1571" },
  message = "{process.cmdline} connected to {socket.remote_address}:{socket.remote_port}",
  false_positives = { "Clients of IRC, Tor" },
  where = { ports = { 4444, 5555, 6666, 6667, 1337, 31337, 9001, 9050, 14444 }, fields = { ["socket.family"] = { "ipv4", "ipv6" } } },
  match = function(event)
    local address = event.socket.remote_address
    if not address then
      return false
    end
    for _, network in ipairs(private) do
      if match.in_network(address, network) then
        return false
      end
    end
    return true
  end,
  throttle = { by = { "process.exe", "socket.remote_address" }, period_s = 600 },
  examples = {
    { expect = true, event = { process = { name = "x" },
      socket = { family = "ipv4", remote_address = "198.51.100.1", remote_port = 4444 } } },
    { expect = true, event = { process = { name = "x" },
      socket = { family = "ipv6", remote_address = "2001:db8::1", remote_port = 31337 } } },
    { note = "minio, php-fpm", expect = false, event = { process = { name = "x" },
      socket = { family = "ipv4", remote_address = "10.0.0.9", remote_port = 9001 } } },
    { expect = false, event = { process = { name = "x" },
      socket = { family = "ipv4", remote_address = "198.51.100.1", remote_port = 443 } } },
    { expect = false, event = { process = { name = "x" }, socket = { family = "ipv4", remote_port = 4444 } } },
  },
}
