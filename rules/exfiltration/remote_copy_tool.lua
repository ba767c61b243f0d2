local exceptions = require "moonwatch.exceptions"
local match = require "moonwatch.match"

local copiers = { scp = true, sftp = true, rsync = true, rclone = true, ftp = true, lftp = true, tftp = true }
local nowhere = { "-O /dev/null", "-O- ", "-O -", "-qO-", "-qO -", "--spider", "-o /dev/null", "--output /dev/null" }

return {
  id = "remote_copy_tool",
  summary = "Files copied from or to another machine",
  why = "Tools come in and data go out by the same few programs, which a service that runs seldom starts.",
  on = { "process.exec" },
  severity = "low",
  attack = { "T1105", "T1048" },
  message = "{process.parent.name} ran {process.cmdline}",
  false_positives = { "Jobs that fetch or send files" },
  where = { names = { copiers, "curl", "wget" }, unless = "startup" },
  match = function(event)
    local process = event.process
    if match.named(process, copiers) then
      return true
    elseif match.contains_any(process.cmdline, nowhere) then
      return false
    elseif match.named(process, { wget = true }) then
      return true
    end
    return match.has_arg(process, "-o", "-O", "--output", "--remote-name", "-OJ", "-LO", "-LO", "-sO", "-fsSLO", "-LOs")
  end,
  exceptions = { exceptions.package_managers, exceptions.health_checks },
  throttle = { by = { "process.parent", "process.name" }, period_s = 300 },
  examples = {
    { expect = true, event = { process = { name = "scp", argv = { "scp", "/data/x", "a@b:" } } } },
    { expect = true, event = { process = { name = "curl", argv = { "curl", "-o", "/tmp/x", "http://a/x" } } } },
    { expect = true, event = { process = { name = "wget", argv = { "wget", "http://a/x" } } } },
    { expect = false, event = { process = { name = "wget", argv = { "wget", "-q", "--spider", "http://localhost/" } } } },
    { expect = false, event = { process = { name = "curl", argv = { "curl", "-f", "http://localhost/" } } } },
    { expect = false, event = { process = { name = "curl", argv = { "curl", "-s", "-o", "/dev/null", "http://localhost/" },
      cmdline = "curl -s -o /dev/null http://localhost/" } } },
    { note = "entrypoints fetch their configuration", expect = false, event = { phase = "startup",
      process = { name = "wget", argv = { "wget", "http://a/x" } } } },
  },
}
