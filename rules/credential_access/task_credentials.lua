local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local metadata = { "/v2/metadata", "/v3", "/v4", "/api/", "METADATA_URI" }

return {
  id = "task_credentials",
  summary = "The task's credentials asked for by a shell or a tool",
  why = "The application's SDK fetches them by itself; somebody who does it by hand takes the task's role along.",
  on = { "socket.connect" },
  severity = "high",
  attack = { "T1552.005" },
  message = "{process.cmdline} asks {socket.remote_address} for credentials",
  references = { "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html" },
  false_positives = { "Scripts that fetch credentials by curl to sign requests themselves, long after the start" },
  where = {
    { addresses = { "169.254.170.2", "169.254.170.23" },
      names = { lists.shells, lists.intruder_tools, lists.netcats, lists.interpreters } },
    { addresses = { "169.254.170.2", "169.254.170.23" }, is = "dropped" },
  },
  match = function(event)
    local process = event.process
    if match.contains_any(process.cmdline, metadata) then
      return false -- the task's metadata, at the same address: task_metadata
    end
    return not match.named(process, lists.interpreters) or match.has_arg(process, "-c", "-e", "-E", "-r", "--eval", "-")
      or process.dropped == true
  end,
  exceptions = { { reason = "entrypoints that sign their first requests themselves", is = "startup",
    not_lineage = { "web_server", "database", "java", "session" } } },
  throttle = { by = { "process.parent" }, period_s = 60 },
  examples = {
    { expect = true, event = { process = { name = "curl", argv = { "curl", "169.254.170.2/v2/credentials/4c1d" } },
      socket = { remote_address = "169.254.170.2", remote_port = 80 } } },
    { expect = true, event = { process = { name = "python3", argv = { "python3", "-c", "x" } },
      socket = { remote_address = "169.254.170.2", remote_port = 80 } } },
    { note = "an entrypoint", expect = false, event = { phase = "startup", process = { name = "curl",
      argv = { "curl", "169.254.170.2/v2/credentials/4c1d" }, parent = { name = "sh" } },
      socket = { remote_address = "169.254.170.2" } } },
    { expect = true, event = { phase = "startup", process = { name = "curl", argv = { "curl", "169.254.170.2/v2/credentials/4c1d" },
      parent = { name = "sh", parent = { name = "php-fpm8.2" } } }, socket = { remote_address = "169.254.170.2" } } },
    { expect = true, event = { process = { name = "x", dropped = true }, socket = { remote_address = "169.254.170.23" } } },
    { note = "the application's SDK", expect = false, event = { process = { name = "node", argv = { "node", "server.js" } },
      socket = { remote_address = "169.254.170.2", remote_port = 80 } } },
    { expect = false, event = { process = { name = "curl", argv = { "curl", "http://169.254.170.2/v4/ab/task" } },
      socket = { remote_address = "169.254.170.2", remote_port = 80 } } },
    { expect = false, event = { process = { name = "aws" }, socket = { remote_address = "169.254.170.2" } } },
    { expect = false, event = { process = { name = "curl" }, socket = { remote_address = "10.0.0.2", remote_port = 80 } } },
    { expect = true, event = { process = { name = "python3", argv = { "python3", "x.py" }, dropped = true },
      socket = { remote_address = "169.254.170.2" } } },
  },
}
