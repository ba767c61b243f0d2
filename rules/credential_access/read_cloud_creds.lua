local exceptions = require "moonwatch.exceptions"
local lists = require "moonwatch.lists"

local readers = lists.set { "cat", "grep", "egrep", "head", "tail", "less", "more", "strings", "base64", "xxd", "od", "tar",
  "zip", "gzip", "cp", "mv", "dd", "find",
  "awk", "sed", "tee", "curl", "wget", "nc", "ncat", "scp", "rsync", "vi", "vim", "nano", "sort", "cut" }
local stored = { "*/.aws/credentials", "*/.aws/config", "*/.docker/config.json", "*/.kube/config", "*/.config/gcloud/*",
  "*/.azure/*", "*/.git-credentials",
  "*/.npmrc", "*/.pypirc", "*/.netrc", "*/.pgpass", "/run/secrets/" }

return {
  id = "read_cloud_creds",
  summary = "Stored credentials read by a general tool",
  why = "Keys of clouds, registries and repositories are read by their own clients; a shell tool that reads them " ..
    "takes them along.",
  on = { "file.open", "file.access" },
  severity = "medium",
  attack = { "T1552.001" },
  message = "{process.name} opened {file.path}: {process.cmdline}",
  where = { names = { readers, lists.shells }, paths = stored, fields = { ["file.write"] = false, ["file.directory"] = false } },
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
  },
  throttle = { by = { "process.parent", "file.path" }, period_s = 600 },
  false_positives = { "Shell scripts that read a mounted secret after the start" },
  references = { "https://attack.mitre.org/techniques/T1552/001/" },
  examples = {
    { note = "a folder on the way", expect = false, event = { kind = "file.open", process = { name = "find" },
      file = { path = "/run/secrets/a", directory = true } } },
    { expect = true, event = { kind = "file.open", process = { name = "cat" }, file = { path = "/root/.aws/credentials" } } },
    { expect = true, event = { kind = "file.access", process = { name = "grep" }, file = { path = "/run/secrets/db" } } },
    { expect = false, event = { kind = "file.open", process = { name = "aws" }, file = { path = "/root/.aws/credentials" } } },
    { expect = false, event = { kind = "file.open", process = { name = "cat" }, file = { path = "/root/.aws/cli/cache/x" } } },
    { expect = false, event = { kind = "file.open", phase = "startup", process = { name = "cat" }, file = { path = "/run/secrets/db" } } },
  },
}
