local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

--- What PostgreSQL itself has run by a shell: archiving.
local own_helpers = { "pg_wal/", "pg_xlog/", "wal-g ", "pgbackrest ", "barman" }

--- The archive_command of PostgreSQL's manual: its two commands, and no third.
local manual = "* -c test ! -f * && cp pg_wal/*"

--- initdb has the new server ask for the locales there are, to make collations of them.
local lists_locales = "sh -c locale -a"

local function is_own(process)
  local cmdline = process.cmdline
  if cmdline == lists_locales then
    return true
  elseif not match.contains_any(cmdline, own_helpers) then
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
    return not is_own(event.process)
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
    { note = "initdb", expect = false, event = { process =
      { name = "sh", argv = { "sh", "-c", "locale -a" }, parent = { name = "postgres", parent = { name = "initdb" } } } } },
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-c", "locale -a; id" }, parent = { name = "postgres" } } } },
    { note = "more than the manual has", expect = true, event = { process = { name = "sh",
      argv = { "sh", "-c", "test ! -f /a/1 && cp pg_wal/1 /a/1 && id" }, parent = { name = "postgres" } } } },
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-c", "cp pg_wal/1 /a/1 & id" },
      parent = { name = "postgres" } } } },
    { expect = true, event = { process = { name = "sh", argv = { "sh", "-c", "test ! -f /a/1 && cp pg_wal/1 $(id)" },
      parent = { name = "postgres" } } } },
  },
}
