local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

return {
  id = "shell_from_web_server",
  summary = "Shell or intruder's tool started by a web server",
  why = "Web servers seldom need a shell; command injection and web shells nearly always do.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1190", "T1505.003", "T1059.004" },
  message = "{process.parent.name} (pid {process.ppid}) started {process.cmdline}, and a web server stands behind it",
  false_positives = { "PHP applications that call mail(), exec() or ImageMagick by a shell" },
  match = function(event)
    local process = event.process
    local is_tool = match.named(process, lists.shells) or match.named(process, lists.intruder_tools)
    return is_tool and match.ancestor(process, lists.web_servers) ~= nil
  end,
  examples = {
    { expect = true, event = { process =
      { name = "sh", argv = { "sh", "-c", "id" }, parent = { name = "nginx" } } } },
    { expect = true, event = { process =
      { name = "id", parent = { name = "sh", parent = { name = "php-fpm8.2" } } } } },
    { expect = false, event = { process = { name = "sh", parent = { name = "cron" } } } },
    { expect = false, event = { process = { name = "nginx", parent = { name = "nginx" } } } },
    { expect = false, event = { process = { name = "nginx", parent = { name = "sh" } } } },
  },
}
