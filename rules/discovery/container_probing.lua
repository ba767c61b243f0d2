local exceptions = require "moonwatch.exceptions"

return {
  id = "container_probing",
  summary = "Signs of a container looked at one after the other",
  why = "Somebody wants to know whether this is a container, and which way leads out.",
  on = { "file.open" },
  severity = "low",
  attack = { "T1613", "T1497.001" },
  message = "{process.parent.name} looks at what tells of a container: {file.path}",
  where = { paths = { "/.dockerenv", "/run/.containerenv", "/proc/*/cgroup", "/proc/*/mountinfo", "/proc/1/*", "/proc/*/status",
    "/sys/kernel/security/*", "/proc/*/uid_map", "/proc/*/attr/current", "/var/run/secrets/kubernetes.io/*" },
    unless = { "write", "startup" } },
  match = function(event)
    return event.process ~= nil
  end,
  exceptions = {
    exceptions.package_managers, exceptions.health_checks,
    { reason = "lists of processes", programs = { "ps", "top", "htop", "pgrep", "pkill", "pidof", "ss", "netstat", "lsof", "systemd*" } },
  },
  threshold = { by = { "process.parent" }, count = 3, within_s = 30, distinct = "file.path" },
  examples = {
    { expect = true,
      before = {
        { file = { path = "/.dockerenv" }, process = { name = "ls", pid = 11, parent = { name = "sh", pid = 10 } } },
        { file = { path = "/proc/1/cgroup" }, process = { name = "cat", pid = 12, parent = { name = "sh", pid = 10 } } },
      },
      event = { file = { path = "/proc/12/mountinfo" }, process = { name = "cat", pid = 13, parent = { name = "sh", pid = 10 } } } },
    { note = "JVM, node", expect = false,
      before = { { file = { path = "/proc/11/cgroup" }, process = { name = "java", pid = 11, parent = { name = "init", pid = 1 } } } },
      event = { file = { path = "/proc/11/mountinfo" }, process = { name = "java", pid = 11, parent = { name = "init", pid = 1 } } } },
    { expect = false, event = { file = { path = "/etc/passwd" }, process = { name = "cat" } } },
    { expect = false, event = { file = { path = "/.dockerenv" } } },
  },
}
