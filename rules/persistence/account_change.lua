local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local tools = lists.set { "useradd", "adduser", "usermod", "passwd", "chpasswd", "newusers",
  "groupadd", "addgroup", "vipw" }

return {
  id = "account_change",
  summary = "User account made or changed",
  why = "The users of a container come with its image; one more is a way to come back.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1136.001", "T1098" },
  message = "{process.parent.name} ran {process.cmdline} as {process.user}",
  false_positives = { "Start scripts that give the application the user id of a mounted volume" },
  where = { names = tools },
  match = function(event)
    local process = event.process
    return not (match.has_arg(process, "--help", "--version")
      or (process.name == "passwd" and match.has_arg(process, "-S", "--status")))
  end,
  examples = {
    { expect = true, event = { process = { name = "useradd", argv = { "useradd", "-o", "-u", "0", "x" } } } },
    { expect = true, event = { process = { name = "chpasswd" } } },
    { expect = true, event = { process = { name = "busybox", exe = "/bin/busybox",
      argv = { "busybox", "adduser", "x" } } } },
    { expect = true, event = { process = { name = "adduser", argv = { "adduser", "-S", "x" } } } },
    { expect = false, event = { process = { name = "passwd", argv = { "passwd", "-S", "root" } } } },
    { expect = false, event = { process = { name = "id", argv = { "id", "useradd" } } } },
    { expect = true, event = { process = { name = "passwd", argv = { "passwd", "root" } } } },
    { expect = false, event = { process = { name = "useradd", argv = { "useradd", "--help" } } } },
  },
}
