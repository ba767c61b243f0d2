local lists = require "moonwatch.lists"

return {
  id = "package_manager",
  summary = "Package manager run in a container",
  why = "Images are built elsewhere; software that arrives at run time was not reviewed.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1072", "T1105" },
  message = "{process.parent.name} installs software: {process.cmdline}",
  false_positives = { "Start scripts that install what the image lacks" },
  where = { names = lists.package_managers, arguments = { "install", "add", "upgrade", "-i", "-U" } },
  exceptions = { { reason = "it only says what it would do", arguments = { "-s", "--simulate", "--just-print", "--dry-run", "--no-act",
    "--recon", "--print-uris", "--help" } } },
  examples = {
    { expect = true, event = { process = { name = "apt-get", argv = { "apt-get", "install", "-y", "nmap" } } } },
    { expect = true, event = { process = { name = "apk", argv = { "apk", "add", "curl" } } } },
    { expect = false, event = { process = { name = "dpkg", argv = { "dpkg", "-l" } } } },
    { expect = false, event = { process = { name = "npm", argv = { "npm", "start" } } } },
    { expect = false, event = { process = { name = "apt-get", argv = { "apt-get", "install", "-s", "curl" } } } },
  },
}
