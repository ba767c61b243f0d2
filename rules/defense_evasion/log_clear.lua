local match = require "moonwatch.match"

local logs = { "/var/log/auth.log", "/var/log/secure", "/var/log/syslog", "/var/log/messages", "/var/log/wtmp", "/var/log/btmp",
  "/var/log/lastlog", "/var/log/utmp", "/var/run/utmp", "/run/utmp", "/var/log/audit/", "/var/log/nginx/", "/var/log/apache2/",
  "/var/log/httpd/", "/var/mail/", "/var/spool/mail/", "/var/log/cron", "/var/log/cron.log" }
--- open(2)
local O_TRUNC <const> = 512

local function names_log(cmdline)
  return match.contains_any(cmdline, { "/var/log/auth", "/var/log/secure", "/var/log/syslog", "/var/log/messages", "/var/log/wtmp",
    "/var/log/btmp", "/var/log/lastlog", "/var/log/nginx", "/var/log/apache2", "/var/log/httpd", "/var/log/audit", "/var/log/*" })
end

return {
  id = "log_clear",
  summary = "Log emptied or removed",
  why = "What happened is written there; who removes it was part of it.",
  on = { "file.delete", "file.open", "file.create", "file.attributes", "process.exec" },
  severity = "medium",
  attack = { "T1685.006", "T1070.002" },
  message = "{process.cmdline} clears a log",
  false_positives = { "Scripts that rotate logs themselves" },
  where = {
    { paths = { logs }, unless = "startup" },
    { names = { "rm", "shred", "truncate", "unlink", "dd", "wipe" }, cmdline = "/var/log/", unless = "startup" },
  },
  match = function(event)
    local file = event.file
    if event.kind == "process.exec" then
      return names_log(event.process.cmdline)
    elseif event.kind == "file.open" or event.kind == "file.create" then
      return file.write == true and (file.flags or 0) & O_TRUNC ~= 0
    elseif event.kind == "file.attributes" then
      return event.call ~= nil and match.contains(event.call.name, "truncate")
    end
    return event.process ~= nil
  end,
  exceptions = {
    { reason = "who writes or turns logs over", names = { "logrotate", "savelog", "rsyslogd", "syslogd", "syslog-ng", "systemd*",
      "cronolog", "rotatelogs", "utmpdump", "login", "sshd", "init" } },
    { reason = "a package manager at its work", lineage = "package_manager" },
    { reason = "jobs of the clock turn logs over", lineage = "cron" },
  },
  -- A tool and what it then does, and one file after the other: once.
  throttle = { by = { "process.parent" }, period_s = 60 },
  examples = {
    { expect = true, event = { kind = "process.exec", process = { name = "rm", argv = { "rm", "-f", "/var/log/auth.log" } } } },
    { expect = true, event = { kind = "file.open", file = { path = "/var/log/wtmp", write = true, flags = 577 },
      process = { name = "sh" } } },
    { expect = true, event = { kind = "file.attributes", file = { path = "/var/log/nginx/access.log" }, call = { name = "ftruncate" },
      process = { name = "truncate" } } },
    { expect = true, event = { kind = "file.delete", file = { path = "/var/log/secure" }, process = { name = "python3" } } },
    { expect = false, event = { kind = "file.delete", file = { path = "/var/log/secure" }, process = { name = "logrotate" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/var/log/nginx/access.log", write = true, flags = 1089 },
      process = { name = "nginx" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "rm", argv = { "rm", "/var/log/app/x.log" } } } },
    { expect = false, event = { kind = "file.attributes", file = { path = "/var/log/nginx/access.log" }, call = { name = "fchmod" },
      process = { name = "chmod" } } },
    { expect = false, event = { kind = "file.delete", file = { path = "/var/log/wtmp" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/var/log/wtmp" }, process = { name = "last" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/var/log/wtmp", write = true }, process = { name = "x" } } },
    { expect = false, event = { kind = "file.attributes", file = { path = "/var/log/wtmp", found_by = "inotify" } } },
    { expect = true, event = { kind = "file.create", file = { path = "/var/log/syslog", write = true, flags = 577, found_by = "call" },
      process = { name = "sh" } } },
    { note = "an entrypoint that makes it", expect = false, event = { kind = "file.create",
      file = { path = "/var/log/syslog", found_by = "inotify" } } },
  },
}
