local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local tools = lists.set { "curl", "wget", "nc", "ncat", "netcat", "socat", "base64", "whoami", "id", "hostname", "crontab", "ssh", "scp" }

--- By their own name, or as the script of node, python, ruby or php.
local managers = lists.set { "npm", "yarn", "pnpm", "pip", "gem", "composer", "bundle" }
local scripts = { "/npm", "/yarn", "/pnpm", "/pip", "/gem ", "/composer", "/bundle" }

local DEPTH <const> = 8

--- Does it install packages?  `npm start` runs the application.
local function is_installing(process)
  return (match.named(process, managers) or (match.named(process, lists.interpreters) and match.contains_any(process.cmdline, scripts)))
    and (match.has_arg(process, "install", "i", "ci", "add", "update", "upgrade", "rebuild") or match.ends(process.cmdline, "/yarn"))
end

return {
  id = "npm_install_network",
  summary = "Download or shell tool run by a package's install script",
  why = "Packages run scripts when they are installed; those that fetch more, or look around, are how poisoned ones begin.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1195.002" },
  message = "{process.parent.cmdline} ran {process.cmdline}",
  where = { names = tools },
  match = function(event)
    local ancestor = event.process.parent
    for _ = 1, DEPTH do
      if not ancestor then
        return false
      elseif is_installing(ancestor) then
        return true
      end
      ancestor = ancestor.parent
    end
    return false
  end,
  false_positives = { "Packages that fetch a binary for this machine in their install script" },
  references = { "https://attack.mitre.org/techniques/T1195/002/" },
  examples = {
    { note = "npm: a script of node", expect = true, event = { process = { name = "curl", parent = { name = "sh", parent = { name = "node",
      exe = "/usr/bin/node", argv = { "node", "/usr/bin/npm", "install" } } } } } },
    { expect = true, event = { process = { name = "id", parent = { name = "python3", parent = { name = "pip",
      argv = { "/usr/bin/python3", "/usr/bin/pip", "install", "x" } } } } } },
    { expect = true, event = { process = { name = "curl", parent = { name = "sh", parent = { name = "node",
      argv = { "node", "/usr/local/bin/yarn" } } } } } },
    { note = "it runs the application", expect = false, event = { process = { name = "curl", parent = { name = "sh",
      parent = { name = "node", argv = { "node", "/usr/bin/npm", "start" } } } } } },
    { expect = false, event = { process = { name = "curl", parent = { name = "sh", parent = { name = "node",
      argv = { "node", "install" } } } } } },
    { expect = false, event = { process = { name = "curl", parent = { name = "sh" } } } },
    { expect = false, event = { process = { name = "node-gyp", parent = { name = "npm", argv = { "npm", "install" } } } } },
    { note = "too far", expect = false, event = { process = { name = "curl", parent = { name = "a", parent = { name = "b",
      parent = { name = "c", parent = { name = "d", parent = { name = "e", parent = { name = "f", parent = { name = "g",
      parent = { name = "h", parent = { name = "npm", argv = { "npm", "install" } } } } } } } } } } } } },
  },
}
