local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- PHP's mail() gives a shell the command that sends it, which is no hole.
local function is_mail(process)
  return match.contains(process.cmdline, "/sendmail -t") and match.is_single_command(process.cmdline)
end

--- One of the three processes above is a web server, and no script that is called as one is: /etc/init.d/nginx.
local function is_near(process)
  for _ = 1, 3 do
    process = process.parent
    if not process then
      return false
    elseif match.named(process, lists.web_servers) and not lists.shells[match.base(process.exe)] then
      return true
    end
  end
  return false
end

return {
  id = "shell_from_web_server",
  summary = "Shell or intruder's tool started by a web server",
  why = "Web servers seldom need a shell; command injection and web shells nearly always do.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1190", "T1505.003", "T1059.004" },
  message = "{process.parent.name} (pid {process.ppid}) started {process.cmdline}, "
    .. "and a web server stands behind it",
  false_positives = { "PHP applications that call exec() or ImageMagick by a shell" },
  where = { names = { lists.shells, lists.intruder_tools }, lineage = "web_server" },
  match = function(event)
    local process = event.process
    return is_near(process) and not (match.named(process, lists.shells) and is_mail(process))
  end,
  examples = {
    { expect = true, event = { process =
      { name = "sh", argv = { "sh", "-c", "id" }, parent = { name = "nginx" } } } },
    { expect = true, event = { process =
      { name = "id", parent = { name = "sh", parent = { name = "php-fpm8.2" } } } } },
    { note = "a script is its shell", expect = true, event = { process =
      { name = "x.sh", exe = "/usr/bin/dash", parent = { name = "httpd" } } } },
    { expect = true, event = { process = { name = "sh",
      argv = { "sh", "-c", "/usr/sbin/sendmail -t -i; id" }, parent = { name = "php-fpm" } } } },
    { expect = false, event = { process = { name = "sh",
      argv = { "sh", "-c", "/usr/sbin/sendmail -t -i" }, parent = { name = "php-fpm" } } } },
    { expect = false, event = { process = { name = "sh", parent = { name = "cron" } } } },
    { expect = false, event = { process = { name = "nginx", parent = { name = "nginx" } } } },
    { expect = false, event = { process = { name = "nginx", parent = { name = "sh" } } } },
    { note = "a health check is nobody's child", expect = false, event = { process =
      { name = "sh", argv = { "sh", "-c", "curl -f http://localhost/" } } } },
    { note = "far below", expect = false, event = { process = { name = "id",
      ancestors = { { name = "sh" }, { name = "sh" }, { name = "sh" }, { name = "nginx" } } } } },
    { note = "its start script is no web server", expect = false, event = { process = { name = "cat",
      parent = { name = "nginx", exe = "/usr/bin/dash", parent = { name = "service" } } } } },
    { note = "nor is it when one ran before", expect = false, event = { process = { name = "cat", lineage = { web_server = true },
      parent = { name = "nginx", exe = "/usr/bin/dash", parent = { name = "sh" } } } } },
  },
}
