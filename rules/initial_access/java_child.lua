local lists = require "moonwatch.lists"

local downloads = lists.set { "curl", "wget", "python", "perl", "nc" }

return {
  id = "java_child",
  summary = "Shell or download started by a Java program",
  why = "Log4Shell, Spring4Shell and unsafe deserialisation all end in Runtime.exec.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1190", "T1059" },
  message = "Java (pid {process.ppid}) started {process.cmdline}",
  false_positives = { "Monitoring agents in the JVM that run df or ps by a shell" },
  where = { names = { lists.shells, downloads }, parents = lists.java },
  examples = {
    { expect = true, event = { process = { name = "sh", parent = { name = "java" } } } },
    { expect = true, event = { process = { name = "curl", parent = { name = "jspawnhelper" } } } },
    { expect = false, event = { process = { name = "java", parent = { name = "sh" } } } },
    { expect = false, event = { process = { name = "jspawnhelper", parent = { name = "java" } } } },
  },
}
