local match = require "moonwatch.match"

local sockets = { "*/docker.sock", "*/containerd.sock", "*/crio.sock", "*/podman.sock", "*/dockershim.sock", "*/buildkitd.sock" }

return {
  id = "runtime_socket",
  summary = "Socket of the container runtime used",
  why = "Who may talk to the runtime is root of the host: it starts containers with any mount.",
  on = { "socket.connect", "process.exec" },
  severity = "high",
  attack = { "T1610", "T1611" },
  message = "{process.cmdline} talks to the container runtime",
  references = { "https://attack.mitre.org/techniques/T1610/" },
  false_positives = { "Containers that manage others by a mounted socket: Traefik, Portainer, agents of CI" },
  where = {
    { fields = { ["socket.path"] = sockets } },
    { cmdline = { "docker.sock", "containerd.sock", "crio.sock", "podman.sock" }, names = { "curl", "socat", "nc", "ncat", "docker",
      "ctr", "crictl", "nerdctl", "podman" } },
  },
  match = function(event)
    return event.kind == "socket.connect" or match.contains(event.process.cmdline, ".sock")
  end,
  exceptions = { { reason = "made to manage containers", programs = { "traefik", "portainer", "dockerd", "containerd*", "gitlab-runner",
    "watchtower", "datadog-agent", "telegraf" } } },
  throttle = { by = { "process.exe" }, period_s = 300 },
  examples = {
    { expect = true, event = { kind = "socket.connect", socket = { family = "unix", path = "/var/run/docker.sock" },
      process = { name = "curl" } } },
    { expect = true, event = { kind = "process.exec",
      process = { name = "curl", argv = { "curl", "--unix-socket", "/run/docker.sock", "http://x/" } } } },
    { expect = false, event = { kind = "socket.connect", socket = { family = "unix", path = "/run/mysqld.sock" },
      process = { name = "php" } } },
    { expect = false, event = { kind = "socket.connect", socket = { family = "unix", path = "/var/run/docker.sock" },
      process = { name = "traefik", exe = "/usr/local/bin/traefik" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "ls", argv = { "ls", "/run/docker.sock" } } } },
  },
}
