local lists = require "moonwatch.lists"

local sites = { "pastebin.com", "paste.ee", "hastebin", "termbin.com", "transfer.sh", "file.io", "0x0.st", "webhook.site",
  "requestbin", "pipedream.net",
  "interact.sh", "oast.", "burpcollaborator", "ngrok.io", "ngrok-free.app", "trycloudflare.com", ".onion", "api.telegram.org",
    "discord.com/api/webhooks" }

return {
  id = "paste_and_hook_sites",
  summary = "Command-line tool that speaks to a paste, web hook or onion site",
  why = "These sites take and give anything without an account: payloads come from there, what was found goes there.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1102", "T1567" },
  message = "{process.parent.name} ran {process.cmdline}",
  where = { names = { "curl", "wget", "nc", "ncat", "python", "perl", "openssl", lists.shells }, cmdline = sites },
  false_positives = { "Notifications of one's own by Telegram or Discord" },
  references = { "https://attack.mitre.org/techniques/T1102/", "https://attack.mitre.org/techniques/T1567/" },
  examples = {
    { expect = true, event = { process = { name = "curl", argv = { "curl", "https://pastebin.com/raw/abc" } } } },
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-c", "wget http://x.onion/y" } } } },
    { expect = false, event = { process = { name = "curl", argv = { "curl", "https://example.com/" } } } },
    { expect = false, event = { process = { name = "node", argv = { "node", "pastebin.com.js" } } } },
  },
}
