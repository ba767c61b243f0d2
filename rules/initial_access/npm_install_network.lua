local lists = require "moonwatch.lists"

local tools = lists.set { "curl", "wget", "nc", "ncat", "netcat", "socat", "base64", "whoami", "id", "hostname", "crontab", "ssh", "scp" }

return {
  id = "npm_install_network",
  summary = "Download or shell tool run by a package's install script",
  why = "Packages run scripts when they are installed; those that fetch more, or look around, are how poisoned ones begin.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1195.002" },
  message = "{process.parent.cmdline} ran {process.cmdline}",
  where = { names = tools, ancestors = { "npm", "yarn", "pnpm", "npx", "pip", "pip3", "gem", "composer" } },
  false_positives = { "Packages that fetch a binary for this machine in their install script" },
  references = { "https://attack.mitre.org/techniques/T1195/002/" },
  examples = {
    { expect = true, event = { process = { name = "curl", parent = { name = "sh", parent = { name = "node",
      exe = "/usr/bin/node", parent = { name = "npm" } } } } } },
    { expect = false, event = { process = { name = "curl", parent = { name = "sh", parent = { name = "node" } } } } },
    { expect = false, event = { process = { name = "node-gyp", parent = { name = "npm" } } } },
  },
}
