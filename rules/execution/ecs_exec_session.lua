local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- Of the SSM agent that ECS puts into the container; names are cut at 15 bytes.
local agents = { ["ssm-session-wor"] = true, ["ssm-agent-worke"] = true }

return {
  id = "ecs_exec_session",
  summary = "Shell in an ECS Exec session",
  why = "ECS Exec gives a person a shell in a running task; who, when and why should be " ..
    "known.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1609", "T1651" },
  message = "ECS Exec session: {process.cmdline} as {process.user}",
  false_positives = { "Operators at work" },
  where = { names = lists.shells, lineage = "session" },
  match = function(event)
    return match.ancestor(event.process, agents, 2) ~= nil
  end,
  examples = {
    { expect = true, event = { process = { name = "sh", parent = { name = "ssm-session-wor" } } } },
    { expect = false, event = { process = { name = "sh", parent = { name = "sh" } } } },
    { expect = false, event = { process = { name = "ssm-session-wor", parent = { name = "ssm-agent-worke" } } } },
    { note = "another way in", expect = false, event = { process = { name = "sh", tty = "pts/0", observed_late = true } } },
  },
}
