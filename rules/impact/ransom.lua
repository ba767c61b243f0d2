local match = require "moonwatch.match"

return {
  id = "ransom",
  summary = "Many files given a new ending in a row",
  why = "File after file that gets one more ending is what encryption for ransom looks like.",
  on = { "file.rename" },
  severity = "high",
  attack = { "T1486" },
  message = "{process.name} renames many files, the last to {file.path}: {process.cmdline}",
  match = function(event)
    local file = event.file
    if not file then
      return false
    end
    local old, new = file.old_path, file.path
    -- The old name and one more ending: "a.db" becomes "a.db.locked".
    return old ~= nil and new ~= nil and not file.directory and #new > #old + 1 and match.starts(new, old .. ".")
  end,
  exceptions = {
    { reason = "rotation of logs and backups of editors",
      names = { "logrotate", "savelog", "rsync", "sed", "vim", "gzip", "zstd", "xz" } },
    { reason = "logs and unfinished files", paths = { "/var/log/", "*.tmp", "*.bak", "*.old", "*.gz", "*.1", "*.part" } },
  },
  -- A shell has mv do it, file by file.
  threshold = { by = { "process.parent" }, count = 20, within_s = 30 },
  false_positives = { "Jobs that rename many files on purpose" },
  references = { "https://attack.mitre.org/techniques/T1486/" },
  examples = {
    { expect = true, before = { { file = { path = "/data/1.db.locked", old_path = "/data/1.db" } },
      { file = { path = "/data/2.db.locked", old_path = "/data/2.db" } }, { file = { path = "/data/3.db.locked",
      old_path = "/data/3.db" } }, { file = { path = "/data/4.db.locked", old_path = "/data/4.db" } },
      { file = { path = "/data/5.db.locked", old_path = "/data/5.db" } }, { file = { path = "/data/6.db.locked",
      old_path = "/data/6.db" } }, { file = { path = "/data/7.db.locked", old_path = "/data/7.db" } },
      { file = { path = "/data/8.db.locked", old_path = "/data/8.db" } }, { file = { path = "/data/9.db.locked",
      old_path = "/data/9.db" } }, { file = { path = "/data/10.db.locked", old_path = "/data/10.db" } },
      { file = { path = "/data/11.db.locked", old_path = "/data/11.db" } }, { file = { path = "/data/12.db.locked",
      old_path = "/data/12.db" } }, { file = { path = "/data/13.db.locked", old_path = "/data/13.db" } },
      { file = { path = "/data/14.db.locked", old_path = "/data/14.db" } }, { file = { path = "/data/15.db.locked",
      old_path = "/data/15.db" } }, { file = { path = "/data/16.db.locked", old_path = "/data/16.db" } },
      { file = { path = "/data/17.db.locked", old_path = "/data/17.db" } }, { file = { path = "/data/18.db.locked",
      old_path = "/data/18.db" } }, { file = { path = "/data/19.db.locked", old_path = "/data/19.db" } } },
      event = { file = { path = "/data/20.db.locked", old_path = "/data/20.db" } } },
    { expect = false, event = { file = { path = "/data/1.db.locked", old_path = "/data/1.db" } } },
    { expect = false, event = { file = { path = "/data/b", old_path = "/data/a" } } },
    { expect = false, event = { file = { path = "/data/b" } } },
    { expect = false, event = { file = { old_path = "/data/b" } } },
    { note = "a folder", expect = false, event = { file = { path = "/data/b.locked", old_path = "/data/b", directory = true } } },
    { expect = false, event = { process = { name = "x" } } },
  },
}
