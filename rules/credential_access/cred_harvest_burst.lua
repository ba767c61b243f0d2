local exceptions = require "moonwatch.exceptions"

local stored = { "*/.aws/credentials", "*/.aws/config", "*/.docker/config.json", "*/.kube/config", "*/.config/gcloud/*",
  "*/.azure/*", "*/.git-credentials",
  "*/.npmrc", "*/.pypirc", "*/.netrc", "*/.pgpass", "/run/secrets/" }

return {
  id = "cred_harvest_burst",
  summary = "Several kinds of credentials read in a row",
  why = "One after the other, keys of ssh, clouds, registries and password hashes: somebody takes all there is.",
  on = { "file.open", "file.access" },
  severity = "high",
  attack = { "T1552.001", "T1552.004", "T1003.008" },
  message = "{process.parent.name} gathers credentials; the last: {file.path}",
  where = { paths = { stored, "*/.ssh/id_*", "/etc/shadow", "/etc/ssh/ssh_host_*_key" },
    fields = { ["file.write"] = false, ["file.directory"] = false } },
  match = function(event)
    -- Files whose reader is not known are not those of one process.
    return event.process ~= nil
  end,
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
  },
  threshold = { by = { "process.parent" }, count = 3, within_s = 600, distinct = "file.path" },
  false_positives = { "Backup jobs over home folders" },
  references = { "https://attack.mitre.org/techniques/T1552/001/" },
  examples = {
    { expect = true, before = { { kind = "file.open", process = { name = "cat" }, file = { path = "/root/.aws/credentials" } },
      { kind = "file.open", process = { name = "cat" }, file = { path = "/root/.ssh/id_rsa" } } },
      event = { kind = "file.open", process = { name = "cat" }, file = { path = "/etc/shadow" } } },
    { expect = false, before = { { kind = "file.open", process = { name = "cat" }, file = { path = "/etc/shadow" } },
      { kind = "file.open", process = { name = "cat" }, file = { path = "/etc/shadow" } } },
      event = { kind = "file.open", process = { name = "cat" }, file = { path = "/etc/shadow" } } },
    { expect = false, event = { kind = "file.open", process = { name = "cat" }, file = { path = "/etc/passwd" } } },
    { note = "folders, as find opens them", expect = false, before = { { kind = "file.open", process = { name = "find" },
      file = { path = "/run/secrets/a", directory = true } }, { kind = "file.open", process = { name = "find" },
      file = { path = "/run/secrets/b", directory = true } } },
      event = { kind = "file.open", process = { name = "find" }, file = { path = "/run/secrets/c", directory = true } } },
    { note = "an application's mounted secrets", expect = false, before = { { kind = "file.open", file = { path = "/run/secrets/a" } },
      { kind = "file.open", file = { path = "/run/secrets/b" } } }, event = { kind = "file.open", file = { path = "/run/secrets/c" } } },
  },
}
