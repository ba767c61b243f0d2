local match = require "moonwatch.match"

local agents = { "moonwatch", "osqueryd", "orbit", "falco", "sysdig", "datadog-agent", "auditd", "filebeat", "auditbeat",
  "elastic-agent", "wazuh-agent", "ossec", "clamd",
  "sentinelone", "s1-agent", "crowdstrike", "falcon-sensor", "lacework", "twistlock", "defender", "amazon-guardduty",
    "fluent-bit", "rsyslogd" }

return {
  id = "stop_security_agent",
  summary = "Security agent stopped",
  why = "What watches is ended before what is not to be seen is done.",
  on = { "process.exec", "process.kill" },
  severity = "high",
  attack = { "T1685", "T1562.001" },
  message = "{process.parent.name} stops a security agent: {process.cmdline}",
  where = {
    { names = { "kill", "pkill", "killall", "systemctl", "service", "rc-service", "supervisorctl", "s6-svc", "sv", "busybox" },
      cmdline = agents },
    { fields = { ["call.target.name"] = { "moonwatch-guard", "moonwatch-trace", "moonwatch-sens" } } },
  },
  match = function(event)
    if event.kind == "process.kill" then
      -- Signal 0 only asks whether somebody is there.
      return event.call.number ~= 0
    end
    return match.named(event.process, { kill = true, pkill = true, killall = true })
      or match.has_arg(event.process, "stop", "disable", "mask", "kill", "down", "-d")
  end,
  exceptions = {
    { reason = "moonwatch's own processes", names = { "moonwatch", "moonwatch-guard", "moonwatch-trace", "moonwatch-sens" } },
  },
  false_positives = { "Agents restarted on purpose" },
  references = { "https://attack.mitre.org/techniques/T1562/001/" },
  examples = {
    { expect = true, event = { kind = "process.exec", process = { name = "pkill", argv = { "pkill", "-9", "falco" } } } },
    { expect = true, event = { kind = "process.exec", process = { name = "systemctl", argv = { "systemctl", "stop", "osqueryd" } } } },
    { expect = true, event = { kind = "process.kill", process = { name = "sh" }, call = { name = "kill", number = 9,
      target = { name = "moonwatch-guard" } } } },
    { expect = false, event = { kind = "process.kill", process = { name = "sh" }, call = { name = "kill", number = 0,
      target = { name = "moonwatch-guard" } } } },
    { expect = false, event = { kind = "process.kill", process = { name = "moonwatch-guard" }, call = { name = "kill",
      number = 9, target = { name = "moonwatch-trace" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "systemctl", argv = { "systemctl", "status", "osqueryd" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "pkill", argv = { "pkill", "nginx" } } } },
  },
}
