local match = require "moonwatch.match"

--- How long it is learnt where the application goes.
local LEARNING_MS <const> = 15 * 60 * 1000

return {
  id = "unexpected_outbound",
  summary = "Program connects to where it did not go in the first minutes",
  why = "Services talk to few others, and from their start on; a new one may be where data goes.",
  on = { "socket.connect" },
  severity = "medium",
  attack = { "T1071", "T1041" },
  message = "{process.cmdline} connected to {socket.remote_address}:{socket.remote_port}, for the first time",
  false_positives = { "Whatever fetches things by the hour; enable it where the application's peers are few" },
  enabled = false,
  where = { fields = { ["socket.family"] = { "ipv4", "ipv6" } } },
  memory = { scope = "rule", ttl_s = 7 * 86400 },
  match = function(event, memory)
    local process, socket = event.process, event.socket
    local address = socket.remote_address
    if not process or not process.exe or not address or match.in_network(address, "127.0.0.0/8") or address == "::1" then
      return false
    end
    local key = ("%s %d"):format(process.exe, socket.remote_port or 0)
    if memory.get(key) then
      return false
    end
    memory.set(key, true)
    return (event.age_ms or 0) > LEARNING_MS
  end,
  examples = {
    { expect = true, event = { age_ms = 3600000, process = { exe = "/app", name = "app" },
      socket = { family = "ipv4", remote_address = "198.51.100.1", remote_port = 8443 } } },
    { note = "learnt", expect = false, before = { { age_ms = 1000, process = { exe = "/app", name = "app" },
      socket = { family = "ipv4", remote_address = "198.51.100.1", remote_port = 443 } } },
      event = { age_ms = 3600000, process = { exe = "/app", name = "app" },
        socket = { family = "ipv4", remote_address = "198.51.100.2", remote_port = 443 } } },
    { note = "a long name", expect = true, event = { age_ms = 3600000, process = {
      exe = "/app/a-folder-with-a-long-name/a-folder-with-a-long-name/a-folder-with-a-long-name/x", name = "x" },
      socket = { family = "ipv4", remote_address = "198.51.100.1", remote_port = 8443 } } },
    { expect = false, event = { age_ms = 1000, process = { exe = "/app", name = "app" },
      socket = { family = "ipv4", remote_address = "198.51.100.1", remote_port = 8443 } } },
    { expect = false, event = { age_ms = 3600000, process = { exe = "/app", name = "app" },
      socket = { family = "ipv4", remote_address = "127.0.0.1", remote_port = 8443 } } },
    { expect = false, event = { age_ms = 3600000, process = { exe = "/app", name = "app" }, socket = { family = "ipv6",
      remote_address = "::1", remote_port = 8443 } } },
    { expect = false, event = { age_ms = 3600000, process = { exe = "/app", name = "app" }, socket = { family = "ipv4" } } },
    { expect = false, event = { age_ms = 3600000, process = { name = "app" }, socket = { family = "ipv4",
      remote_address = "198.51.100.1" } } },
    { expect = false, event = { age_ms = 3600000, socket = { family = "ipv4", remote_address = "198.51.100.1" } } },
    { note = "a time that is not known", expect = false, event = { process = { exe = "/app", name = "app" }, socket = { family = "ipv4",
      remote_address = "198.51.100.1" } } },
  },
}
