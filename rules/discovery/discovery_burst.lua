local exceptions = require "moonwatch.exceptions"

local E = function(name, pid)
  return { process = { name = name, pid = pid, parent = { name = "sh", pid = 10 } } }
end

return {
  id = "discovery_burst",
  summary = "Many questions about the system in a row",
  why = "Who am I, where, what runs here: what one asks who has just got in.",
  on = { "process.exec" },
  severity = "low",
  attack = { "T1082", "T1033", "T1087.001" },
  message = "{process.parent.name} asked {process.cmdline} and more about the system",
  false_positives = { "Scripts that gather facts for support" },
  where = { names = { "whoami", "id", "uname", "hostname", "ps", "ss", "netstat", "env", "printenv", "w", "who", "last", "ifconfig", "ip",
    "lsb_release", "getent", "arch", "df", "mount", "lscpu", "route", "groups", "users", "uptime" }, unless = "startup" },
  exceptions = { exceptions.package_managers, exceptions.health_checks },
  threshold = { by = { "process.parent" }, count = 5, within_s = 10, distinct = "process.name" },
  examples = {
    { expect = true, before = { E("whoami", 11), E("id", 12), E("uname", 13), E("hostname", 14) }, event = E("ps", 15) },
    { note = "the same again and again", expect = false, before = { E("ps", 11), E("ps", 12), E("ps", 13), E("ps", 14) },
      event = E("ps", 15) },
    { expect = false, event = E("id", 11) },
    { expect = false, event = E("ls", 11) },
  },
}
