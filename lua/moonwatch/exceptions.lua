--- Exceptions that several rules share.  Each says why it is none; a rule names it in its `exceptions`.

---@class moonwatch.exceptions
local M = {}

--- runc starts itself from a sealed copy of itself in memory (since 1.1.15), so that a container cannot change it.
M.runc = {
  reason = "runc runs from a copy of itself in memory",
  exes = { "/memfd:runc_cloned:*" },
}

M.package_managers = {
  reason = "a package manager at its work",
  lineage = { "package_manager" },
}

--- Templates rendered, certificates unpacked, folders given to their user.
M.startup = {
  reason = "entrypoints prepare the container in its first seconds",
  is = { "startup" },
}

--- `CMD-SHELL` of ECS and Docker is always `sh -c`.
M.health_checks = {
  reason = "health checks come from outside, without a terminal",
  lineage = { "health_check" },
}

--- initdb, pg_ctl and archive_command start shells.
M.postgres_helpers = {
  reason = "PostgreSQL starts its helpers by a shell",
  parents = { "postgres", "postmaster", "initdb", "pg_ctl", "pg_basebackup", "pg_rewind" },
  cmdline = { "/bin/postgres\"", "initdb", "pg_ctl", "archive", "wal", "pg_isready" },
}

return M
