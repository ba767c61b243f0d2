local match = require "moonwatch.match"

return {
  id = "setns",
  summary = "Attempt to enter another namespace",
  why = "Another process's namespaces are entered by container tools, and by whoever wants out.",
  on = { "process.setns" },
  severity = "high",
  attack = { "T1611" },
  message = "{process.name} enters a namespace: {process.cmdline}",
  where = { fields = { ["call.name"] = "setns" } },
  match = function(event)
    return not match.named(event.process, { nsenter = true })
  end,
  exceptions = {
    { reason = "container tools, inside their own container", names = { "runc", "crun", "podman", "buildah", "conmon",
      "moonwatch", "ip" } },
  },
  false_positives = { "Network tools that work in namespaces of their own" },
  references = { "https://attack.mitre.org/techniques/T1611/" },
  examples = {
    { expect = true, event = { process = { name = "x" }, call = { name = "setns" } } },
    { expect = false, event = { process = { name = "nsenter" }, call = { name = "setns" } } },
    { expect = false, event = { process = { name = "runc" }, call = { name = "setns" } } },
  },
}
