local exceptions = require "moonwatch.exceptions"

return {
  id = "task_metadata",
  summary = "The task's metadata asked for on a command line",
  why = "Which cluster, which images, which addresses: what one asks who does not know where he is.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1580", "T1613" },
  message = "{process.parent.name} ran {process.cmdline}",
  false_positives = { "Jobs that name themselves after their task" },
  where = { cmdline = { "169.254.170.2/v3", "169.254.170.2/v4", "169.254.170.2/v2/metadata", "169.254.170.2/api/",
    "ECS_CONTAINER_METADATA_URI" }, unless = "startup" },
  exceptions = { exceptions.health_checks },
  throttle = { by = { "process.parent" }, period_s = 300 },
  examples = {
    { expect = true, event = { process = { name = "curl", argv = { "curl", "http://169.254.170.2/v4/ab/task" } } } },
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-c", "curl $ECS_CONTAINER_METADATA_URI_V4/task" } } } },
    { expect = false, event = { phase = "startup", process = { name = "curl", argv = { "curl", "http://169.254.170.2/v4/ab/task" } } } },
    { expect = false, event = { process = { name = "curl", argv = { "curl", "http://10.0.0.2/v4/ab/task" } } } },
  },
}
