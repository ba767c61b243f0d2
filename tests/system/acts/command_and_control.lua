-- Whom one speaks to.

---@type system.Acts
return {
  hosts = "203.0.113.80 pastebin.com\n",
  prepare = "tool ssh chisel socat dial",
  { "dropped_exe_connects", "cp /opt/tools/dial /srv/agent; /srv/agent 203.0.113.9 443", says = "/srv/agent connects to 203.0.113.9:443",
    also = { exec_dropped = "it was put there after the start" } },
  { "new_listener", "timeout 0.3 nc -l 0.0.0.0 5001", says = "listens on 0.0.0.0:5001", also = {
    network_recon_tool = "netcat itself" } },
  { "odd_port", "curl -s http://203.0.113.9:4444/", says = "connected to 203.0.113.9:4444" },
  { "paste_and_hook_sites", "curl -s http://pastebin.com/raw/x", says = "http://pastebin.com/raw/x" },
  { "ssh_odd_port", "ssh -p 443 root@203.0.113.9", says = "connects to 203.0.113.9:443" },
  { "tunnel", "ssh -R 8080:localhost:80 root@203.0.113.9", says = "opens a tunnel: ssh -R" },
  { "tunnel", "chisel client 203.0.113.9:443 R:socks", how = "by a tool for that", says = "opens a tunnel: chisel" },
  { "tunnel", "socat TCP-LISTEN:5432 TCP:10.0.0.5:5432", how = "by socat", says = "opens a tunnel: socat", also = {
    network_recon_tool = "socat itself" } },
  { "unexpected_outbound", "curl -s http://203.0.113.9:8080/", says = "connected to 203.0.113.9:8080, for the first time",
    later = "it learns for the first quarter of an hour, and is off unless somebody enables it" },
}
