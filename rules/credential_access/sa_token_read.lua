local lists = require "moonwatch.lists"

return {
  id = "sa_token_read",
  summary = "Token of a Kubernetes service account read by a shell or a tool",
  why = "The token speaks to the cluster in the pod's name; the application reads it itself, by its library.",
  on = { "file.open" },
  severity = "low",
  attack = { "T1552.007", "T1528" },
  message = "{process.cmdline} opened {file.path}",
  false_positives = { "Start scripts that ask the API server by curl" },
  where = { paths = { "*/kubernetes.io/serviceaccount/*token*" }, names = { lists.shells, lists.intruder_tools, lists.interpreters },
    unless = { "write", "startup" } },
  throttle = { by = { "process" }, period_s = 60 },
  examples = {
    { expect = true, event = { process = { name = "cat" },
      file = { path = "/run/secrets/kubernetes.io/serviceaccount/..2026_11_24/token" } } },
    { expect = false, event = { process = { name = "coredns" }, file = { path = "/run/secrets/kubernetes.io/serviceaccount/token" } } },
    { expect = false, event = { process = { name = "cat" }, file = { path = "/run/secrets/kubernetes.io/serviceaccount/ca.crt" } } },
  },
}
