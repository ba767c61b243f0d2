local exceptions = require "moonwatch.exceptions"
local lists = require "moonwatch.lists"

return {
  id = "kubernetes_api",
  summary = "Kubernetes API asked by a command-line tool",
  why = "The API of the cluster tells what else runs there, and may give more with the pod's token.",
  on = { "process.exec" },
  severity = "low",
  attack = { "T1613" },
  message = "{process.parent.name} asks the Kubernetes API: {process.cmdline}",
  where = { names = { lists.shells, lists.interpreters, "curl", "wget" }, cmdline = { "kubernetes.default",
    "KUBERNETES_SERVICE_HOST", "/api/v1/namespaces", "/apis/authorization.k8s.io" } },
  exceptions = {
    exceptions.startup,
    exceptions.health_checks,
  },
  false_positives = { "Scripts that ask the API for a reason of their own" },
  references = { "https://attack.mitre.org/techniques/T1613/" },
  examples = {
    { expect = true, event = { process = { name = "curl", argv = { "curl", "-k", "https://kubernetes.default.svc/api/v1/pods" } } } },
    { expect = false, event = { process = { name = "curl", argv = { "curl", "https://example.com/api/v1" } } } },
    { expect = false, event = { phase = "startup", process = { name = "curl", argv = { "curl", "https://kubernetes.default.svc/" } } } },
  },
}
