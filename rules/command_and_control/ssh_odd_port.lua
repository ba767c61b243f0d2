return {
  id = "ssh_odd_port",
  summary = "ssh to a port of other services",
  why = "Ports that firewalls leave open for the web or for names are used to get ssh out.",
  on = { "socket.connect" },
  severity = "low",
  attack = { "T1571", "T1021.004" },
  message = "{process.cmdline} connects to {socket.remote_address}:{socket.remote_port}",
  where = { names = { "ssh", "scp", "sftp", "dbclient" }, ports = { 53, 80, 110, 143, 443, 993, 3306, 4444, 8080, 8443 } },
  false_positives = { "git over ssh on port 443, as ssh.github.com offers" },
  references = { "https://attack.mitre.org/techniques/T1571/" },
  examples = {
    { expect = true, event = { process = { name = "ssh" }, socket = { remote_address = "203.0.113.9", remote_port = 443 } } },
    { expect = false, event = { process = { name = "ssh" }, socket = { remote_address = "203.0.113.9", remote_port = 22 } } },
    { expect = false, event = { process = { name = "curl" }, socket = { remote_address = "203.0.113.9", remote_port = 443 } } },
  },
}
