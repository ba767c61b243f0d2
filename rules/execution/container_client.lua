local lists = require "moonwatch.lists"

return {
  id = "container_client",
  summary = "Client of a container runtime or orchestrator",
  why = "From inside a container these serve to reach other containers, or the host.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1613", "T1610" },
  message = "{process.parent.name} ran {process.cmdline}",
  false_positives = { "Images whose work is to build or to deploy" },
  where = { names = lists.container_clients },
  exceptions = { { reason = "the runtime itself, found on its way into the container", names = "runc", is = "late" } },
  examples = {
    { expect = true, event = { process = { name = "kubectl", argv = { "kubectl", "get", "secrets" } } } },
    { expect = false, event = { process = { name = "dockerd" } } },
    { expect = true, event = { process = { name = "runc", argv = { "runc", "list" } } } },
    { expect = false, event = { process = { name = "runc", argv = { "runc", "init" }, observed_late = true } } },
  },
}
